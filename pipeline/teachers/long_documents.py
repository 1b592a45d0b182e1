"""Let a model with a short context write about documents that it cannot hold.

A question is written from a chunk, or was written before. What every chunk says about it is noted (`map_reduce`), and
the answer is written from the notes with the quotes that they kept. 'The document does not say' takes every chunk to
have said so, and a search of the whole.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pipeline.endpoint.errors import RefusedError
from pipeline.passages.passage_search import search_passages
from pipeline.teachers.answers import Question, StatedAnswer, answer_messages, describe_steps, stated_schema
from pipeline.teachers.map_reduce import NUM_SEARCHED, SAYS_NOTHING, LongReader
from pipeline.teachers.notes import (
    AnswerFromNotes,
    Chunk,
    DraftQuestion,
    Note,
    answer_schema,
    draft_messages,
    judge_messages,
    notes_messages,
    split_into_chunks,
)
from pipeline.teachers.prompts import ExampleReply, example_messages, reply_schema

IN_PARTS = "Let it be about what these parts of longer documents say."
Result = TypeVar("Result")


@dataclass(frozen=True)
class LongWriter(LongReader):
    """Writes an example about documents that a request cannot hold."""

    async def write(self, convert: Callable[[ExampleReply], Result]) -> Result:
        """Return what is made of a question about the documents, its answer and quotes, all written at once.

        Raises:
            RefusedError: One of the steps failed.
        """
        if self.slot.task.expects_no_answer:
            return await self.write_unanswerable(convert)
        messages = draft_messages(self.slot, self.choose_chunks(), self.nonce, self.documents)
        question = (await self.endpoint.ask(messages, DraftQuestion)).question
        notes = await self.collect_notes(question)

        def join(reply: AnswerFromNotes) -> Result:
            if reply.answer.lower().startswith(SAYS_NOTHING):
                raise RefusedError("says that the document does not say, but its chunks do", question[:80])
            return convert(ExampleReply(question=question, answer=reply.answer, evidence=reply.evidence))

        messages = notes_messages(self.slot, self.documents, notes, question, self.nonce, "")
        return await self.endpoint.ask_for(messages, answer_schema(self.slot.task), join)

    async def answer(self, question: Question, convert: Callable[[StatedAnswer], Result]) -> Result:
        """Return what is made of the answer to a question, its quotes and statements.

        Raises:
            RefusedError: One of the steps failed.
        """
        task = self.slot.task
        if task.expects_no_answer:
            return await self.answer_unanswerable(question, convert)
        notes = await self.collect_notes(str(question))
        steps = describe_steps(self.slot)
        messages = notes_messages(self.slot, self.documents, notes, str(question), self.nonce, steps)
        return await self.endpoint.ask_for(messages, stated_schema(task), convert)

    def choose_chunks(self) -> list[Chunk]:
        """Return a chunk of each document, those of successive slots spread over the documents."""
        most = self.max_tokens // len(self.documents)
        split = [split_into_chunks(document, most) for document in self.documents]
        return [chunks[self.slot.number * len(chunks) // self.slot.num_slots] for chunks in split if chunks]

    async def write_unanswerable(self, convert: Callable[[ExampleReply], Result]) -> Result:
        """Return what is made of a question that the documents do not answer, if they do not.

        Raises:
            RefusedError: A chunk or the search answers it, or one of the steps failed.
        """
        body = "\n\n".join(chunk.fence(self.nonce) for chunk in self.choose_chunks())
        messages = example_messages(self.slot, body, self.nonce, IN_PARTS, with_examples=False)
        draft = await self.endpoint.ask(messages, reply_schema(self.slot.task))
        await self.refuse_answered(draft.question, draft.answer)
        return convert(draft)

    async def answer_unanswerable(self, question: Question, convert: Callable[[StatedAnswer], Result]) -> Result:
        """Return what is made of the answer that the documents do not say something, if they do not.

        It is written from the passages that come closest, since it tells what the documents have instead.

        Raises:
            RefusedError: A chunk or the search answers it, or one of the steps failed.
        """
        closest = await self.refuse_answered(question.text, f"{SAYS_NOTHING.capitalize()}.")
        body = "\n\n".join(closest) or "\n\n".join(chunk.fence(self.nonce) for chunk in self.choose_chunks())
        messages = answer_messages(self.slot, question, body, self.nonce, with_examples=False)
        return await self.endpoint.ask_for(messages, stated_schema(self.slot.task), convert)

    async def refuse_answered(self, question: str, answer: str) -> list[str]:
        """Return, between fences, what comes closest to a question that the documents do not answer.

        Raises:
            RefusedError: A chunk or the search answers it.
        """
        chunks = [chunk for document in self.documents for chunk in split_into_chunks(document, self.max_tokens)]
        for chunk, note in zip(chunks, await self.read_chunks(chunks, question), strict=True):
            if note.is_relevant:
                place = f"{chunk.place} of document {chunk.document.number}"
                raise RefusedError("says that the document does not say, but a chunk does", place)
        closest = []
        for document in self.documents:
            passages = [span.text for span in search_passages(document.text, question, NUM_SEARCHED)]
            messages = judge_messages(self.slot.task, document, passages, question, answer, self.nonce)
            if passages and (await self.endpoint.ask(messages, Note)).is_relevant:
                raise RefusedError("says that the document does not say, but a search finds it", passages[0][:80])
            closest += [document.fence(self.nonce, "\n\n".join(passages), "what comes closest")] if passages else []
        return closest
