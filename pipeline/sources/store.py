"""Your own documents in a store that fsspec lists: s3://, gs://, abfs://, or a page of links on the web."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import fsspec

from pipeline.downloads.sources_file import Source, is_store, is_web
from pipeline.errors import InputError
from pipeline.records import Category
from pipeline.sources.files import KNOWN
from pipeline.sources.found import Found, Skip


def find(*, prefix: str, category: Category, licence: str, licence_evidence: str = "") -> Iterator[Found]:
    """Yield the documents below a prefix, by their names.

    Args:
        prefix: 's3://bucket/folder', 'gs://bucket/folder' or 'https://example.org/folder/'.
        category: book, paper, report or statement.
        licence: SPDX identifier, or 'unknown'.
        licence_evidence: Where the licence is stated.

    Raises:
        InputError: The store cannot be listed, or the package that reads it is not installed.
    """
    if not (is_web(prefix) or is_store(prefix)):
        expected = "a URL of a store or of the web"
        raise InputError("--prefix", found=prefix, expected=expected, fix="Use 'find files' for local files.")
    try:
        system, path = fsspec.core.url_to_fs(prefix)
        listed: dict[str, dict[str, Any]] = system.find(path, detail=True)
    except (ImportError, OSError, ValueError) as error:
        advice = "Install the package for it: s3fs for s3://, gcsfs for gs://, aiohttp for the web; check the address."
        raise InputError(prefix, found=" ".join(str(error).split()), expected="a listing", fix=advice) from error
    for name in sorted(listed):
        suffix = PurePosixPath(name).suffix.lower()
        if suffix not in KNOWN:
            yield Skip(f"format {suffix or 'without a suffix'}")
            continue
        url = system.unstrip_protocol(name)
        yield Source(
            **{"url" if is_web(url) else "remote": url},
            category=category,
            licence=licence,
            licence_evidence=licence_evidence,
            size=listed[name].get("size"),
        )
