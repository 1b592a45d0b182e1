"""What a model that cannot hold a document is told: a part of it at a time, and then the notes on all parts.

Each request has the task, and the number, the title and the place of each part; so the answer knows which document says
what, and where.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from pydantic import Field, create_model

from pipeline.endpoint.request_body import Messages, estimate_text_tokens
from pipeline.endpoint.structured import StructuredReply
from pipeline.passages.quote_alignment import locate
from pipeline.tasks.task import Task
from pipeline.teachers.prompts import MANNERS, MAX_QUOTE, Quote, ShownDocument, describe_quotes, make_messages
from pipeline.teachers.slots import Slot

MAX_NOTE_CHARACTERS, MAX_NOTE_QUOTES = 1_200, 4
OVERLAP = 400  # characters that neighbouring chunks share; a sentence that one cuts is whole in the other
CHUNK_SLACK = 0.98


class Note(StructuredReply):
    """What a chunk says about a question."""

    is_relevant: bool
    note: str = Field(max_length=MAX_NOTE_CHARACTERS)
    quotes: list[str] = Field(max_length=MAX_NOTE_QUOTES)


class DraftQuestion(StructuredReply):
    """A question without its answer."""

    question: str = Field(min_length=8, max_length=600)

    def list_sentences(self) -> dict[str, str]:
        """Return the texts that must end as sentences do."""
        return {"question": self.question}


class AnswerFromNotes(StructuredReply):
    """The answer that the notes give."""

    answer: str
    evidence: list[Quote]

    def list_sentences(self) -> dict[str, str]:
        """Return the texts that must end as sentences do."""
        return {"answer": self.answer}


@cache
def answer_schema(task: Task) -> type[AnswerFromNotes]:
    """Return the schema of answers from notes, with the task's limits in it."""
    least, most = task.num_quotes
    return create_model(
        "AnswerFromNotes",
        __base__=AnswerFromNotes,
        answer=(str, Field(min_length=1, max_length=task.max_answer_characters)),
        evidence=(list[Quote], Field(min_length=least, max_length=most)),
    )


@dataclass(frozen=True)
class Chunk:
    """A range of a document that a request can hold."""

    document: ShownDocument
    start: int
    end: int
    part: int  # its number among the chunks of its document, from 1
    num_parts: int

    @property
    def place(self) -> str:
        """Where it is, in words."""
        length = max(1, len(self.document.text))
        return (
            f"part {self.part} of {self.num_parts}, {100 * self.start // length} to {100 * self.end // length} percent"
        )

    def fence(self, nonce: str) -> str:
        """Return it between fences."""
        return self.document.fence(nonce, self.document.text[self.start : self.end], self.place)


