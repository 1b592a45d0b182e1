"""Read files that nobody vouches for: each in a child process with limits, and each with an outcome.

A reader may crash, loop, or eat all memory (reading a hostile PDF with PDFium does), so it runs in a child of
`pipeline.readers.worker`. Limits are on CPU time: under load, a limit on the clock would make the outcome a matter of
luck. What times out or is ended from outside is tried once more alone; what kills PDFium is tried once more without it.
"""

import fcntl
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipeline.readers.common.reading import TEXT_ONLY, Options, Reading
from pipeline.readers.worker import Limits, receive, send
from pipeline.records import Fact

ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")  # differs from run to run
DEADLY = ("crash", "killed", "memory", "timeout")
BY_CHANCE = ("killed", "timeout")  # what else runs on the machine may be to blame
ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")  # all that a reader gets to see, and these, always the same:
FIXED_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "PYTHONUTF8": "1",
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Outcome:
    """What became of a file: a reading, or why there is none."""

    reading: Reading | None
    media_type: str = ""
    kind: str = ""  # one of a few words, to count by
    reason: str = ""


class Sandbox:
    """Reads files in child processes; a context manager, not to be shared between threads."""

    def __init__(self, limits: Limits, lock: Path, options: Options = TEXT_ONLY) -> None:
        """Prepare to read.

        Args:
            limits: What reading one file may take.
            lock: A file on this machine that all processes that read at the same time know; see `machine_lock`. It and
                its folder are only locked, not written.
            options: How files are to be read.
        """
        self.limits = limits
        self.options = options
        self.lock = lock
        self.warden: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the warden."""
        self.stop()

    def read(self, path: Path) -> Outcome:
        """Read a file.

        A timeout, or an end from outside, is final only if it happens a second time while nothing else is being read;
        any death of PDFium, only if the file cannot be read without it either.
        """
        with self.locked(fcntl.LOCK_SH):
            outcome = self.ask(path, cautious=False)
        if outcome.kind in BY_CHANCE:
            with self.locked(fcntl.LOCK_EX):
                outcome = self.ask(path, cautious=False)
        if outcome.kind not in DEADLY or not is_pdf(path):
            return outcome
        with self.locked(fcntl.LOCK_EX):
            second = self.ask(path, cautious=True)
        return second if second.reading else outcome

    def ask(self, path: Path, *, cautious: bool) -> Outcome:
        """Have the warden read a file, once."""
        full_path = str(path.resolve())
        name = os.fsencode(full_path).decode("latin-1")  # its bytes: the warden's locale may be another
        how = {"cautious": cautious, "limits": asdict(self.limits), "options": asdict(self.options)}
        answer = self.exchange({"path": name, **how})
        if answer is None:
            self.stop()
            return Outcome(None, kind="killed", reason="the process that reads was ended from outside")
        outcome = outcome_of(answer)
        reason = ADDRESS.sub("0x", outcome.reason.replace(full_path, path.name))
        return replace(outcome, reason="".join(letter if letter.isprintable() else " " for letter in reason))

    def exchange(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Return the warden's answer, None if it ends before it gives one."""
        warden = self.start()
        assert warden.stdin is not None
        assert warden.stdout is not None
        try:
            send(warden.stdin, json.dumps(request).encode())
            return receive(warden.stdout)
        except BrokenPipeError:
            return None

    def start(self) -> "subprocess.Popen[bytes]":
        """Return the warden, alive."""
        if self.warden is not None and self.warden.poll() is not None:
            self.stop()
        if self.warden is None:
            environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ} | FIXED_ENVIRONMENT
            environment["PYTHONPATH"] = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path)
            self.warden = subprocess.Popen(
                [sys.executable, "-m", "pipeline.readers.worker", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
            )
        return self.warden

    def stop(self) -> None:
        """End the warden; its child ends with it."""
        if self.warden is not None:
            self.warden.kill()
            self.warden.communicate()
            self.warden = None

    @contextmanager
    def locked(self, how: int) -> Iterator[None]:
        """Read along with others (LOCK_SH), or alone on this machine (LOCK_EX).

        The folder's lock is the door: who waits to be alone holds it, so that nobody comes in who was not in before.
        """
        with self.lock.open("rb") as room:
            door = os.open(self.lock.parent, os.O_RDONLY)
            try:
                fcntl.flock(door, how)
                fcntl.flock(room, how)
            finally:
                os.close(door)
            yield


def machine_lock() -> Path:
    """Return the lock of all readers of this user on this machine.

    It is not with the documents: these may be on a file system of several machines, where one waits for all the others
    or cannot lock at all.
    """
    folder = Path(tempfile.gettempdir(), f"longalpaca-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = folder / "reading.lock"
    lock.touch()
    return lock


def is_pdf(path: Path) -> bool:
    """Say whether a file would be read by PDFium."""
    with path.open("rb") as file:
        return b"%PDF-" in file.read(1024) or path.suffix.lower() == ".pdf"


def outcome_of(answer: dict[str, Any]) -> Outcome:
    """Return what a warden's answer says."""
    if "kind" in answer:
        return Outcome(None, kind=answer["kind"], reason=answer["reason"])
    media_type = answer.pop("media_type")
    known = {field.name for field in fields(Reading)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in answer.items()
    }
    values["facts"] = tuple(Fact(**fact | {"dimensions": tuple(fact["dimensions"])}) for fact in values["facts"])
    return Outcome(Reading(**{name: values[name] for name in known}), media_type=media_type)
