"""Let a model with a short context write about documents that it cannot hold: map over chunks, then reduce the notes.

A question is written from one chunk. Then every chunk is read for what it says about the question, the notes are merged
until they fit, and the answer is written from them with the quotes that they kept.

Source  'Bootstrap Your Own Context Length' (arXiv 2412.18860), recursive query-focused summaries; LongCite
        (arXiv 2409.02897), coarse to fine
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import Field

from pipeline.passages.passages import Passages
from pipeline.tasks.task import Task
from pipeline.teachers.client import CHARACTERS_PER_TOKEN, Endpoint, Messages, StructuredReply
from pipeline.teachers.errors import RefusedError
from pipeline.teachers.prompts import MAX_QUOTE, SYSTEM, Quote, example_messages, fence_documents

MAX_NOTE_CHARACTERS = 1_200  # characters
OVERLAP = 400  # characters that neighbouring chunks share; a sentence that one cuts is whole in the other
OVERHEAD_TOKENS = 800  # of the instructions around a document


class Note(StructuredReply):
    """What a chunk says about a question."""

    is_relevant: bool
    note: str = Field(max_length=MAX_NOTE_CHARACTERS)
    quotes: list[str] = Field(max_length=4)


class DraftQuestion(StructuredReply):
    """A question without its answer."""

    question: str = Field(min_length=8, max_length=600)


class AnswerFromNotes(StructuredReply):
    """The answer that the notes give."""

    answer: str = Field(min_length=1, max_length=3_000)
    evidence: list[Quote] = Field(min_length=1, max_length=24)


@dataclass(frozen=True)
class Chunk:
    """A range of a document that a request can hold."""

    document: int  # its number, from 1
    passages: Passages
    start: int
    end: int


def max_body_characters(endpoint: Endpoint) -> int:
    """Return how many characters of documents a request can hold."""
    tokens = endpoint.params.max_context_tokens - endpoint.params.max_reply_tokens - OVERHEAD_TOKENS
    return max(1_000, int(tokens * CHARACTERS_PER_TOKEN))


def split_into_chunks(documents: Sequence[Passages], max_characters: int) -> Iterator[Chunk]:
    """Yield the chunks of documents in order; a chunk ends at a line end if one is in its second half."""
    for number, passages in enumerate(documents, 1):
        text, start = passages.document.text, 0
        while start < len(text):
            end = min(len(text), start + max_characters)
            if end < len(text):
                line = text.rfind("\n", start + max_characters // 2, end)
                end = line + 1 if line > 0 else end
            yield Chunk(number, passages, start, end)
            if end == len(text):
                break
            start = max(end - OVERLAP, start + 1)


async def write_from_notes(
    endpoint: Endpoint, task: Task, documents: Sequence[Passages], nonce: str, number: int
) -> tuple[str, AnswerFromNotes]:
    """Return a question about the documents and the answer to it, for a model that cannot hold them at once.

    Args:
        endpoint: Who writes.
        task: What is asked for.
        documents: What the question is about.
        nonce: The word in the fences.
        number: Of the chunk that the question is written from.

    Raises:
        RefusedError: One of the steps failed.
    """
    chunks = list(split_into_chunks(documents, max_body_characters(endpoint)))
    draft = await endpoint.ask(draft_messages(task, chunks[number % len(chunks)], nonce), DraftQuestion)
    notes = await asyncio.gather(
        *(endpoint.ask(note_messages(chunk, draft.question, nonce), Note) for chunk in chunks), return_exceptions=True
    )
    kept = [
        f"[document {chunk.document}] {note.note}\n" + "\n".join(f"Quote: {quote[:MAX_QUOTE]}" for quote in note.quotes)
        for chunk, note in zip(chunks, notes, strict=True)
        if isinstance(note, Note) and note.is_relevant
    ]
    faults = [note for note in notes if isinstance(note, BaseException)]
    for fault in faults:
        if not isinstance(fault, RefusedError):
            raise fault
    if not kept:
        raise faults[0] if faults else RefusedError("reply", "no chunk says anything about its question")
    body = await merge_notes(endpoint, kept, draft.question, nonce)
    return draft.question, await endpoint.ask(answer_messages(task, body, draft.question, nonce), AnswerFromNotes)


def draft_messages(task: Task, chunk: Chunk, nonce: str) -> Messages:
    """Return the request for a question about a chunk."""
    body = fence_documents([chunk.passages], nonce, [(chunk.start, chunk.end)])
    return example_messages(task, body, nonce, "in this part of it; give the question alone")


def note_messages(chunk: Chunk, question: str, nonce: str) -> Messages:
    """Return the request for what a chunk says about a question."""
    body = fence_documents([chunk.passages], nonce, [(chunk.start, chunk.end)])
    wish = (
        f"{body}\n\nThis is a part of a longer document. Question: {question}\nSay whether this part helps to answer"
        " it; if it does, note in a few sentences what it says, and quote up to four passages word for word."
    )
    return [{"role": "system", "content": SYSTEM.format(nonce=nonce)}, {"role": "user", "content": wish}]


async def merge_notes(endpoint: Endpoint, notes: list[str], question: str, nonce: str) -> str:
    """Return the notes as one text that a request can hold; the model merges them until they fit."""
    most = max_body_characters(endpoint)
    while len("\n\n".join(notes)) > most and len(notes) > 1:
        groups: list[list[str]] = [[]]
        for note in notes:
            if groups[-1] and len("\n\n".join([*groups[-1], note])) > most // 2:
                groups.append([])
            groups[-1].append(note)
        if len(groups) == len(notes):
            return "\n\n".join(notes)[:most]
        shorter = [await endpoint.ask(merge_messages(group, question, nonce), Note) for group in groups]
        notes = ["\n".join([note.note, *(f"Quote: {quote}" for quote in note.quotes)]) for note in shorter]
    return "\n\n".join(notes)


def merge_messages(notes: Sequence[str], question: str, nonce: str) -> Messages:
    """Return the request for merging several notes into one."""
    listed = "\n\n".join(notes)
    wish = (
        f"<document 1 {nonce}>\n{listed}\n</document 1 {nonce}>\n\nThese are notes on a long document. Question:"
        f" {question}\nPut them together into one note, and keep the up to four quotes that matter most, word for word."
    )
    return [{"role": "system", "content": SYSTEM.format(nonce=nonce)}, {"role": "user", "content": wish}]


def answer_messages(task: Task, notes: str, question: str, nonce: str) -> Messages:
    """Return the request for the answer to a question from notes."""
    least, most = task.num_quotes
    wish = (
        f"<document 1 {nonce}>\n{notes}\n</document 1 {nonce}>\n\nThese are notes on one or several documents, with"
        f" quotes from them. Question: {question}\nAnswer it from the notes alone, and give {least} to {most} of the"
        " quotes, word for word, each with the number of its document."
    )
    return [{"role": "system", "content": SYSTEM.format(nonce=nonce)}, {"role": "user", "content": wish}]
