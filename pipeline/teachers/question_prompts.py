"""What a model is told to write questions before anybody answers them, and to judge them.

Source  LongCite (arXiv 2409.02897): a batch of questions a document; LongMIT (arXiv 2409.01893): multi-hop questions
        are merged from single ones, and a quality agent refuses the bad ones
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Annotated

from pydantic import Field, create_model

from pipeline.endpoint.request_body import BYTES_PER_TOKEN, Messages, estimate_text_tokens
from pipeline.endpoint.structured import StructuredReply
from pipeline.passages.spans import trim_span
from pipeline.teachers.answers import Question
from pipeline.teachers.notes import find_chunk_end
from pipeline.teachers.prompts import ShownDocument, describe_place, make_messages
from pipeline.teachers.slots import Slot

MAX_PARTS, MAX_PART, MAX_QUESTION, MAX_FAULT = 3, 200, 600, 200  # characters, but for the number of parts
MAX_QUESTION_TOKENS = MAX_QUESTION + MAX_PARTS * MAX_PART  # with its parts
WISH_TOKENS = 900  # of a question in a request: its task, place, profile and examples
MAX_ASKED_TOKENS = 1_500  # of the questions that were asked already
PLACE_TOKENS = 20  # of the words around a passage
OUTLINE_SHARE = 0.25  # of a document's place in a request that does not hold it
BATCH = (
    "Write questions about the document, one for each of these {num} lines, and number them as the lines are. The"
    " answers follow later, from the whole document: write the questions alone, whatever a line says about the answer."
    "\n{lines}\nEach question is clear, asks for one thing, and names what it is about, so that it is understood"
    " without these lines, or in a conversation after the turns before it. None of them quotes a sentence, speaks of"
    " 'the text' or 'the document', or has its answer in it."
)


class WrittenQuestion(StructuredReply):
    """A question, and the single ones behind it."""

    number: int = Field(ge=0, description="that of the line above")
    parts: list[Annotated[str, Field(max_length=MAX_PART)]] = Field(
        max_length=MAX_PARTS, description="single questions, where its line asks for them"
    )
    question: str = Field(min_length=8, max_length=MAX_QUESTION)


class QuestionBatch(StructuredReply):
    """Questions about a document."""

    questions: list[WrittenQuestion]


class QuestionVerdict(StructuredReply):
    """What a question is worth, before anybody answers it."""

    number: int = Field(ge=0, description="that of the question")
    is_clear: bool = Field(description="it has one meaning, and asks for one thing")
    is_self_contained: bool = Field(description="who knows the document understands it without anything beside it")
    is_answerable: bool = Field(description="the document answers it")
    is_worth_asking: bool = Field(description="a reader might really ask it, and the answer is not in the question")
    fault: str = Field(max_length=MAX_FAULT, description="what is wrong, in a few words; empty if nothing is")


class QuestionVerdicts(StructuredReply):
    """The verdicts on some questions."""

    verdicts: list[QuestionVerdict]


@cache
def batch_schema(num: int) -> type[QuestionBatch]:
    """Return the schema of a batch of questions."""
    return create_model(
        "QuestionBatch",
        __base__=QuestionBatch,
        questions=(list[WrittenQuestion], Field(min_length=1, max_length=num)),
    )


@cache
def verdicts_schema(num: int) -> type[QuestionVerdicts]:
    """Return the schema of the verdicts on a batch."""
    return create_model(
        "QuestionVerdicts",
        __base__=QuestionVerdicts,
        verdicts=(list[QuestionVerdict], Field(min_length=1, max_length=num)),
    )


def batch_messages(
    slots: Sequence[Slot],
    documents: Sequence[ShownDocument],
    body: str,
    nonce: str,
    asked: Sequence[str],
    *,
    with_examples: bool,
) -> Messages:
    """Return the request for a question for each slot.

    Args:
        slots: Of the same documents.
        documents: They.
        body: They between their fences, or what is shown of them.
        nonce: The word in the fences.
        asked: The questions that were asked about them already, in their order.
        with_examples: Whether questions of worked examples are shown.
    """
    wishes = [describe_wish(slot, documents, with_examples=with_examples) for slot in slots]
    lines = "\n".join(f"{number}. {wish}" for number, wish in enumerate(wishes, 1))
    known = list_asked(asked)
    wish = BATCH.format(num=len(slots), lines=lines) + (
        f"\nAsked already, ask nothing like it:\n{known}" if known else ""
    )
    return make_messages(nonce, body, wish)


def describe_wish(slot: Slot, documents: Sequence[ShownDocument], *, with_examples: bool) -> str:
    """Return what one question should be, in a line."""
    least, most = slot.num_quotes
    num = f"{least} to {most}" if least < most else f"{least}"
    places = f"Its answer takes words from {num} places that lie apart." if slot.needs_places else ""
    good = " ".join(f"“{example.question}”" for example in slot.task.worked_examples) if with_examples else ""
    about = f"Good ones, about other documents: {good}" if good else ""
    parts = (describe_place(documents, slot), places, describe_parts(slot), str(slot.profile), about)
    return " ".join(filter(None, (slot.task.prompt, *parts)))


def describe_parts(slot: Slot) -> str:
    """Return what the single questions behind a question are, in a sentence; '' if there are none."""
    least, most = slot.task.num_parts
    if slot.task.parts_are == "merged":
        return f"List the {least} to {most} single questions, each about another place, as its parts; then merge them."
    if slot.task.parts_are == "earlier turns":
        return f"List the {least} to {most} questions before the last one as its parts; the question is the last one."
    return ""


def list_asked(asked: Sequence[str]) -> str:
    """Return the last questions that were asked, as many as a request has room for, a line each."""
    lines: list[str] = []
    left = MAX_ASKED_TOKENS
    for question in reversed(asked):
        left -= estimate_text_tokens(question) + 2
        if left < 0:
            break
        lines.insert(0, f"- {question}")
    return "\n".join(lines)


def verdict_messages(
    slots: Sequence[Slot], questions: Sequence[Question], body: str, nonce: str, *, is_whole: bool
) -> Messages:
    """Return the request for verdicts on questions that somebody wrote about documents.

    Args:
        slots: What each was written for.
        questions: In the order of the slots.
        body: The documents between their fences, or what is shown of them.
        nonce: The word in the fences.
        is_whole: Whether the body has the whole documents.
    """
    lines = [
        f"{number}. {question.text}{describe_context(slot, question)}"
        for number, (slot, question) in enumerate(zip(slots, questions, strict=True), 1)
    ]
    partly = "" if is_whole else " Only parts are shown: take a question for answerable unless they speak against it."
    return make_messages(
        nonce,
        body,
        "Somebody wrote these questions about the document:\n" + "\n".join(lines) + "\nJudge each of them strictly, not"
        " its rule, before anybody answers it: one wrong answer costs more than ten questions that are refused."
        f"{partly}",
    )


def describe_context(slot: Slot, question: Question) -> str:
    """Return what a judge must know of a question beside its words, in parentheses."""
    parts = f"Its parts: {' '.join(question.parts)}" if question.parts else ""
    known = " ".join(filter(None, (f"Its rule: {slot.task.prompt}", slot.task.note_for_judge, parts)))
    return f" ({known})"


def show_parts(documents: Sequence[ShownDocument], slots: Sequence[Slot], nonce: str, max_tokens: int) -> str:
    """Return documents that a request cannot hold as their outlines and a passage for each slot, between fences."""
    most = max_tokens // len(documents)
    return "\n\n".join(
        shown.fence(nonce, "\n\n".join(outline_and_passages(shown, slots, most)), "its outline and some passages")
        for shown in documents
    )


def outline_and_passages(shown: ShownDocument, slots: Sequence[Slot], max_tokens: int) -> Iterator[str]:
    """Yield the headings of a document with their places, and a passage at the place of each slot."""
    headings = list(list_headings(shown))
    while len(headings) > 1 and estimate_text_tokens("\n".join(headings)) > max_tokens * OUTLINE_SHARE:
        headings = headings[::2]
    outline = "\n".join(["Outline:", *headings])
    yield outline
    positions = sorted({slot.find_position(len(shown.text)) for slot in slots})
    most = (max_tokens - estimate_text_tokens(outline)) // len(positions) - PLACE_TOKENS
    for position in positions:
        start = max(0, position - int(most * BYTES_PER_TOKEN / 2))
        span = trim_span(shown.text, start, find_chunk_end(shown.text, start, max(1, most)))
        percent = round(100 * span.start / max(1, len(shown.text)))
        yield f"[{percent} percent of the way] … {span.text} …"


def list_headings(shown: ShownDocument) -> Iterator[str]:
    """Yield the headings of a document as a model sees them, each with its place."""
    for section in shown.passages.document.sections:
        line = shown.passages.heading_line(section)
        yield f"[{round(100 * line.start / max(1, len(shown.text)))} percent] {shown.text[line.start : line.end]}"
