"""Write the body of an answer to a file, and stop as soon as it cannot be what is wanted.

What has come is kept when the transfer breaks off. The next attempt asks for the rest of it, but only if the server can
say that the document is still the same (If-Range, RFC 9110, section 13.1.5).
"""

import hashlib
import json
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.downloads.errors import DownloadError, PassingError
from pipeline.downloads.http import Answer
from pipeline.downloads.lockfile import Locked
from pipeline.files import remove

HEAD_BYTES = 1_024  # within which a PDF says that it is one
SMALL_BYTES = 1 << 16  # a body no longer than this is not worth going on with
CHUNK_BYTES = 1 << 20
VAGUE = ("", "application/octet-stream", "binary/octet-stream", "application/x-download", "application/force-download")
ALIKE = (
    {"text/html", "application/xhtml+xml", "application/xml", "text/xml"},
    {"text/plain", "text/markdown", "text/x-tex", "application/x-tex", "text/csv"},
    {"application/gzip", "application/x-gzip", "application/x-eprint-tar", "application/x-tar", "application/x-eprint"},
)


@dataclass(frozen=True)
class Wanted:
    """A URL, and what is to be found there."""

    url: str
    media_type: str  # '' where anything will do
    max_bytes: int
    suffix: str  # of the file's name, with its dot
    sha256: str = ""  # '' where it is not known


@dataclass(frozen=True)
class Partial:
    """The file that a body is written to before it is whole, and beside it what its server said of it."""

    path: Path

    @property
    def about(self) -> Path:
        """Where the validator of the document is kept."""
        return self.path.with_suffix(".json")

    def resume_headers(self) -> dict[str, str]:
        """Return the headers that ask for the rest, none where it cannot be asked for."""
        try:
            size, validator = self.path.stat().st_size, json.loads(self.about.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {"Range": f"bytes={size}-", "If-Range": validator} if size and isinstance(validator, str) else {}

    def remember(self, answer: Answer) -> None:
        """Keep what the rest can be asked for with: a strong ETag, else the date of the last change."""
        etag = answer.headers.get("etag", "")
        validator = etag if etag.startswith('"') else answer.headers.get("last-modified", "")
        if validator:
            self.about.write_text(json.dumps(validator), encoding="utf-8")

    def remove(self) -> None:
        """Forget what has come."""
        remove(self.path)
        remove(self.about)


async def write_body(answer: Answer, wanted: Wanted, partial: Partial) -> Locked:
    """Write a body, behind what has come before if that is what the answer goes on with.

    Raises:
        DownloadError: It is not what is wanted: nothing of it is kept.
        PassingError: It breaks off: what has come is kept.
    """
    try:
        check_head(answer, wanted)
        start = start_of(answer, partial)
        digest, head = digest_of(partial.path, start)
        if start == 0:
            partial.remove()
            if int(answer.headers.get("content-length", SMALL_BYTES + 1)) > SMALL_BYTES:
                partial.remember(answer)
        size = start
        with partial.path.open("ab") as file:
            async for chunk in decoded(answer, wanted.max_bytes):
                size += len(chunk)
                if size > wanted.max_bytes:
                    raise DownloadError("too large", f"more than {wanted.max_bytes} bytes")
                head = check_start(head + chunk, wanted) if len(head) < HEAD_BYTES else head
                digest.update(chunk)
                file.write(chunk)
        if not size:
            raise DownloadError("empty", "the body has no bytes")
    except PassingError:
        raise
    except DownloadError:
        partial.remove()
        raise
    given = answer.headers
    return Locked(digest.hexdigest(), size, essence(given), given.get("etag", ""), given.get("last-modified", ""))


def check_head(answer: Answer, wanted: Wanted) -> None:
    """Refuse a body by what is said before it comes.

    Raises:
        DownloadError: Its type or its length is not what is wanted.
    """
    found = essence(answer.headers)
    if wanted.media_type and found not in VAGUE and not alike(found, wanted.media_type):
        raise DownloadError("content type", f"{found}, expected {wanted.media_type}")
    length = answer.headers.get("content-length", "0")
    if not length.isdecimal():
        raise DownloadError("content length", length)
    if int(length) > wanted.max_bytes:
        raise DownloadError("too large", f"{length} bytes, at most {wanted.max_bytes} are wanted")


def essence(headers: dict[str, str]) -> str:
    """Return a media type without its parameters."""
    return headers.get("content-type", "").split(";")[0].strip().lower()


def alike(one: str, other: str) -> bool:
    """Say whether two media types are used for the same documents."""
    return one == other or any(one in group and other in group for group in ALIKE)


def check_start(head: bytes, wanted: Wanted) -> bytes:
    """Refuse what calls itself a PDF and is none, mostly a page that says why there is no PDF.

    Raises:
        DownloadError: It is none.
    """
    if wanted.media_type == "application/pdf" and len(head) >= HEAD_BYTES and b"%PDF-" not in head[:HEAD_BYTES]:
        raise DownloadError("content type", "no PDF by its first bytes")
    return head


def start_of(answer: Answer, partial: Partial) -> int:
    """Return where in the document a body begins.

    Raises:
        PassingError: Not where the document was left: it is to be asked for from its start.
    """
    if answer.status != 206:
        return 0
    have = partial.path.stat().st_size if partial.path.exists() else 0
    unit, _, span = answer.headers.get("content-range", "").partition(" ")
    if (
        unit != "bytes"
        or span.split("-")[0] != str(have)
        or answer.headers.get("content-encoding", "identity")
        not in (
            "identity",
            "",
        )
    ):
        partial.remove()
        raise PassingError("broken off", "the server sends another part than was asked for")
    return have


def digest_of(path: Path, size: int) -> tuple["hashlib._Hash", bytes]:
    """Return the digest of what has come, and its first bytes."""
    digest, head = hashlib.sha256(), b""
    if size:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            file.seek(0)
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
    return digest, head


async def decoded(answer: Answer, max_bytes: int) -> AsyncIterator[bytes]:
    """Yield a body as it is meant: some servers compress what was asked for as it is.

    Raises:
        DownloadError: It is compressed in a way that was not asked for, or broken.
        PassingError: It ends before its compressed end.
    """
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        async for chunk in answer.body:
            yield chunk
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise DownloadError("content encoding", encoding)
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
    async for chunk in answer.body:
        try:
            yield inflater.decompress(chunk, max_bytes + 1)  # one more than may come is enough to refuse it
        except zlib.error as error:
            raise DownloadError("content encoding", f"broken {encoding}") from error
    if not inflater.eof:
        raise PassingError("broken off", f"within {encoding}")
