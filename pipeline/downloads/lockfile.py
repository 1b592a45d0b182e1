"""The lock file beside a sources file: what each URL held when it was first seen, and must hold from then on."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from pipeline.errors import InputError
from pipeline.files import write_json


@dataclass(frozen=True)
class Locked:
    """The bytes of a URL, and what its server said of them."""

    sha256: str
    size: int
    media_type: str = ""
    etag: str = ""
    last_modified: str = ""


def lock_of(sources: Path) -> Path:
    """Return the lock file of a sources file."""
    return sources.with_name(f"{sources.name}.lock")


def read_lock(file: Path) -> dict[str, Locked]:
    """Return what is locked, by URL; nothing if there is no file.

    Raises:
        InputError: The file is broken.
    """
    if not file.is_file():
        return {}
    try:
        return {url: locked_of(row) for url, row in json.loads(file.read_text(encoding="utf-8")).items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        remedy = "Take it back from git, or remove it to record anew what the sources hold."
        raise InputError(file, found=f"a broken lock file ({error})", expected="JSON", fix=remedy) from error


def locked_of(row: dict[str, Any]) -> Locked:
    """Return the record of a row.

    Raises:
        ValueError: It is none.
    """
    locked = Locked(**row)
    if len(locked.sha256) != 64 or not isinstance(locked.size, int):
        raise ValueError(f"{row} has no sha256 and size")
    return locked


def write_lock(file: Path, locks: dict[str, Locked]) -> None:
    """Write the lock file, sorted, unless it holds the same already."""
    if locks and locks != read_lock(file):
        write_json(file, {url: asdict(locked) for url, locked in locks.items()})


class Journal:
    """What this run has already brought: a line for each URL, so that an interrupted run goes on where it was."""

    def __init__(self, file: TextIO) -> None:
        """Go on in an open file."""
        self._file = file
        self.done: dict[str, Locked] = {}
        for line in file.read().split("\n")[:-1]:  # the last one is cut where the run was killed while writing it
            url, row = json.loads(line)
            self.done[url] = locked_of(row)

    def add(self, url: str, locked: Locked) -> None:
        """Note that a URL has been brought."""
        self.done[url] = locked
        self._file.write(json.dumps([url, asdict(locked)]) + "\n")
        self._file.flush()


@contextmanager
def open_journal(file: Path) -> Iterator[Journal]:
    """Open the journal of a folder, to which one run at a time may write.

    Raises:
        InputError: Another run is writing to that folder.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+", encoding="utf-8") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            remedy = "Wait until it has ended."
            raise InputError(file.parent, found="another fetch at work", expected="none", fix=remedy) from error
        cut_torn_line(opened)
        yield Journal(opened)


def cut_torn_line(file: TextIO) -> None:
    """Cut what stands behind the last end of a line, and leave the file at its start."""
    file.seek(0)
    whole = file.read().encode().rfind(b"\n") + 1
    file.truncate(whole)
    file.seek(0)
