"""Write the body of a response to a file, and stop as soon as it cannot be the document that was asked for.

What has arrived is kept when a transfer breaks off. The next attempt asks for the rest, but only if the server can
confirm that the document is still the same (If-Range, RFC 9110, section 13.1.5).
"""

import hashlib
import json
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.downloads.errors import DownloadError, TransientError
from pipeline.downloads.http import Answer
from pipeline.downloads.lockfile import Locked
from pipeline.files import remove

HEAD_BYTES = 1_024  # a PDF has its signature within these
SMALL_BYTES = 1 << 16  # a shorter body is downloaded anew, not resumed
CHUNK_BYTES = 1 << 20
UNSPECIFIC = (
    "",
    "application/octet-stream",
    "binary/octet-stream",
    "application/x-download",
    "application/force-download",
)
SAME_FORMAT = (
    {"text/html", "application/xhtml+xml", "application/xml", "text/xml"},
    {"text/plain", "text/markdown", "text/x-tex", "application/x-tex", "text/csv"},
    {"application/gzip", "application/x-gzip", "application/x-eprint-tar", "application/x-tar", "application/x-eprint"},
)


@dataclass(frozen=True)
class Request:
    """A URL, and what is expected there."""

    url: str
    media_type: str  # '' for any
    max_bytes: int
    suffix: str  # of the file's name, with its dot
    sha256: str = ""  # '' if unknown


@dataclass(frozen=True)
class Partial:
    """The file that a body is written to until it is complete, and beside it the server's validator."""

    path: Path

    @property
    def about(self) -> Path:
        """Where the validator of the document is kept."""
        return self.path.with_suffix(".json")

    def resume_headers(self) -> dict[str, str]:
        """Return the headers that ask for the rest; none if the download cannot be resumed."""
        try:
            size, validator = self.path.stat().st_size, json.loads(self.about.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {"Range": f"bytes={size}-", "If-Range": validator} if size and isinstance(validator, str) else {}

    def remember(self, answer: Answer) -> None:
        """Store the validator to resume with: a strong ETag, else the date of the last change."""
        etag = answer.headers.get("etag", "")
        validator = etag if etag.startswith('"') else answer.headers.get("last-modified", "")
        if validator:
            self.about.write_text(json.dumps(validator), encoding="utf-8")

    def remove(self) -> None:
        """Delete what has arrived."""
        remove(self.path)
        remove(self.about)


async def write_body(answer: Answer, request: Request, partial: Partial) -> Locked:
    """Write a body, behind what has arrived before if the response resumes it.

    Raises:
        DownloadError: It is not the expected document; nothing of it is kept.
        TransientError: The transfer broke off; what has arrived is kept.
    """
    try:
        check_head(answer, request)
        start = resume_offset(answer, partial)
        digest, head = hash_partial(partial.path, start)
        if start == 0:
            partial.remove()
            if int(answer.headers.get("content-length", SMALL_BYTES + 1)) > SMALL_BYTES:
                partial.remember(answer)
        size = start
        with partial.path.open("ab") as file:
            async for chunk in decode(answer, request.max_bytes):
                size += len(chunk)
                if size > request.max_bytes:
                    raise DownloadError("too large", f"more than {request.max_bytes} bytes")
                head = check_start(head + chunk, request) if len(head) < HEAD_BYTES else head
                digest.update(chunk)
                file.write(chunk)
        if not size:
            raise DownloadError("empty", "the body has no bytes")
    except TransientError:
        raise
    except DownloadError:
        partial.remove()
        raise
    given = answer.headers
    return Locked(
        digest.hexdigest(), size, bare_media_type(given), given.get("etag", ""), given.get("last-modified", "")
    )


def check_head(answer: Answer, request: Request) -> None:
    """Refuse a body by its headers.

    Raises:
        DownloadError: The media type or the length is not the expected one.
    """
    found = bare_media_type(answer.headers)
    if request.media_type and found not in UNSPECIFIC and not same_format(found, request.media_type):
        raise DownloadError("content type", f"{found}, expected {request.media_type}")
    length = answer.headers.get("content-length", "0")
    if not length.isdecimal():
        raise DownloadError("content length", length)
    if int(length) > request.max_bytes:
        raise DownloadError("too large", f"{length} bytes, at most {request.max_bytes} are expected")


def bare_media_type(headers: dict[str, str]) -> str:
    """Return a media type without its parameters."""
    return headers.get("content-type", "").split(";")[0].strip().lower()


def same_format(one: str, other: str) -> bool:
    """Tell whether two media types are used for the same kind of file."""
    return one == other or any(one in group and other in group for group in SAME_FORMAT)


def check_start(head: bytes, request: Request) -> bytes:
    """Refuse a body that is declared as PDF and is not one; mostly it is a web page with an apology.

    Raises:
        DownloadError: The first bytes are not those of a PDF.
    """
    if request.media_type == "application/pdf" and len(head) >= HEAD_BYTES and b"%PDF-" not in head[:HEAD_BYTES]:
        raise DownloadError("content type", "no PDF by its first bytes")
    return head


def resume_offset(answer: Answer, partial: Partial) -> int:
    """Return the offset in the document at which a body begins.

    Raises:
        TransientError: The offset is not where the download broke off; the next attempt begins at 0.
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
        raise TransientError("broken off", "the server sent another range than it was asked for")
    return have


def hash_partial(path: Path, size: int) -> tuple["hashlib._Hash", bytes]:
    """Return the hash of what has arrived so far, and its first bytes."""
    digest, head = hashlib.sha256(), b""
    if size:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            file.seek(0)
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
    return digest, head


async def decode(answer: Answer, max_bytes: int) -> AsyncIterator[bytes]:
    """Yield the body without its content encoding: some servers compress although they were asked not to.

    Raises:
        DownloadError: The encoding is unknown or broken.
        TransientError: The body ends before its compressed end.
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
            yield inflater.decompress(chunk, max_bytes + 1)  # one byte over the limit is enough to refuse it
        except zlib.error as error:
            raise DownloadError("content encoding", f"broken {encoding}") from error
    if not inflater.eof:
        raise TransientError("broken off", f"within {encoding}")
