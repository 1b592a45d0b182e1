"""Read documents that a request cannot hold: map a question over their chunks, then reduce the notes on them.

Every chunk is read for what it says about the question, and the notes are merged until they fit into one request. No
example rests on a chunk that could not be read.

Source  'Bootstrap Your Own Context Length' (arXiv 2412.18860), recursive query-focused summaries; LongCite
        (arXiv 2409.02897), coarse to fine
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.endpoint.budget import BudgetError
from pipeline.endpoint.client import Endpoint
from pipeline.endpoint.errors import CHUNK, TOO_LONG, RefusedError, StoppedError
from pipeline.endpoint.request_body import estimate_text_tokens
from pipeline.teachers.notes import (
    MAX_NOTE_QUOTES,
    Chunk,
    Note,
    PlacedNote,
    fence_notes,
    merge_messages,
    note_messages,
    place_note,
    split_into_chunks,
)
from pipeline.teachers.prompts import ShownDocument
from pipeline.teachers.slots import Slot

MAX_CHUNKS_IN_FLIGHT = 8  # of one document, so that the prompts that wait take little memory
NUM_SEARCHED = 8  # passages that the judge of 'does not say' is shown
SAYS_NOTHING = "the document does not say"
TO = ", to "  # between the places that a merged note is from


@dataclass(frozen=True)
class LongReader:
    """Reads documents that a request cannot hold for the answer to a question."""

    endpoint: Endpoint
    slot: Slot  # what the question is asked for
    documents: Sequence[ShownDocument]
    nonce: str
    max_tokens: int  # of documents in a request

    async def collect_notes(self, question: str) -> list[PlacedNote]:
        """Return the notes on the chunks that say something about a question, as many as one request can hold.

        Raises:
            RefusedError: A chunk could not be read, or none says anything.
        """
        chunks = [chunk for document in self.documents for chunk in split_into_chunks(document, self.max_tokens)]
        notes = zip(chunks, await self.read_chunks(chunks, question), strict=True)
        kept = [place_note(chunk, note) for chunk, note in notes if note.is_relevant and note.note]
        if not kept:
            raise RefusedError("no chunk answers the question", question[:80])
        return await self.merge(kept, question)

    async def read_chunks(self, chunks: Sequence[Chunk], question: str) -> list[Note]:
        """Return the note on each chunk; one that fails is asked for once more after the others.

        Raises:
            RefusedError: A chunk could not be read.
        """
        places = asyncio.Semaphore(MAX_CHUNKS_IN_FLIGHT)

        async def read(chunk: Chunk) -> Note | RefusedError:
            async with places:
                return await self.read_chunk(chunk, question)

        notes = await asyncio.gather(*map(read, chunks))
        read_again = []
        for chunk, note in zip(chunks, notes, strict=True):
            second = await read(chunk) if isinstance(note, RefusedError) else note
            if isinstance(second, RefusedError):
                raise RefusedError(CHUNK, f"{chunk.place} of document {chunk.document.number}: {second.reason}")
            read_again.append(second)
        return read_again

    async def read_chunk(self, chunk: Chunk, question: str) -> Note | RefusedError:
        """Return the note on a chunk, or why it could not be read.

        Raises:
            RefusedError: No other chunk could be read either.
        """
        try:
            messages = note_messages(self.slot.task, chunk, question, self.nonce, self.documents, MAX_NOTE_QUOTES)
            return await self.endpoint.ask(messages, Note)
        except (StoppedError, BudgetError):
            raise
        except RefusedError as error:
            if error.reason.kind == TOO_LONG:
                raise
            return error

    async def merge(self, notes: list[PlacedNote], question: str) -> list[PlacedNote]:
        """Return notes that one request can hold; the model merges those on the same document until they fit.

        Raises:
            RefusedError: They do not fit, however short they are made.
        """
        most = self.max_tokens
        while self.count_tokens(notes) > most:
            groups = group_notes(notes, most // 2)
            if len(groups) == len(notes):
                break
            notes = list(await asyncio.gather(*(self.merge_group(group, question) for group in groups)))
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
        note = await self.endpoint.ask(merge_messages(self.slot.task, document, group, question, self.nonce), Note)
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
