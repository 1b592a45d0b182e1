"""The lock file beside a sources file: the sha256 of each URL when it was first downloaded, and required ever since."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from pipeline.errors import InputError
from pipeline.files import remove_leftovers, write_json


@dataclass(frozen=True)
class Locked:
    """The hash and size of a URL's content, and the headers that its server sent."""

    sha256: str
    size: int
    media_type: str = ""
    etag: str = ""
    last_modified: str = ""


def lock_path(sources: Path) -> Path:
    """Return the lock file of a sources file."""
    return sources.with_name(f"{sources.name}.lock")


def read_lock(file: Path) -> dict[str, Locked]:
    """Read the lock file, by URL; nothing if there is no file.

    Raises:
        InputError: The file is broken.
    """
    if not file.is_file():
        return {}
    try:
        return {url: locked_from_row(row) for url, row in json.loads(file.read_text(encoding="utf-8")).items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        advice = "Restore it from git, or delete it to record the sources anew."
        raise InputError(file, found=f"a broken lock file ({error})", expected="JSON", fix=advice) from error


def locked_from_row(row: dict[str, Any]) -> Locked:
    """Check a row of the lock file.

    Raises:
        ValueError: It has no sha256 or size.
    """
    locked = Locked(**row)
    if len(locked.sha256) != 64 or not isinstance(locked.size, int):
        raise ValueError(f"{row} has no sha256 and size")
    return locked


def write_lock(file: Path, locks: dict[str, Locked]) -> None:
    """Write the lock file, sorted, unless it holds the same already."""
    if locks and locks != read_lock(file):
        remove_leftovers(file)
        write_json(file, {url: asdict(locked) for url, locked in locks.items()})


class Journal:
    """The URLs that this run has finished, a line each, so that an interrupted run can resume."""

    def __init__(self, file: TextIO) -> None:
        """Read an open journal, to append to it."""
        self._file = file
        self.done: dict[str, Locked] = {}
        for line in file.read().split("\n")[:-1]:  # a run that was killed may have cut the last one
            url, row = json.loads(line)
            self.done[url] = locked_from_row(row)

    def add(self, url: str, locked: Locked) -> None:
        """Record a finished URL."""
        self.done[url] = locked
        self._file.write(json.dumps([url, asdict(locked)]) + "\n")
        self._file.flush()


@contextmanager
def open_journal(file: Path) -> Iterator[Journal]:
    """Open the journal of a folder. Only one run at a time may write to it.

    Raises:
        InputError: Another run is writing to that folder.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+", encoding="utf-8") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            advice = "Wait until it has ended."
            raise InputError(file.parent, found="another fetch at work", expected="none", fix=advice) from error
        cut_torn_line(opened)
        yield Journal(opened)


def cut_torn_line(file: TextIO) -> None:
    """Remove an incomplete last line, and rewind the file."""
    file.seek(0)
    whole = file.read().encode().rfind(b"\n") + 1
    file.truncate(whole)
    file.seek(0)
