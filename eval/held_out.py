"""The documents that perplexity is measured on: those of the test split, or a folder of texts such as PG19's.

PG19's test set is a folder of .txt files, one book each; proof-pile is .jsonl files whose objects have a `text`.
"""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from pipeline.errors import InputError
from pipeline.records import Document
from pipeline.stable_order import order_key
from pipeline.storage.parquet import read_documents


def read_held_out(folder: Path, seed: int) -> list[Document]:
    """Return documents that training never saw, shuffled by a hash of their ids.

    Raises:
        InputError: The folder has neither curated documents nor texts, or a line of it is no object with a text.
    """
    if not folder.is_dir() or any(folder.glob("*.parquet")):
        documents = [one for one in read_documents(folder) if one.split == "test" and one.text]
    else:
        documents = list(read_texts(folder))
    return sorted(documents, key=lambda document: order_key(seed, document.doc_id))


def read_texts(folder: Path) -> Iterator[Document]:
    """Yield the texts in a folder's .txt and .jsonl files, each once.

    Raises:
        InputError: There are none, or a line is no object with a text.
    """
    found: set[str] = set()
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".txt", ".jsonl"):
            continue
        for where, text in read_file(path):
            doc_id = sha256(text.encode(errors="replace")).hexdigest()
            if text.strip() and doc_id not in found:
                found.add(doc_id)
                yield Document(doc_id, "book", where, text=text, split="test")
    if not found:
        raise InputError(
            folder,
            found="no .parquet, .txt or .jsonl file with a text",
            expected="curated documents, or a folder of texts such as PG19's test set",
            fix="Name another folder with --documents.",
        )


def read_file(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the texts of a file, with where each is.

    Raises:
        InputError: A line of JSON is no object with a text.
    """
    if path.suffix == ".txt":
        yield path.name, path.read_text(encoding="utf-8", errors="replace")
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            text = read_line(line)
            if text is None:
                raise InputError(
                    f"{path}:{number}",
                    found=repr(line[:60]),
                    expected='an object with a text: {"text": "…"}',
                    fix="Correct the line, or remove it.",
                )
            yield f"{path.name}:{number}", text


def read_line(line: str) -> str | None:
    """Return the text of an object, None if a line is no object with one."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    text = row.get("text") if isinstance(row, dict) else None
    return text if isinstance(text, str) else None
