"""The list that `fetch` writes and `extract` reads: one line per source, downloaded or not."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.files import replacing
from pipeline.records import Category

ENTRIES_FILE = "documents.jsonl"


@dataclass(frozen=True)
class Entry:
    """A source and its downloaded file."""

    doc_id: str  # sha256 of the bytes; of the source's name if there is no file
    file: str  # relative to the folder of the list; '' without one
    source: str  # as the sources file names it
    category: Category
    licence: str
    title: str = ""
    authors: tuple[str, ...] = ()
    date: str = ""
    language: str = ""
    media_type: str = ""
    group: str = ""  # see `Document.group`
    error: str = ""  # why there is no file; '' if there is one


def write_entries(folder: Path, entries: Iterable[Entry]) -> None:
    """Write the list of a folder."""
    lines = [json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in entries]
    with replacing(folder / ENTRIES_FILE) as beside:
        beside.write_text("".join(lines), encoding="utf-8")


def read_entries(folder: Path) -> list[Entry]:
    """Read the list of a folder.

    Raises:
        InputError: The list is missing, empty or broken, or one of its files is missing.
    """
    path = folder / ENTRIES_FILE
    if not path.is_file():
        raise InputError(path, found="no such file", expected="the output of fetch or sample", fix="Run it first.")
    lines = path.read_text(encoding="utf-8").split("\n")  # splitlines would also split at U+2028 within a title
    entries = [entry_from_line(f"{path}, line {number}", line) for number, line in enumerate(lines, 1) if line]
    if not entries:
        raise InputError(path, found="an empty corpus", expected="documents", fix="List some in the sources file.")
    for entry in entries:
        if entry.file and not (folder / entry.file).is_file():
            raise InputError(
                folder / entry.file,
                found="no such file",
                expected="the file that the list names",
                fix="Run fetch again.",
            )
    return entries


def entry_from_line(where: str, line: str) -> Entry:
    """Read one line of the list.

    Raises:
        InputError: The line is not one that `fetch` wrote.
    """
    try:
        row: Any = json.loads(line)
        if set(row) != {field.name for field in fields(Entry)}:
            raise ValueError("other keys than an entry has")
        return Entry(**row | {"authors": tuple(row["authors"])})
    except (ValueError, TypeError) as error:
        raise InputError(where, found=str(error), expected="a line that fetch wrote", fix="Run fetch again.") from error
