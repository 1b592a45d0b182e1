"""Write files and folders atomically, and hash them."""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write a file or a folder to, and rename it to `path` at the end.

    If the block raises, what was written is removed and `path` is left as it was. A folder at `path` is replaced
    whole, so that nothing of an earlier run remains in it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield beside
        sync_tree(beside)
        if path.is_dir():
            shutil.rmtree(path)
        beside.replace(path)
        sync(path.parent)
    finally:
        remove(beside)


def remove_leftovers(path: Path) -> None:
    """Remove what a process that was killed while it replaced `path` left beside it; no other may be at work there."""
    for beside in path.parent.glob(f".{escape(path.name)}.*.tmp"):
        remove(beside)


def sync_tree(path: Path) -> None:
    """Flush a file, or a folder with its contents, to the disk."""
    for child in path.rglob("*"):  # nothing, for a file
        sync(child)
    sync(path)


def sync(path: Path) -> None:
    """Flush a file, or the directory entries of a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Delete a file or a folder if it exists."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write `content` as JSON with sorted keys, so that equal content has equal bytes."""
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    with replacing(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8")


def hash_file(path: Path) -> str:
    """Return the hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_json(*parts: object) -> str:
    """Return the hex sha256 of values as JSON with sorted keys: equal values, equal hash."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
