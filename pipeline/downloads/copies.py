"""Copy documents that are not on the web: local files, and files of stores that fsspec reads."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import fsspec

from pipeline.downloads.downloader import Folder
from pipeline.downloads.errors import DownloadError
from pipeline.downloads.lockfile import Locked
from pipeline.downloads.transfer import CHUNK_BYTES, Request
from pipeline.errors import InputError


def copy_local(path: Path, folder: Folder, request: Request) -> Locked:
    """Copy a local file into a folder.

    Raises:
        DownloadError: It cannot be read, is too large, or has another sha256 than its source says.
    """
    try:
        with path.open("rb") as file:
            return store_stream(file, folder, request)
    except OSError as error:
        raise DownloadError("unreadable", error.strerror or type(error).__name__) from error


def copy_remote(folder: Folder, request: Request) -> Locked:
    """Copy a file of a store into a folder.

    Raises:
        DownloadError: It cannot be read, is too large, or has another sha256 than its source says.
        InputError: The fsspec package for this store is not installed.
    """
    protocol = request.url.split("://")[0]
    try:
        opened = fsspec.open(request.url, "rb")
    except (ImportError, ValueError) as error:
        advice = "Install what fsspec names: s3fs for s3://, gcsfs for gs://."
        raise InputError(request.url, found=str(error), expected=f"a reader of {protocol}://", fix=advice) from error
    try:
        with opened as file:
            return store_stream(file, folder, request)
    except OSError as error:
        raise DownloadError("gone" if isinstance(error, FileNotFoundError) else "unreadable", request.url) from error


def store_stream(file: BinaryIO, folder: Folder, request: Request) -> Locked:
    """Write a stream to a temporary file and give it its final name.

    Raises:
        DownloadError: The stream is too long, or its sha256 is not the one in the sources file.
    """
    partial = folder.partial_path(request.url)
    digest, size = hashlib.sha256(), 0
    with partial.path.open("wb") as target:
        for chunk in read_chunks(file):
            size += len(chunk)
            if size > request.max_bytes:
                raise DownloadError("too large", f"more than {request.max_bytes} bytes")
            digest.update(chunk)
            target.write(chunk)
    locked = Locked(digest.hexdigest(), size)
    if request.sha256 not in ("", locked.sha256):
        raise DownloadError("sha256", f"{locked.sha256}, expected {request.sha256}")
    folder.finalize(partial, folder.final_path(locked.sha256, request.suffix))
    return locked


def read_chunks(file: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes of a file in chunks."""
    while chunk := file.read(CHUNK_BYTES):
        yield chunk
