"""The process that reads files for `pipeline.readers.sandbox`: it forks a child for each, and outlives them all.

It is a small process of its own rather than a fork of the stage: no threads to inherit, no secrets in its environment
or memory, and an address space small enough for a limit to mean something.

Requests and answers are JSON with their length before them, on the standard input and output.
"""

import ctypes
import gc
import json
import os
import select
import signal
import struct
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from pipeline.processes import die_with_parent
from pipeline.readers.common.reading import Options, UnreadableError
from pipeline.readers.formats import MEDIA_TYPES, format_of, read

try:
    import resource
except ImportError:  # only POSIX has it
    resource = None  # type: ignore[assignment]

LENGTH = struct.Struct(">Q")
MAX_PAGES = 20_000
MAX_FILES = 64
MAX_FILE_BYTES = 1 << 20  # a reader has nothing to write
ANSWER_BYTES = 4_000_000  # of an answer besides its text
CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000


@dataclass(frozen=True)
class Limits:
    """What reading one file may take."""

    cpu_seconds: float
    cpu_seconds_per_page: float
    wall_seconds: float  # a backstop: the work waits for other processes, so it decides only when nothing else does
    memory_bytes: int
    max_text_bytes: int


def serve() -> None:
    """Answer requests until the input ends."""
    requests, answers = take_streams()
    die_with_parent(int(sys.argv[1]))
    leave_network()
    leave_folder()
    gc.freeze()  # what is here now need not be looked at, and so copied, in every child
    while (request := receive(requests)) is not None:
        limits = Limits(**request.pop("limits"))
        send(answers, in_child(request, limits))


def take_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Return the input and output, and put nothing in their place: libraries print, too."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nothing, descriptor)
    return requests, answers


def receive(stream: IO[bytes]) -> dict[str, Any] | None:
    """Return the next message, None at the end of the stream."""
    header = stream.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(header)
    body = stream.read(length)
    return json.loads(body) if len(body) == length else None


def send(stream: IO[bytes], message: bytes) -> None:
    """Write a message."""
    stream.write(LENGTH.pack(len(message)) + message)
    stream.flush()


def failure(kind: str, reason: str) -> bytes:
    """Return the answer for a file that was not read."""
    return json.dumps({"kind": kind, "reason": reason[:500]}).encode()


def in_child(request: dict[str, Any], limits: Limits) -> bytes:
    """Read one file in a child process and return its answer, whatever becomes of the child."""
    source, sink = os.pipe()
    warden = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(source)
        answer_and_exit(request, limits, warden, sink)
    os.close(sink)
    try:
        body, fault = collect(source, limits)
    finally:
        os.close(source)
        status = end(child)
    if fault:
        return failure(*fault)
    if os.WIFSIGNALED(status) and body is None:
        return death(os.WTERMSIG(status))
    return body or failure("crash", f"the reader left with status {status} and without a word")


def end(child: int) -> int:
    """End a child and all that it may have started, and return its status."""
    for send_signal in (os.kill, os.killpg):
        with suppress(ProcessLookupError):
            send_signal(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def death(number: int) -> bytes:
    """Return the answer for a child that a signal ended."""
    if number == signal.SIGXCPU:
        return failure("timeout", "more CPU time than its pages allow")
    if number == signal.SIGKILL:
        return failure("killed", "the reader was ended from outside: is memory scarce?")
    return failure("crash", f"the reader was ended by {signal.Signals(number).name}")


def collect(source: int, limits: Limits) -> tuple[bytes | None, tuple[str, str] | None]:
    """Return what a child writes, whole, or None and perhaps the fault for which it is not to go on."""
    deadline = time.monotonic() + limits.wall_seconds
    body = bytearray()
    while not is_whole(body):  # its end is not waited for: what the child has started may hold the pipe open
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([source], [], [], left)[0]:
            return None, ("timeout", f"not done after {limits.wall_seconds:g} s")
        chunk = os.read(source, 1 << 20)
        if not chunk:
            return None, None
        body += chunk
        if len(body) > limits.max_text_bytes + ANSWER_BYTES:
            return None, ("too large", f"more than {limits.max_text_bytes} bytes of text")
    return bytes(body[LENGTH.size :]), None


def is_whole(message: bytearray) -> bool:
    """Say whether a message has the length that stands before it."""
    return len(message) >= LENGTH.size and len(message) - LENGTH.size >= LENGTH.unpack_from(message)[0]


def answer_and_exit(request: dict[str, Any], limits: Limits, warden: int, sink: int) -> None:
    """In the child: limit itself, read the file, write the answer, and leave without any clean-up."""
    try:
        die_with_parent(warden)
        os.setpgid(0, 0)
        limit(limits)
        answer = answer_of(request, limits)
    except MemoryError:
        answer = failure("memory", f"more than {limits.memory_bytes} bytes of memory")
    except RecursionError:
        answer = failure("hostile", "nested too deeply")
    except UnreadableError as error:
        answer = failure(error.kind, error.reason)
    except Exception as error:  # noqa: BLE001 (a process boundary: whatever a parser raises is one error row)
        where = traceback.extract_tb(error.__traceback__)[-1]
        answer = failure("reader", f"{type(error).__name__}: {error} ({Path(where.filename).name})")
    with suppress(OSError), os.fdopen(sink, "wb") as stream:
        send(stream, answer)
    os._exit(0)


def answer_of(request: dict[str, Any], limits: Limits) -> bytes:
    """Read the file of a request."""
    path = Path(os.fsdecode(request["path"].encode("latin-1")))
    format_ = format_of(path)
    options = Options(**request["options"])

    def allow(num_pages: int, num_scanned: int = 0) -> None:
        """Raise the limit on CPU time by what the pages are worth."""
        if num_pages > MAX_PAGES:
            raise UnreadableError("too large", f"{num_pages} pages; at most {MAX_PAGES} are read")
        more = limits.cpu_seconds_per_page * num_pages + options.ocr_cpu_seconds_per_page * num_scanned
        set_cpu_seconds(limits.cpu_seconds + more)

    reading = read(path, format_, allow, cautious=request["cautious"], options=options)
    if len(reading.text.encode()) > limits.max_text_bytes:
        raise UnreadableError("too large", f"more than {limits.max_text_bytes} bytes of text")
    return json.dumps({**asdict(reading), "media_type": MEDIA_TYPES[format_]}, ensure_ascii=False).encode()


def limit(limits: Limits) -> None:
    """Take from this process what reading a file does not need."""
    if resource is None:
        return
    set_cpu_seconds(limits.cpu_seconds)
    for name, value in (
        ("RLIMIT_AS", limits.memory_bytes),
        ("RLIMIT_FSIZE", MAX_FILE_BYTES),
        ("RLIMIT_NOFILE", MAX_FILES),
        ("RLIMIT_NPROC", 0),  # neither processes nor threads; the system exempts root
        ("RLIMIT_CORE", 0),
    ):
        with suppress(ValueError, OSError, AttributeError):  # macOS refuses some of them
            resource.setrlimit(getattr(resource, name), (value, value))


def set_cpu_seconds(seconds: float) -> None:
    """Let the system end this process once it has used so much CPU time."""
    if resource is not None:
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        soft = max(1, round(seconds))
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def leave_network() -> None:
    """Leave the network, where the system lets us."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if libc.unshare(CLONE_NEWNET) != 0:
            libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)


def leave_folder() -> None:
    """Go to a folder that is already gone, so that nothing can be written beside anything."""
    folder = tempfile.mkdtemp(prefix="longalpaca-")
    os.chdir(folder)
    os.rmdir(folder)  # noqa: PTH106


if __name__ == "__main__":
    serve()