def split_into_chunks(document: ShownDocument, max_tokens: int) -> list[Chunk]:
    """Return the chunks of a document in order; a chunk ends at a line end if one is in its second half."""
    text, start, ranges = document.text, 0, list[tuple[int, int]]()
    while start < len(text):
        end = find_chunk_end(text, start, max_tokens)
        if end < len(text):
            line = text.rfind("\n", start + (end - start) // 2, end)
            end = line + 1 if line > 0 else end
        ranges.append((start, end))
        if end == len(text):
            break
        start = max(end - min(OVERLAP, (end - start) // 4), start + 1)
    return [Chunk(document, start, end, part, len(ranges)) for part, (start, end) in enumerate(ranges, 1)]


def find_chunk_end(text: str, start: int, max_tokens: int) -> int:
    """Return where a chunk ends that has at most `max_tokens` tokens, as they are estimated."""
    end = min(len(text), start + 3 * max_tokens)
    while end - start > 1 and (num_tokens := estimate_text_tokens(text[start:end])) > max_tokens:
        end = start + max(1, int((end - start) * max_tokens / num_tokens * CHUNK_SLACK))
    return end


@dataclass(frozen=True)
class PlacedNote:
    """A note and where in its document it is from; the quotes are words of the document."""

    document: int
    place: str
    text: str
    quotes: tuple[str, ...]

    def __str__(self) -> str:
        """Return it as the model reads it."""
        return "\n".join([f"[{self.place}] {self.text}", *(f"Quote: {quote}" for quote in self.quotes)])


def place_note(chunk: Chunk, note: Note) -> PlacedNote:
    """Return a note on a chunk, without the quotes that the chunk does not have."""
    text = chunk.document.text[chunk.start : chunk.end]
    spans = [locate(text, quote[:MAX_QUOTE]) for quote in note.quotes]
    return PlacedNote(chunk.document.number, chunk.place, note.note, tuple(span.text for span in spans if span))


def list_about(documents: Sequence[ShownDocument]) -> str:
    """Return the numbers and titles of documents, in a line."""
    return "; ".join(f"document {document.number} is “{document.about}”" for document in documents)


def draft_messages(slot: Slot, chunks: Sequence[Chunk], nonce: str, documents: Sequence[ShownDocument]) -> Messages:
    """Return the request for a question about documents of which some chunks are shown."""
    return make_messages(
        nonce,
        "\n\n".join(chunk.fence(nonce) for chunk in chunks),
        f"These are parts of longer documents: {list_about(documents)}. The whole task will be: {slot.task.prompt} For"
        f" now write the question alone, about what these parts say. {slot.profile} The answer and its quotes follow"
        " later, from the whole documents. Do not speak of 'the text', 'this part' or 'the provided document'.",
    )


def note_messages(
    task: Task, chunk: Chunk, question: str, nonce: str, documents: Sequence[ShownDocument], num_quotes: int
) -> Messages:
    """Return the request for what a chunk says about a question."""
    asked_for = "answers the question" if task.expects_no_answer else "says anything that the answer needs"
    return make_messages(
        nonce,
        chunk.fence(nonce),
        f"This is {chunk.place} of document {chunk.document.number}; {list_about(documents)}."
        f" The task is: {task.prompt}\nQuestion: {question}\n"
        f"Say whether this part {asked_for} (is_relevant); if it does, note in a few sentences what it says, with its"
        f" figures and names, and quote up to {num_quotes} passages word for word. If it does not, leave note and"
        " quotes empty.",
    )


def merge_messages(
    task: Task, document: ShownDocument, notes: Sequence[PlacedNote], question: str, nonce: str
) -> Messages:
    """Return the request for merging several notes on a document into one."""
    return make_messages(
        nonce,
        document.fence(nonce, "\n\n".join(map(str, notes)), "notes on its parts"),
        f"These are notes on parts of document {document.number}, “{document.about}”. The task is: {task.prompt}\n"
        f"Question: {question}\nPut them together into one note that keeps what the answer needs and where it is, and"
        f" keep up to {MAX_NOTE_QUOTES} quotes that matter most, word for word.",
    )


def notes_messages(
    slot: Slot, documents: Sequence[ShownDocument], notes: Sequence[PlacedNote], question: str, nonce: str, steps: str
) -> Messages:
    """Return the request for the answer to a question from notes.

    Args:
        slot: What the question was written for.
        documents: That the notes are on.
        notes: As many as a request can hold.
        question: With the turns before it, if there are any.
        nonce: The word in the fences.
        steps: How the answer is written, where it has statements; '' for an answer in one piece.
    """
    return make_messages(
        nonce,
        "\n\n".join(fence_notes(documents, notes, nonce)),
        f"These are notes on {list_about(documents)}, with quotes from them. The task is: {slot.task.prompt}\n"
        f"Question: {question}\nAnswer it from the notes alone. {steps or describe_quotes(slot)} Take the quotes from"
        f" the notes, word for word, each with the number of its document. Do not mention notes or parts. {MANNERS}",
    )


def fence_notes(documents: Sequence[ShownDocument], notes: Sequence[PlacedNote], nonce: str) -> Iterator[str]:
    """Yield the notes on each document between the fences of the document."""
    for document in documents:
        mine = [str(note) for note in notes if note.document == document.number]
        if mine:
            yield document.fence(nonce, "\n\n".join(mine), "notes on its parts")


def judge_messages(
    task: Task, document: ShownDocument, passages: Sequence[str], question: str, answer: str, nonce: str
) -> Messages:
    """Return the request for whether the passages that come closest to a question answer it."""
    return make_messages(
        nonce,
        document.fence(nonce, "\n\n".join(passages), "the passages that come closest to the question"),
        f"These passages are from document {document.number}, “{document.about}”. The task was: {task.prompt}\n"
        f"Question: {question}\nThe answer that was given: {answer}\nSay whether these passages answer the question"
        " after all (is_relevant); if they do, note the answer and quote it.",
    )
