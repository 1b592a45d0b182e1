"""Read untrusted files: each in a child process with limits, and each with an outcome.

A reader may crash, loop, or use up all memory (PDFium does all three on hostile files), so it runs in a child of
`pipeline.readers.worker`. The limits are on CPU time: a limit on wall time would make the outcome depend on the load of
the machine. A file that times out or is killed from outside is retried once alone; one that crashes PDFium is retried
once without it.
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
from pipeline.readers.formats import pdf
from pipeline.readers.formats.format import Sample
from pipeline.readers.worker import Limits, receive, send
from pipeline.records import Fact

ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")  # of an object in memory: differs from run to run
DEADLY = ("crash", "killed", "memory", "timeout")
BY_CHANCE = ("killed", "timeout")  # the load of the machine may be the cause
ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")  # copied to the reader, along with these constants:
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
    """The result for a file: a reading, or the reason for its absence."""

    reading: Reading | None
    media_type: str = ""
    kind: str = ""  # one of the words listed in docs/reading.md
    reason: str = ""


class Sandbox:
    """Reads files in child processes; a context manager, not to be shared between threads."""

    def __init__(self, limits: Limits, lock: Path, options: Options = TEXT_ONLY) -> None:
        """Prepare to read; the worker starts with the first file.

        Args:
            limits: The resources that reading one file may use.
            lock: A file on this machine, shared by all processes that read at the same time; see `machine_lock`. It and
                its folder are locked, never written.
            options: How to read files.
        """
        self.limits = limits
        self.options = options
        self.lock = lock
        self.worker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop the worker."""
        self.stop()

    def read(self, path: Path) -> Outcome:
        """Read a file.

        A timeout, or a kill from outside, is final only if it happens a second time while nothing else is being read.
        A crash of PDFium is final only if the file cannot be read without PDFium either.
        """
        with self.locked(fcntl.LOCK_SH):
            outcome = self.ask_worker(path, cautious=False)
        if outcome.kind in BY_CHANCE:
            with self.locked(fcntl.LOCK_EX):
                outcome = self.ask_worker(path, cautious=False)
        if outcome.kind not in DEADLY or not is_pdf(path):
            return outcome
        with self.locked(fcntl.LOCK_EX):
            retry = self.ask_worker(path, cautious=True)
        return retry if retry.reading else outcome

    def ask_worker(self, path: Path, *, cautious: bool) -> Outcome:
        """Have the worker read a file once, and return its outcome."""
        full_path = str(path.resolve())
        name = os.fsencode(full_path).decode("latin-1")  # as bytes: the worker's locale may differ
        how = {"cautious": cautious, "limits": asdict(self.limits), "options": asdict(self.options)}
        answer = self.exchange({"path": name, **how})
        if answer is None:
            self.stop()
            return Outcome(None, kind="killed", reason="the reading process was killed from outside")
        outcome = parse_answer(answer)
        reason = ADDRESS.sub("0x", outcome.reason.replace(full_path, path.name))
        return replace(outcome, reason="".join(letter if letter.isprintable() else " " for letter in reason))

    def exchange(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Return the worker's answer, or None if it exits without one."""
        worker = self.start()
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            send(worker.stdin, json.dumps(request).encode())
            return receive(worker.stdout)
        except BrokenPipeError:
            return None

    def start(self) -> "subprocess.Popen[bytes]":
        """Return the running worker, started if necessary."""
        if self.worker is not None and self.worker.poll() is not None:
            self.stop()
        if self.worker is None:
            environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ} | FIXED_ENVIRONMENT
            environment["PYTHONPATH"] = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path)
            self.worker = subprocess.Popen(
                [sys.executable, "-m", "pipeline.readers.worker", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
            )
        return self.worker

    def stop(self) -> None:
        """Kill the worker; its child dies with it."""
        if self.worker is not None:
            self.worker.kill()
            self.worker.communicate()
            self.worker = None

    @contextmanager
    def locked(self, how: int) -> Iterator[None]:
        """Hold the machine's reading lock: shared with other readers (LOCK_SH), or alone on this machine (LOCK_EX).

        There are two locks, a door and a room. Every reader passes the door (the lock's folder) to enter the room (the
        lock file). A reader that wants to be alone holds the door while it waits for the room to empty: nobody enters
        meanwhile, and so it does not wait forever.
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

    It is not kept with the documents. They may be on a network file system, where one machine would wait for all
    others, or which has no locks at all.
    """
    folder = Path(tempfile.gettempdir(), f"longalpaca-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = folder / "reading.lock"
    lock.touch()
    return lock


def is_pdf(path: Path) -> bool:
    """Say whether PDFium would read a file."""
    with path.open("rb") as file:
        return pdf.is_pdf(Sample(path, file.read(pdf.HEADER_BYTES)))


def parse_answer(answer: dict[str, Any]) -> Outcome:
    """Return the outcome in a worker's answer."""
    if "kind" in answer:
        return Outcome(None, kind=answer["kind"], reason=answer["reason"])
    media_type = answer.pop("media_type")
    known = {field.name for field in fields(Reading)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in answer.items()
    }
    values["facts"] = tuple(Fact(**fact | {"dimensions": tuple(fact["dimensions"])}) for fact in values["facts"])
    return Outcome(Reading(**{name: values[name] for name in known}), media_type=media_type)
