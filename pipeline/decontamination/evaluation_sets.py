"""Read evaluation sets: the texts, questions and book numbers in a folder.

Any JSON, JSON Lines, Parquet or text file counts, as LongBench, L-Eval and RULER come: every string in it is a text,
and those under the keys of `QUESTION_KEYS` are questions. A file NAME.ids holds numbers of Project Gutenberg, one per
line, as PG19's test list does.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError

QUESTION_KEYS = {"input", "question", "questions", "query", "instruction", "instructions"}
GUTENBERG = re.compile(r"(?:gutenberg\.org/(?:ebooks|files|cache/epub)/|(?:^|[/_-])pg)(\d+)")
SUFFIXES = (".json", ".jsonl", ".parquet", ".txt", ".ids")


@dataclass(frozen=True)
class TestText:
    """A text of an evaluation set."""

    source: str  # the file's name
    text: str
    is_question: bool = False


def read_sets(folder: Path, section: str) -> Iterator[TestText]:
    """Yield the texts of every file of a folder that a section of params.yaml names, at any depth, by file name.

    Raises:
        InputError: The folder is missing, has no evaluation set, or has a broken file.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not files:
        raise InputError(
            f"section '{section}', key 'evaluation_sets'",
            found=f"{folder}, which has no evaluation set",
            expected=f"a folder with files that end in {', '.join(SUFFIXES)}",
            fix="Correct the path, or leave it empty.",
        )
    for path in files:
        if path.suffix.lower() != ".ids":
            yield from read_texts(path)


def read_texts(path: Path) -> Iterator[TestText]:
    """Yield the texts of one file."""
    try:
        if path.suffix.lower() == ".txt":
            yield TestText(path.name, path.read_text(encoding="utf-8"))
            return
        for row in read_objects(path):
            yield from (TestText(path.name, text, key in QUESTION_KEYS) for key, text in strings_in(row, ""))
    except (json.JSONDecodeError, UnicodeDecodeError, pa.ArrowInvalid) as error:
        raise InputError(
            path, found=f"a broken file ({error})", expected="an evaluation set", fix="Repair or remove it."
        ) from error


def read_objects(path: Path) -> Iterator[Any]:
    """Yield the objects of a file."""
    if path.suffix.lower() == ".parquet":
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(64):
                yield from batch.to_pylist()
    elif path.suffix.lower() == ".jsonl":
        with path.open(encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines if line.strip())
    else:
        yield json.loads(path.read_text(encoding="utf-8"))


def strings_in(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """Yield every string in a value, with its key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from strings_in(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_in(inner, key)


def book_numbers(folder: Path) -> dict[str, str]:
    """Return the numbers of Project Gutenberg that are listed, each with the name of its list."""
    return {
        number: path.name
        for path in sorted(folder.rglob("*.ids"))
        for number in path.read_text(encoding="utf-8").split()
        if number.isdigit()
    }


def book_number(source: str) -> str:
    """Return the Project Gutenberg number of a source, '' if it has none."""
    match = GUTENBERG.search(source)
    return match[1] if match else ""
