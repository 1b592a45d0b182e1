"""Fill the slots of a plan: in two steps, questions first and then their answers, or all at once."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from pipeline.endpoint.client import Endpoint
from pipeline.endpoint.errors import RefusedError
from pipeline.endpoint.request_body import estimate_text_tokens
from pipeline.passages.passages import Passages
from pipeline.records import Evidence, Example, Turn
from pipeline.storage.document_store import DocumentStore
from pipeline.teachers.answers import Question, StatedAnswer, answer_messages, stated_schema
from pipeline.teachers.context import fit_context, max_body_tokens
from pipeline.teachers.examples import add_evidence, build_example, build_refused, build_stated
from pipeline.teachers.long_documents import LongWriter
from pipeline.teachers.prompts import (
    ExampleReply,
    ShownDocument,
    describe_place,
    example_messages,
    fence_documents,
    make_nonce,
    reply_schema,
    show_document,
)
from pipeline.teachers.questions import QuestionWriter, RefusedQuestionError
from pipeline.teachers.slots import Slot, TeachingPlan

Result = TypeVar("Result")


class SlotFiller:
    """Fills slots by asking an endpoint."""

    def __init__(self, endpoint: Endpoint, plan: TeachingPlan, slots: Sequence[Slot]) -> None:
        """Take the endpoint, the plan, and all its slots."""
        store = DocumentStore(plan.documents)
        self._endpoint = endpoint
        self._model = endpoint.params.model
        self._questions = None
        if plan.steps == "questions_first":
            self._questions = QuestionWriter(endpoint, slots, plan.questions_per_request)
        self._shown = lru_cache(maxsize=64)(lambda doc_id: show_document(1, Passages(store[doc_id])))
        self._nonce = lru_cache(maxsize=256)(
            lambda doc_ids: make_nonce(
                [self.show(doc_ids)[number].passages for number in range(len(doc_ids))], plan.seed
            )
        )

    def show(self, doc_ids: Sequence[str]) -> list[ShownDocument]:
        """Return documents as the model sees them; each is masked once."""
        return [replace(self._shown(doc_id), number=number) for number, doc_id in enumerate(doc_ids, 1)]

    async def fill(self, slot: Slot) -> Example:
        """Return the example of a slot; one without a usable reply has a reason."""
        documents = self.show(slot.doc_ids)
        question: Question | None = None
        try:
            if self._questions is None:
                return await self.write(slot, documents)
            question = await self._questions.write(slot, documents, self._nonce(slot.doc_ids))
            return await self.answer_turns(slot, documents, question)
        except RefusedQuestionError as error:
            return build_refused(slot, documents, self._model, str(error.reason), error.question)
        except RefusedError as error:
            asked = question.text if question else ""
            return build_refused(slot, documents, self._model, str(error.reason), asked)

    async def write(self, slot: Slot, documents: Sequence[ShownDocument]) -> Example:
        """Return a question and its answer, as the endpoint writes them at once.

        Raises:
            RefusedError: There is no usable reply.
        """
        nonce = self._nonce(slot.doc_ids)

        def convert(reply: ExampleReply) -> Example:
            return build_example(slot, documents, self._model, reply)

        async def attempt(max_tokens: int) -> Example:
            body = fence_documents(documents, nonce)
            if estimate_text_tokens(body) > max_tokens:
                return await LongWriter(self._endpoint, slot, documents, nonce, max_tokens).write(convert)
            with_examples = self._endpoint.params.has_room_for_examples
            place = describe_place(documents, slot)
            messages = example_messages(slot, body, nonce, place, with_examples=with_examples)
            return await self._endpoint.ask_for(messages, reply_schema(slot.task), convert)

        return await fit_context(max_body_tokens(self._endpoint.params), attempt)

    async def answer_turns(self, slot: Slot, documents: Sequence[ShownDocument], question: Question) -> Example:
        """Return the example of a question, after the turns before it, if there are any, were answered.

        The evidence of the earlier answers is its evidence too: a row must show what they rest on.

        Raises:
            RefusedError: There is no usable reply.
        """
        if slot.task.parts_are != "earlier turns":
            return await self.answer(slot, documents, question)
        earlier: tuple[Turn, ...] = ()
        before: list[Evidence] = []
        for text in question.parts:
            example = await self.answer(slot, documents, Question(text, earlier=earlier))
            earlier = (*earlier, Turn("user", text), Turn("assistant", example.answer))
            before += example.evidence
        return add_evidence(slot, await self.answer(slot, documents, Question(question.text, earlier=earlier)), before)

    async def answer(self, slot: Slot, documents: Sequence[ShownDocument], question: Question) -> Example:
        """Return the example of a question, with its answer as the endpoint writes it.

        Raises:
            RefusedError: There is no usable reply.
        """
        nonce = self._nonce(slot.doc_ids)

        def convert(reply: StatedAnswer) -> Example:
            return build_stated(slot, documents, self._model, question, reply)

        async def attempt(max_tokens: int) -> Example:
            body = fence_documents(documents, nonce)
            if estimate_text_tokens(body) > max_tokens:
                return await LongWriter(self._endpoint, slot, documents, nonce, max_tokens).answer(question, convert)
            with_examples = self._endpoint.params.has_room_for_examples
            messages = answer_messages(slot, question, body, nonce, with_examples=with_examples)
            return await self._endpoint.ask_for(messages, stated_schema(slot.task), convert)

        return await fit_context(max_body_tokens(self._endpoint.params), attempt)
