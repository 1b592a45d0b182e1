"""Let a model with a short context write about a long book: evidence first, then notes, then the answer.

A question is written from one stretch. Every stretch of the documents is then read for what bears on it, notes are put
together until they fit, and the answer is written from them, with the quotes that the notes kept.

Source  'Bootstrap Your Own Context Length' (arXiv 2412.18860), recursive query-focused summaries; LongCite
        (arXiv 2409.02897), coarse to fine
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import Field

from pipeline.passages.passages import Passages
from pipeline.tasks.task import Task
from pipeline.teachers.client import CHARACTERS_PER_TOKEN, Answer, Endpoint, Messages, RefusedError
from pipeline.teachers.prompts import MAX_QUOTE, SYSTEM, Quote, fenced, messages_for

MAX_NOTE = 1_200  # characters
OVERLAP = 400  # characters that two stretches share, so that no sentence is cut in both
OVERHEAD_TOKENS = 800  # of the instructions around a document


class Note(Answer):
    """What a stretch says about a question."""

    is_relevant: bool
    note: str = Field(max_length=MAX_NOTE)
    quotes: list[str] = Field(max_length=4)


class Drafted(Answer):
    """The question alone, before the documents are read for it."""

    question: str = Field(min_length=8, max_length=600)


class Written(Answer):
    """The answer that notes give."""

    answer: str = Field(min_length=1, max_length=3_000)
    evidence: list[Quote] = Field(min_length=1, max_length=24)


@dataclass(frozen=True)
class Stretch:
    """A part of a document."""

    number: int  # of the document, from 1
    passages: Passages
    start: int
    end: int


def room_for(endpoint: Endpoint) -> int:
    """Return how many characters of documents a request can hold."""
    tokens = endpoint.params.max_context_tokens - endpoint.params.max_reply_tokens - OVERHEAD_TOKENS
    return max(1_000, int(tokens * CHARACTERS_PER_TOKEN))


def stretches(documents: Sequence[Passages], room: int) -> Iterator[Stretch]:
    """Yield parts of the documents that a request can hold, each beginning at a line where it can."""
    for number, passages in enumerate(documents, 1):
        text, start = passages.document.text, 0
        while start < len(text):
            end = min(len(text), start + room)
            if end < len(text):
                line = text.rfind("\n", start + room // 2, end)
                end = line + 1 if line > 0 else end
            yield Stretch(number, passages, start, end)
            if end == len(text):
                break
            start = max(end - OVERLAP, start + 1)


async def write_from_notes(
    endpoint: Endpoint, task: Task, documents: Sequence[Passages], nonce: str, place: int
) -> tuple[str, Written]:
    """Return a question about the documents and the answer to it, for a model that cannot hold them at once.

    Args:
        endpoint: Who writes.
        task: What is asked for.
        documents: The documents.
        nonce: Of the fences.
        place: The number of the stretch that the question is about.

    Raises:
        RefusedError: One of the steps came to nothing.
    """
    parts = list(stretches(documents, room_for(endpoint)))
    asked = parts[place % len(parts)]
    drafted = await endpoint.ask(draft_messages(task, asked, nonce), Drafted)
    notes = await asyncio.gather(
        *(endpoint.ask(note_messages(part, drafted.question, nonce), Note) for part in parts), return_exceptions=True
    )
    kept = [
        f"[document {part.number}] {note.note}\n" + "\n".join(f"Quote: {quote[:MAX_QUOTE]}" for quote in note.quotes)
        for part, note in zip(parts, notes, strict=True)
        if isinstance(note, Note) and note.is_relevant
    ]
    faults = [note for note in notes if isinstance(note, BaseException)]
    for fault in faults:
        if not isinstance(fault, RefusedError):
            raise fault
    if not kept:
        raise faults[0] if faults else RefusedError("reply: no stretch says anything about its question")
    body = await put_together(endpoint, kept, drafted.question, nonce)
    return drafted.question, await endpoint.ask(answer_messages(task, body, drafted.question, nonce), Written)


def draft_messages(task: Task, part: Stretch, nonce: str) -> Messages:
    """Return the request for a question about a stretch."""
    body = fenced([part.passages], nonce, [(part.start, part.end)])
    return messages_for(task, body, nonce, "in this part of it; give the question alone")


def note_messages(part: Stretch, question: str, nonce: str) -> Messages:
    """Return the request for what a stretch says about a question."""
    body = fenced([part.passages], nonce, [(part.start, part.end)])
    wish = (
        f"{body}\n\nThis is a part of a longer document. Question: {question}\nSay whether this part helps to answer"
        " it; if it does, note in a few sentences what it says, and quote up to four passages word for word."
    )
    return [{"role": "system", "content": SYSTEM.format(nonce=nonce)}, {"role": "user", "content": wish}]


async def put_together(endpoint: Endpoint, notes: list[str], question: str, nonce: str) -> str:
    """Return notes that a request can hold, shortened by the model as often as it takes."""
    room = room_for(endpoint)
    while len("\n\n".join(notes)) > room and len(notes) > 1:
        groups: list[list[str]] = [[]]
        for note in notes:
            if groups[-1] and len("\n\n".join([*groups[-1], note])) > room // 2:
                groups.append([])
            groups[-1].append(note)
        if len(groups) == len(notes):
            return "\n\n".join(notes)[:room]
        shorter = [await endpoint.ask(merge_messages(group, question, nonce), Note) for group in groups]
        notes = ["\n".join([note.note, *(f"Quote: {quote}" for quote in note.quotes)]) for note in shorter]
    return "\n\n".join(notes)


def merge_messages(notes: Sequence[str], question: str, nonce: str) -> Messages:
    """Return the request for one note out of several."""
    listed = "\n\n".join(notes)
    wish = (
        f"<document 1 {nonce}>\n{listed}\n</document 1 {nonce}>\n\nThese are notes on a long document. Question:"
        f" {question}\nPut them together into one note, and keep the up to four quotes that matter most, word for word."
    )
    return [{"role": "system", "content": SYSTEM.format(nonce=nonce)}, {"role": "user", "content": wish}]


def answer_messages(task: Task, notes: str, question: str, nonce: str) -> Messages:
    """Return the request for the answer."""
    least, most = task.num_quotes
    wish = (
        f"<document 1 {nonce}>\n{notes}\n</document 1 {nonce}>\n\nThese are notes on one or several documents, with"
        f" quotes from them. Question: {question}\nAnswer it from the notes alone, and give {least} to {most} of the"
        " quotes, word for word, each with the number of its document."
    )
    return [{"role": "system", "content": SYSTEM.format(nonce=nonce)}, {"role": "user", "content": wish}]
