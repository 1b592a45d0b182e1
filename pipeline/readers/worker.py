"""The process that reads files for `sandbox`: it forks a child for each file.

It is a small process of its own, not a fork of the stage. So there are no threads to inherit, no secrets in its
environment or memory, and its address space is small enough for a memory limit to mean something.

Requests and answers are JSON, each after its length in 8 bytes, on standard input and output.
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
from pipeline.readers.common.reading import Options, ReadContext, UnreadableError
from pipeline.readers.formats.format import all_formats, detect_format

try:
    import resource
except ImportError:  # only POSIX has it
    resource = None  # type: ignore[assignment]

LENGTH = struct.Struct(">Q")
MAX_PAGES = 20_000
MAX_FILES = 64
MAX_FILE_BYTES = 1 << 20  # a reader has nothing to write
ANSWER_BYTES = 4_000_000  # of an answer, on top of its text
CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000


@dataclass(frozen=True)
class Limits:
    """The resources that reading one file may use."""

    cpu_seconds: float
    cpu_seconds_per_page: float  # added once the number of pages is known
    wall_seconds: float  # a backstop for a reader that sleeps: one that works runs out of CPU time first
    memory_bytes: int
    max_text_bytes: int


def serve() -> None:
    """Answer requests until the input ends."""
    for each in all_formats().values():
        each.load()  # once here, not in every child
    requests, answers = take_streams()
    die_with_parent(int(sys.argv[1]))
    leave_network()
    leave_folder()
    gc.freeze()  # a collection in a child would touch these objects, and so copy their pages
    while (request := receive(requests)) is not None:
        limits = Limits(**request.pop("limits"))
        send(answers, read_in_child(request, limits))


def take_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Return input and output, and put /dev/null in their place, since libraries print too."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
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


def encode_failure(kind: str, reason: str) -> bytes:
    """Return the answer for a file that was not read."""
    return json.dumps({"kind": kind, "reason": reason[:500]}).encode()


def read_in_child(request: dict[str, Any], limits: Limits) -> bytes:
    """Read one file in a child process and return its answer, even if the child crashes."""
    source, sink = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(source)
        answer_and_exit(request, limits, parent, sink)
    os.close(sink)
    try:
        body, fault = collect(source, limits)
    finally:
        os.close(source)
        status = kill_group(child)
    if fault:
        return encode_failure(*fault)
    if os.WIFSIGNALED(status) and body is None:
        return describe_exit(os.WTERMSIG(status))
    return body or encode_failure("crash", f"the reader exited with status {status} and no answer")


def kill_group(child: int) -> int:
    """Kill a child and everything it has started, and return its exit status."""
    for send_signal in (os.kill, os.killpg):
        with suppress(ProcessLookupError):
            send_signal(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def describe_exit(number: int) -> bytes:
    """Return the answer for a child that was killed by a signal."""
    if number == signal.SIGXCPU:
        return encode_failure("timeout", "it used more CPU time than its pages allow")
    if number == signal.SIGKILL:
        return encode_failure("killed", "the reader was killed from outside: is memory scarce?")
    return encode_failure("crash", f"the reader was killed by {signal.Signals(number).name}")


def collect(source: int, limits: Limits) -> tuple[bytes | None, tuple[str, str] | None]:
    """Return the whole answer of a child, or None and the limit that it exceeded, if any."""
    deadline = time.monotonic() + limits.wall_seconds
    body = bytearray()
    while not is_whole(body):  # do not wait for its end: a process that the child started may hold the pipe open
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
    """Say whether all bytes of a message have arrived."""
    return len(message) >= LENGTH.size and len(message) - LENGTH.size >= LENGTH.unpack_from(message)[0]


def answer_and_exit(request: dict[str, Any], limits: Limits, parent: int, sink: int) -> None:
    """In the child: set the limits, read the file, write the answer, and exit without cleaning up."""
    try:
        die_with_parent(parent)
        os.setpgid(0, 0)
        apply_limits(limits)
        answer = answer_request(request, limits)
    except MemoryError:
        answer = encode_failure("memory", f"more than {limits.memory_bytes} bytes of memory")
    except RecursionError:
        answer = encode_failure("hostile", "nested too deeply")
    except UnreadableError as error:
        answer = encode_failure(error.kind, error.reason)
    except Exception as error:  # noqa: BLE001 (a process boundary: any exception of a parser is one error row)
        where = traceback.extract_tb(error.__traceback__)[-1]
        answer = encode_failure("reader", f"{type(error).__name__}: {error} ({Path(where.filename).name})")
    with suppress(OSError), os.fdopen(sink, "wb") as stream:
        send(stream, answer)
    os._exit(0)


def answer_request(request: dict[str, Any], limits: Limits) -> bytes:
    """Read the file that a request names, and return the reading as JSON."""
    path = Path(os.fsdecode(request["path"].encode("latin-1")))
    format_ = detect_format(path)
    options = Options(**request["options"])

    def raise_limit(num_pages: int, num_scanned: int = 0) -> None:
        """Raise the limit on CPU time by the allowance of the pages."""
        if num_pages > MAX_PAGES:
            raise UnreadableError("too large", f"{num_pages} pages; at most {MAX_PAGES} are read")
        more = limits.cpu_seconds_per_page * num_pages + options.ocr_cpu_seconds_per_page * num_scanned
        set_cpu_seconds(limits.cpu_seconds + more)

    reading = format_.load()(path, ReadContext(raise_limit, options, request["cautious"]))
    if len(reading.text.encode()) > limits.max_text_bytes:
        raise UnreadableError("too large", f"more than {limits.max_text_bytes} bytes of text")
    return json.dumps({**asdict(reading), "media_type": format_.media_type}, ensure_ascii=False).encode()


def apply_limits(limits: Limits) -> None:
    """Limit CPU time, memory, files and processes of this process."""
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
    """Have the system kill this process once it has used this much CPU time."""
    if resource is not None:
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        soft = max(1, round(seconds))
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def leave_network() -> None:
    """Leave the network, if the system allows it."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if libc.unshare(CLONE_NEWNET) != 0:
            libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)


def leave_folder() -> None:
    """Change to a working folder that is already deleted, where nothing can be written."""
    folder = tempfile.mkdtemp(prefix="longalpaca-")
    os.chdir(folder)
    os.rmdir(folder)  # noqa: PTH106


if __name__ == "__main__":
    serve()
