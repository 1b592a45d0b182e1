"""Let a model with a short context write about documents that it cannot hold: map over chunks, then reduce the notes.

A question is written from one chunk. Then every chunk is read for what it says about the question, the notes are merged
until they fit, and the answer is written from them with the quotes that they kept. No example rests on a chunk that
could not be read, and 'the document does not say' takes every chunk to have said so, and a search of the whole.

Source  'Bootstrap Your Own Context Length' (arXiv 2412.18860), recursive query-focused summaries; LongCite
        (arXiv 2409.02897), coarse to fine
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.passages.passage_search import search_passages
from pipeline.tasks.task import Task
from pipeline.teachers.budget import BudgetError
from pipeline.teachers.client import Endpoint
from pipeline.teachers.endpoint_params import EndpointParams
from pipeline.teachers.errors import CHUNK, RefusedError, StoppedError
from pipeline.teachers.notes import (
    MAX_NOTE_QUOTES,
    Chunk,
    DraftQuestion,
    Note,
    PlacedNote,
    answer_messages,
    answer_schema,
    draft_messages,
    fence_notes,
    judge_messages,
    merge_messages,
    note_messages,
    place_note,
    split_into_chunks,
)
from pipeline.teachers.prompts import ExampleReply, ShownDocument, example_messages, reply_schema
from pipeline.teachers.request_body import estimate_text_tokens

OVERHEAD_TOKENS = 1_000  # of the instructions around a document
MIN_BODY_TOKENS = 300
MAX_CHUNKS_IN_FLIGHT = 8  # of one document, so that the prompts that wait take little memory
NUM_SEARCHED = 8  # passages that the judge of 'does not say' is shown
TO = ", to "  # between the places that a merged note is from
SAYS_NOTHING = "the document does not say"


def max_body_tokens(params: EndpointParams) -> int:
    """Return how many tokens of documents a request can hold."""
    return max(MIN_BODY_TOKENS, params.max_prompt_tokens - OVERHEAD_TOKENS)


@dataclass(frozen=True)
class LongWriter:
    """Writes one example about documents that a request cannot hold."""

    endpoint: Endpoint
    task: Task
    documents: Sequence[ShownDocument]
    nonce: str

    async def write(self, number: int, num_slots: int) -> ExampleReply:
        """Return a question about the documents, its answer and quotes.

        Args:
            number: Of the slot among those of its documents; it decides which chunks the question is written from.
            num_slots: How many there are.

        Raises:
            RefusedError: One of the steps failed.
        """
        most = max_body_tokens(self.endpoint.params)
        chunks = [chunk for document in self.documents for chunk in split_into_chunks(document, most)]
        shown = self.choose_chunks(most // len(self.documents), number, num_slots)
        if self.task.expects_no_answer:
            return await self.write_unanswerable(shown, chunks)
        messages = draft_messages(self.task, shown, self.nonce, self.documents)
        question = (await self.endpoint.ask(messages, DraftQuestion)).question
        notes = await self.read_chunks(chunks, question)
        kept = [
            place_note(chunk, note) for chunk, note in zip(chunks, notes, strict=True) if note.is_relevant and note.note
        ]
        if not kept:
            raise RefusedError("no chunk answers the question", question[:80])
        messages = answer_messages(self.task, self.documents, await self.merge(kept, question), question, self.nonce)
        answer = await self.endpoint.ask(messages, answer_schema(self.task))
        if answer.answer.lower().startswith(SAYS_NOTHING):
            raise RefusedError("says that the document does not say, but its chunks do", question[:80])
        return ExampleReply(question=question, answer=answer.answer, evidence=answer.evidence)

    def choose_chunks(self, max_tokens: int, number: int, num_slots: int) -> list[Chunk]:
        """Return a chunk of each document, those of successive slots spread over the documents."""
        split = [split_into_chunks(document, max_tokens) for document in self.documents]
        return [chunks[number * len(chunks) // num_slots] for chunks in split if chunks]

    async def read_chunks(self, chunks: Sequence[Chunk], question: str) -> list[Note]:
        """Return the note on each chunk; one that fails is asked for once more after the others.

        Raises:
            RefusedError: A chunk could not be read.
        """
        places = asyncio.Semaphore(MAX_CHUNKS_IN_FLIGHT)

        async def read(chunk: Chunk) -> Note | RefusedError:
            async with places:
                try:
                    messages = note_messages(self.task, chunk, question, self.nonce, self.documents, MAX_NOTE_QUOTES)
                    return await self.endpoint.ask(messages, Note)
                except (StoppedError, BudgetError):
                    raise
                except RefusedError as error:
                    return error

        notes = await asyncio.gather(*map(read, chunks))
        read_again = []
        for chunk, note in zip(chunks, notes, strict=True):
            second = await read(chunk) if isinstance(note, RefusedError) else note
            if isinstance(second, RefusedError):
                raise RefusedError(CHUNK, f"{chunk.place} of document {chunk.document.number}: {second.reason}")
            read_again.append(second)
        return read_again

    async def write_unanswerable(self, shown: Sequence[Chunk], chunks: Sequence[Chunk]) -> ExampleReply:
        """Return a question that the documents do not answer, if every chunk and a search of the whole say so.

        Raises:
            RefusedError: One of them answers it, or could not be read.
        """
        body = "\n\n".join(chunk.fence(self.nonce) for chunk in shown)
        messages = example_messages(self.task, body, self.nonce, "in these parts of longer documents")
        draft = await self.endpoint.ask(messages, reply_schema(self.task))
        notes = await self.read_chunks(chunks, draft.question)
        for chunk, note in zip(chunks, notes, strict=True):
            if note.is_relevant:
                place = f"{chunk.place} of document {chunk.document.number}"
                raise RefusedError("says that the document does not say, but a chunk does", place)
        for document in self.documents:
            spans = search_passages(document.text, draft.question, NUM_SEARCHED)
            passages = [span.text for span in spans]
            messages = judge_messages(self.task, document, passages, draft.question, draft.answer, self.nonce)
            if passages and (await self.endpoint.ask(messages, Note)).is_relevant:
                raise RefusedError("says that the document does not say, but a search finds it", passages[0][:80])
        return draft

    async def merge(self, notes: list[PlacedNote], question: str) -> list[PlacedNote]:
        """Return notes that one request can hold; the model merges those on the same document until they fit."""
        most = max_body_tokens(self.endpoint.params)
        while self.count_tokens(notes) > most:
            groups = group_notes(notes, most // 2)
            if len(groups) == len(notes):
                break
            notes = [await self.merge_group(group, question) for group in groups]
        while self.count_tokens(notes) > most and len(notes) > 1:  # each is as short as it gets
            longest = max(notes, key=lambda note: len(str(note)))
            if not longest.quotes:
                raise RefusedError("notes too long", f"{len(notes)} notes do not fit into endpoint.max_context_tokens")
            shorter = PlacedNote(longest.document, longest.place, longest.text, longest.quotes[:-1])
            notes = [shorter if note is longest else note for note in notes]
        return notes

    async def merge_group(self, group: Sequence[PlacedNote], question: str) -> PlacedNote:
        """Return several notes on a document as one."""
        if len(group) == 1:
            return group[0]
        document = next(document for document in self.documents if document.number == group[0].document)
        note = await self.endpoint.ask(merge_messages(self.task, document, group, question, self.nonce), Note)
        given = [quote for one in group for quote in one.quotes]
        kept = tuple(quote for quote in given if any(quote in one or one in quote for one in note.quotes if one))
        place = f"{group[0].place.split(TO)[0]}{TO}{group[-1].place.split(TO)[-1]}"
        return PlacedNote(group[0].document, place, note.note, kept[:MAX_NOTE_QUOTES])

    def count_tokens(self, notes: Sequence[PlacedNote]) -> int:
        """Return about how many tokens notes have between their fences."""
        return estimate_text_tokens("\n\n".join(fence_notes(self.documents, notes, self.nonce)))


def group_notes(notes: Sequence[PlacedNote], max_tokens: int) -> list[list[PlacedNote]]:
    """Return notes in groups on the same document, with at most `max_tokens` tokens in a group of several notes."""
    groups: list[list[PlacedNote]] = [[]]
    total = 0
    for note in notes:
        num_tokens = estimate_text_tokens(str(note))
        if groups[-1] and (groups[-1][0].document != note.document or total + num_tokens > max_tokens):
            groups.append([])
            total = 0
        groups[-1].append(note)
        total += num_tokens
    return groups
