"""Have a model write the questions about documents in batches, and judge each before anybody answers it."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pipeline.endpoint.client import Endpoint
from pipeline.endpoint.endpoint_params import EndpointParams
from pipeline.endpoint.errors import QUESTION, RefusedError
from pipeline.endpoint.request_body import estimate_text_tokens
from pipeline.teachers.answers import Question
from pipeline.teachers.context import OVERHEAD_TOKENS, fit_context
from pipeline.teachers.prompts import ShownDocument, fence_documents
from pipeline.teachers.question_prompts import (
    MAX_ASKED_TOKENS,
    WISH_TOKENS,
    QuestionVerdict,
    WrittenQuestion,
    batch_messages,
    batch_schema,
    show_parts,
    verdict_messages,
    verdicts_schema,
)
from pipeline.teachers.slots import Slot, split_into_batches

Numbered = TypeVar("Numbered", WrittenQuestion, QuestionVerdict)


class RefusedQuestionError(RefusedError):
    """A question that the judge refused; it is in the row of its slot."""

    def __init__(self, detail: str, question: str) -> None:
        """Say why, and which."""
        super().__init__(QUESTION, detail, final=True)
        self.question = question


@dataclass
class DocumentQuestions:
    """The questions about documents that are asked about together, as they are written batch by batch."""

    waiting: deque[tuple[Slot, ...]]
    found: dict[int, Question | RefusedError] = field(default_factory=dict)  # by the number of the slot
    asked: list[str] = field(default_factory=list)  # in their order, refused ones included
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)


class QuestionWriter:
    """Writes questions when the first of a batch is needed.

    A batch is shown the questions of those before it, so the batches of a document are written one after the other. If
    the server fails at one, the later ones are not asked for; otherwise they would be asked for again, with the missing
    questions in their prompts, once the server is well.
    """

    def __init__(self, endpoint: Endpoint, slots: Sequence[Slot], num_per_request: int) -> None:
        """Take all slots of a plan, since batches must not change if only some of them are filled."""
        self._endpoint = endpoint
        self._documents: dict[tuple[str, ...], DocumentQuestions] = {}
        groups: dict[tuple[str, ...], list[Slot]] = {}
        for slot in slots:
            groups.setdefault(slot.doc_ids, []).append(slot)
        num = choose_batch_size(endpoint.params, num_per_request)
        for doc_ids, mine in groups.items():
            self._documents[doc_ids] = DocumentQuestions(deque(split_into_batches(mine, num)))

    async def write(self, slot: Slot, documents: Sequence[ShownDocument], nonce: str) -> Question:
        """Return the question of a slot.

        Raises:
            RefusedError: It was not written, or refused.
        """
        group = self._documents[slot.doc_ids]
        async with group.writing:
            while slot.number not in group.found:
                await self.write_next(group, documents, nonce)
        found = group.found[slot.number]
        if isinstance(found, RefusedError):
            raise found
        return found

    async def write_next(self, group: DocumentQuestions, documents: Sequence[ShownDocument], nonce: str) -> None:
        """Write and judge the next batch of questions about documents."""
        batch = group.waiting.popleft()
        try:
            found = await fit_context(
                max_parts_tokens(self._endpoint.params, len(batch)),
                lambda most: self.write_batch(batch, group.asked, documents, nonce, most),
            )
            group.found |= found
            group.asked += [text for slot in batch if (text := get_text(found[slot.number]))]
        except RefusedError as error:
            failed = [batch] if error.final else [batch, *group.waiting]
            group.found |= {slot.number: error for slots in failed for slot in slots}
            group.waiting = group.waiting if error.final else deque()

    async def write_batch(
        self, slots: Sequence[Slot], asked: Sequence[str], documents: Sequence[ShownDocument], nonce: str, most: int
    ) -> dict[int, Question | RefusedError]:
        """Return the questions of some slots, or why there is none.

        Args:
            slots: Of the documents.
            asked: The questions before them.
            documents: As the model sees them.
            nonce: The word in their fences.
            most: Tokens of the documents that a request can hold.
        """
        body = fence_documents(documents, nonce)
        is_whole = estimate_text_tokens(body) <= most
        body = body if is_whole else show_parts(documents, slots, nonce, most)
        with_examples = self._endpoint.params.has_room_for_examples
        messages = batch_messages(slots, documents, body, nonce, asked, with_examples=with_examples)
        reply = await self._endpoint.ask(messages, batch_schema(len(slots)))
        found = refuse_repeated(pair_questions(slots, reply.questions), asked)
        written = [(slot, found[slot.number]) for slot in slots]
        good = [(slot, question) for slot, question in written if isinstance(question, Question)]
        return found | await self.judge(good, body, nonce, is_whole=is_whole)

    async def judge(
        self, written: Sequence[tuple[Slot, Question]], body: str, nonce: str, *, is_whole: bool
    ) -> dict[int, Question | RefusedError]:
        """Return each question that the judge lets pass, and why it refuses the others."""
        if not written:
            return {}
        slots, questions = [slot for slot, _ in written], [question for _, question in written]
        messages = verdict_messages(slots, questions, body, nonce, is_whole=is_whole)
        reply = await self._endpoint.ask(messages, verdicts_schema(len(written)))
        verdicts = find_lines(reply.verdicts, len(written))
        return {
            slot.number: refuse_question(slot, question, verdicts.get(number)) or question
            for number, (slot, question) in enumerate(written, 1)
        }


def get_text(found: Question | RefusedError) -> str:
    """Return the words of a question, refused or not, '' if it was not written."""
    if isinstance(found, Question):
        return found.text
    return found.question if isinstance(found, RefusedQuestionError) else ""


def find_lines(items: Sequence[Numbered], num_lines: int) -> dict[int, Numbered]:
    """Return what a model wrote for each line of a request, from 1: by its numbers or, if they are none, by its order.

    Of the numbers 0, 1, 2 for three lines the first is line 1; of 1, 3 for three lines, line 2 has nothing.
    """
    numbers = [item.number for item in items]
    if len(set(numbers)) == len(numbers) and all(1 <= number <= num_lines for number in numbers):
        return {item.number: item for item in items}
    return dict(enumerate(items, 1)) if len(items) == num_lines else {item.number: item for item in reversed(items)}


def pair_questions(slots: Sequence[Slot], written: Sequence[WrittenQuestion]) -> dict[int, Question | RefusedError]:
    """Return the question of each slot by the slot's number, or why it has none."""
    by_line = find_lines(written, len(slots))
    found: dict[int, Question | RefusedError] = {}
    for line, slot in enumerate(slots, 1):
        one = by_line.get(line)
        least, most = slot.task.num_parts
        if one is None:
            found[slot.number] = RefusedError(QUESTION, "it was not written", final=True)
        elif slot.task.parts_are != "none" and not least <= len(one.parts) <= most:
            detail = f"it has {len(one.parts)} single questions behind it, not {least} to {most}"
            found[slot.number] = RefusedQuestionError(detail, one.question)
        else:
            parts = one.parts if slot.task.parts_are != "none" else ()
            found[slot.number] = Question(one.question.strip(), tuple(part.strip() for part in parts))
    return found


