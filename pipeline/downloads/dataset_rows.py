"""Store rows of data sets as documents: from the Hub, or from a folder of Parquet, JSON or CSV files."""

import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.downloads.copies import store_stream
from pipeline.downloads.downloader import Folder
from pipeline.downloads.errors import DownloadError
from pipeline.downloads.lockfile import Locked
from pipeline.downloads.sources_file import Rows
from pipeline.downloads.transfer import Request
from pipeline.errors import InputError


def store_rows(
    listed: Sequence[tuple[Rows, int, Request]], folder: Path | str, target: Folder
) -> dict[str, Locked | DownloadError]:
    """Store the texts of rows. Each data set is read once, up to the last row that is listed.

    Args:
        listed: The column and row of each text, and the request that stands for it.
        folder: Paths of local data sets are relative to it.
        target: Where the documents go.

    Raises:
        InputError: A data set cannot be read, or has no such split or column.
    """
    found: dict[str, Locked | DownloadError] = {}
    for rows in dict.fromkeys(rows for rows, _, _ in listed):
        by_row = {row: each for other, row, each in listed if other == rows}
        for row, text in stream_rows(rows, folder, max(by_row) + 1):
            if row in by_row:
                found[by_row[row].url] = store_row(text, by_row[row], target)
        found |= {each.url: DownloadError("gone", "no such row") for each in by_row.values() if each.url not in found}
    return found


def stream_rows(rows: Rows, folder: Path | str, most: int) -> Iterator[tuple[int, Any]]:
    """Yield the first rows of a data set with their numbers.

    Raises:
        InputError: It cannot be read, or has no such split or column.
    """
    from datasets import load_dataset  # its import takes seconds, and few lists need it

    name, _, revision = rows.dataset.partition("@")
    local = Path(folder) / name
    try:
        stream = load_dataset(
            str(local) if local.is_dir() else name, revision=revision or None, split=rows.split, streaming=True
        )
        for number, row in enumerate(islice(stream, most)):
            yield number, row[rows.column]
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        found, request = (
            " ".join(f"{type(error).__name__}: {error}".split())[:300],
            f"column {rows.column} of {rows.split}",
        )
        raise InputError(rows.dataset, found=found, expected=request, fix="Check name, split and column.") from error


def store_row(text: Any, request: Request, target: Folder) -> Locked | DownloadError:
    """Store one text, or return why that failed."""
    if not isinstance(text, str) or not text.strip():
        return DownloadError("empty", "the row has no text")
    try:
        return store_stream(io.BytesIO(text.encode("utf-8", "replace")), target, request)
    except DownloadError as error:
        return error
