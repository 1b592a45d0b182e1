"""Copy documents that are not on the web: files of this machine, and files of stores that fsspec reads."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import fsspec

from pipeline.downloads.downloader import Folder
from pipeline.downloads.errors import DownloadError
from pipeline.downloads.lockfile import Locked
from pipeline.downloads.transfer import CHUNK_BYTES, Wanted
from pipeline.errors import InputError


def copy_local(path: Path, folder: Folder, wanted: Wanted) -> Locked:
    """Copy a file into a folder, unless it is there already.

    Raises:
        DownloadError: It cannot be read, is too large, or has another sha256 than its source says.
    """
    try:
        with path.open("rb") as file:
            return store(file, folder, wanted)
    except OSError as error:
        raise DownloadError("unreadable", error.strerror or type(error).__name__) from error


def copy_remote(folder: Folder, wanted: Wanted) -> Locked:
    """Copy a file of a store into a folder.

    Raises:
        DownloadError: It cannot be had, is too large, or has another sha256 than its source says.
        InputError: What reads such stores is not installed.
    """
    protocol = wanted.url.split("://")[0]
    try:
        opened = fsspec.open(wanted.url, "rb")
    except (ImportError, ValueError) as error:
        remedy = "Install what fsspec names: s3fs for s3://, gcsfs for gs://."
        raise InputError(wanted.url, found=str(error), expected=f"a reader of {protocol}://", fix=remedy) from error
    try:
        with opened as file:
            return store(file, folder, wanted)
    except OSError as error:
        raise DownloadError("gone" if isinstance(error, FileNotFoundError) else "unreadable", wanted.url) from error


def store(file: BinaryIO, folder: Folder, wanted: Wanted) -> Locked:
    """Write the bytes of an open file beside their final name, and rename them.

    Raises:
        DownloadError: They are too many, or have another sha256 than their source says.
    """
    partial = folder.partial_of(wanted.url)
    digest, size = hashlib.sha256(), 0
    with partial.path.open("wb") as target:
        for chunk in chunks_of(file):
            size += len(chunk)
            if size > wanted.max_bytes:
                raise DownloadError("too large", f"more than {wanted.max_bytes} bytes")
            digest.update(chunk)
            target.write(chunk)
    locked = Locked(digest.hexdigest(), size)
    if wanted.sha256 not in ("", locked.sha256):
        raise DownloadError("sha256", f"{locked.sha256}, expected {wanted.sha256}")
    folder.settle(partial, folder.file_of(locked.sha256, wanted.suffix))
    return locked


def chunks_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes of a file."""
    while chunk := file.read(CHUNK_BYTES):
        yield chunk
