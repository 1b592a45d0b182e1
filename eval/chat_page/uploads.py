"""Read the files that a user uploads, in the sandbox of `extract`, and say in plain words why one cannot be read."""

import queue
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from eval.chat_page.links import PlaceIndex
from pipeline.errors import InputError
from pipeline.extract import ExtractParams, sandbox_for
from pipeline.files import hash_file
from pipeline.readers.common.sections import find_sections
from pipeline.readers.formats.format import suffix_media_types
from pipeline.readers.sandbox import Outcome, Sandbox
from pipeline.records import Category, Document
from pipeline.tokenization.token_grid import Grid, make_grid

PDF = "application/pdf"
TITLE_CHARACTERS = 200
HEAD_CHARACTERS = 6_000  # of a text that tell a paper from a report
REFERENCES = re.compile(r"^#+ *(?:\d+\.? *)?(?:References|Bibliography)\b", re.IGNORECASE | re.MULTILINE)
EXPLANATIONS = {
    "encrypted": "It is encrypted. Remove the password with a PDF reader, then add it again.",
    "broken": "It is broken: no reader can open it. Download or export it again.",
    "empty": "It has no text. If its pages are scanned, run OCR on it first.",
    "encoding": "Its letters cannot be read: its fonts or its encoding do not say what they mean.",
    "unsupported": "This kind of file is not read. Add a PDF, EPUB, HTML, TeX or text file.",
    "timeout": "It took too long to read.",
    "memory": "It took too much memory to read.",
    "too large": "It has too much text.",
    "hostile": "It is built to harm its reader, and is not read.",
}
UNEXPLAINED = "It could not be read."


class RefusedUploadError(Exception):
    """A file that is not taken: the message is for the user."""


@dataclass(frozen=True)
class ChatDocument:
    """A file that was read: its record, the tokens of its text, and the file itself where its pages can be drawn."""

    key: str  # within the session
    name: str
    record: Document
    grid: Grid
    file: Path | None  # of a PDF
    num_bytes: int  # on disk and in memory, about

    @cached_property
    def places(self) -> PlaceIndex:
        """What the sentences of answers are linked to; made on first use, in about a second for a long book."""
        return PlaceIndex(self.record.text)

    @property
    def can_draw(self) -> bool:
        """Whether its pages can be drawn."""
        return self.file is not None


class UploadReader:
    """Reads files in a fixed number of sandboxes; each call waits for one that is free."""

    def __init__(self, params: ExtractParams, num_readers: int) -> None:
        """Prepare the sandboxes; their processes start with the first files."""
        self.free: queue.Queue[Sandbox] = queue.Queue()
        for _ in range(num_readers):
            self.free.put(sandbox_for(params))

    @contextmanager
    def borrow(self) -> Iterator[Sandbox]:
        """Yield a sandbox that nobody else uses."""
        sandbox = self.free.get()
        try:
            yield sandbox
        finally:
            self.free.put(sandbox)

    def read(self, key: str, name: str, path: Path, count_tokens: Callable[[str], int]) -> ChatDocument:
        """Read a file.

        Raises:
            RefusedUploadError: It cannot be read; the message says why and what to do.
        """
        with self.borrow() as sandbox:
            outcome = sandbox.read(path)
        if outcome.reading is None:
            raise RefusedUploadError(explain(outcome))
        record = make_record(name, path, outcome)
        grid = make_grid(record.text, lambda pieces: [count_tokens(piece) for piece in pieces])
        is_pdf = outcome.media_type == PDF
        num_bytes = path.stat().st_size * is_pdf + 4 * len(record.text)  # four bytes a character: text and its index
        whole = replace(record, num_tokens=int(grid.tokens[-1]))
        return ChatDocument(key, name, whole, grid, path if is_pdf else None, num_bytes)

    def stop(self) -> None:
        """End the processes of the sandboxes that are free."""
        while not self.free.empty():
            self.free.get().stop()


def explain(outcome: Outcome) -> str:
    """Return in plain words why a file could not be read."""
    known = EXPLANATIONS.get(outcome.kind)
    return known or f"{UNEXPLAINED} ({outcome.kind}: {outcome.reason})"


def make_record(name: str, path: Path, outcome: Outcome) -> Document:
    """Return the record of a file that was read."""
    reading = outcome.reading
    assert reading is not None
    return Document(
        doc_id=hash_file(path),
        category=guess_category(outcome.media_type, reading.text, has_facts=bool(reading.facts)),
        source=name,
        title=(reading.title or Path(name).stem)[:TITLE_CHARACTERS],
        authors=reading.authors,
        date=reading.date,
        language=reading.language,
        media_type=outcome.media_type,
        num_pages=reading.num_pages,
        text=reading.text,
        page_offsets=reading.page_offsets,
        sections=find_sections(reading.text),
        reader=reading.reader,
        warnings=reading.warnings,
    )


def guess_category(media_type: str, text: str, *, has_facts: bool) -> Category:
    """Return which of the prompt's wordings suits a file; the user may choose another."""
    head = text[:HEAD_CHARACTERS].casefold()
    if media_type == "application/epub+zip" or "project gutenberg" in head:
        return "book"
    if has_facts or "form 10-k" in head or "annual report" in head:
        return "statement"
    if "tex" in media_type or ("abstract" in head and REFERENCES.search(text)):
        return "paper"
    return "book" if media_type == "text/plain" else "report"


def check_name(name: str) -> str:
    """Return the file name of an upload without folders; its suffix must be one that is read.

    Raises:
        RefusedUploadError: It has another suffix, or none.
    """
    bare = "".join(letter for letter in Path(name.replace("\\", "/")).name if letter.isprintable())[:TITLE_CHARACTERS]
    if Path(bare).suffix.lower() not in suffix_media_types():
        raise RefusedUploadError(EXPLANATIONS["unsupported"])
    return bare


def read_files(params: ExtractParams, files: list[Path], count_tokens: Callable[[str], int]) -> dict[str, ChatDocument]:
    """Read files of a command line, in their order.

    Raises:
        InputError: One of them does not exist or cannot be read.
    """
    reader = UploadReader(params, 1)
    documents = {}
    try:
        for number, path in enumerate(files, 1):
            if not path.is_file():
                raise InputError(path, found="no such file", expected="a document", fix="Correct the path.")
            document = reader.read(f"d{number}", path.name, path, count_tokens)
            documents[document.key] = document
    except RefusedUploadError as error:
        raise InputError(
            path, found="a file that cannot be read", expected="a PDF, EPUB, HTML, TeX or text file", fix=str(error)
        ) from error
    finally:
        reader.stop()
    return documents
