"""Store the rows of data sets as documents: of the Hub, or of a folder of Parquet, JSON or CSV files."""

import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.downloads.copies import store
from pipeline.downloads.downloader import Folder
from pipeline.downloads.errors import DownloadError
from pipeline.downloads.lockfile import Locked
from pipeline.downloads.sources_file import Rows
from pipeline.downloads.transfer import Wanted
from pipeline.errors import InputError


def store_rows(
    wanted: Sequence[tuple[Rows, int, Wanted]], folder: Path | str, target: Folder
) -> dict[str, Locked | DownloadError]:
    """Store the texts of rows, each data set read once and no further than its last row that is wanted.

    Args:
        wanted: The column that a text stands in, its row, and what is to be found there.
        folder: That data sets on this machine are relative to.
        target: Where the documents go.

    Raises:
        InputError: A data set cannot be had, or has no such split or column.
    """
    found: dict[str, Locked | DownloadError] = {}
    for rows in dict.fromkeys(rows for rows, _, _ in wanted):
        of_it = {row: each for other, row, each in wanted if other == rows}
        for row, text in texts_of(rows, folder, max(of_it) + 1):
            if row in of_it:
                found[of_it[row].url] = stored(text, of_it[row], target)
        found |= {each.url: DownloadError("gone", "no such row") for each in of_it.values() if each.url not in found}
    return found


def texts_of(rows: Rows, folder: Path | str, most: int) -> Iterator[tuple[int, Any]]:
    """Yield the first rows of a data set with their numbers, as they come.

    Raises:
        InputError: It cannot be had, or has no such split or column.
    """
    from datasets import load_dataset  # takes seconds, and few lists have rows

    name, _, revision = rows.dataset.partition("@")
    local = Path(folder) / name
    try:
        stream = load_dataset(
            str(local) if local.is_dir() else name, revision=revision or None, split=rows.split, streaming=True
        )
        for number, row in enumerate(islice(stream, most)):
            yield number, row[rows.column]
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        found, wanted = (
            " ".join(f"{type(error).__name__}: {error}".split())[:300],
            f"column {rows.column} of {rows.split}",
        )
        raise InputError(rows.dataset, found=found, expected=wanted, fix="Check name, split and column.") from error


def stored(text: Any, wanted: Wanted, target: Folder) -> Locked | DownloadError:
    """Store one text, or say why not."""
    if not isinstance(text, str) or not text.strip():
        return DownloadError("empty", "the row has no text")
    try:
        return store(io.BytesIO(text.encode("utf-8", "replace")), target, wanted)
    except DownloadError as error:
        return error