def refuse_repeated(
    found: dict[int, Question | RefusedError], asked: Sequence[str]
) -> dict[int, Question | RefusedError]:
    """Return questions by their slots, those refused that were asked before in the same words."""
    known = {" ".join(text.casefold().split()) for text in asked}
    kept = {}
    for number, question in found.items():
        words = " ".join(get_text(question).casefold().split())
        is_repeated = isinstance(question, Question) and not question.parts and words in known
        kept[number] = RefusedQuestionError("it was asked before", get_text(question)) if is_repeated else question
        known.add(words)
    return kept


def refuse_question(slot: Slot, question: Question, verdict: QuestionVerdict | None) -> RefusedError | None:
    """Return why a question is refused, None if it is sound."""
    if verdict is None:
        return RefusedQuestionError("it was not judged", question.text)
    faults = {
        "not clear": not verdict.is_clear,
        "not self-contained": not verdict.is_self_contained and slot.task.parts_are != "earlier turns",
        "not answerable": not verdict.is_answerable and not slot.task.expects_no_answer,
        "answered by the document": verdict.is_answerable and slot.task.expects_no_answer,
        "not worth asking": not verdict.is_worth_asking,
    }
    found = [name for name, is_so in faults.items() if is_so]
    said = f" ({verdict.fault.strip()})" if verdict.fault.strip() else ""
    return RefusedQuestionError(f"{', '.join(found)}{said}", question.text) if found else None


def choose_batch_size(params: EndpointParams, num_per_request: int) -> int:
    """Return how many questions a request asks for: fewer where they would take more than half of the prompt."""
    return max(1, min(num_per_request, params.max_prompt_tokens // 2 // WISH_TOKENS))


def max_parts_tokens(params: EndpointParams, num_questions: int) -> int:
    """Return how many tokens of documents a request for so many questions can hold."""
    around = OVERHEAD_TOKENS + MAX_ASKED_TOKENS + num_questions * WISH_TOKENS
    return max(params.max_prompt_tokens // 8, params.max_prompt_tokens - around)
