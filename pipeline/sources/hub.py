"""Texts of a data set, on the Hugging Face Hub or in a folder of Parquet, JSON or CSV files: one column, a row each.

Finding asks for the revision and the number of rows, and reads none; `fetch` does. A data set of files, not rows, is a
store: 'find store --prefix hf://datasets/OWNER/NAME'.
Terms      https://huggingface.co/terms-of-service: the licence is that of the data set, which its card names
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import datasets
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from pipeline.downloads.sources_file import Source
from pipeline.errors import InputError
from pipeline.records import Category
from pipeline.sources.found import Found


def find(
    *,
    dataset: str,
    column: str,
    category: Category,
    licence: str,
    licence_evidence: str,
    split: str = "train",
    language: str = "",
) -> Iterator[Found]:
    """Yield the rows of a data set, in its order.

    Args:
        dataset: 'OWNER/NAME' or 'OWNER/NAME@REVISION' of the Hub, or a folder.
        column: The column of the texts.
        category: book, paper, report or statement.
        licence: SPDX identifier, or 'unknown'.
        licence_evidence: Where the licence is stated.
        split: Of the data set.
        language: ISO 639-1 code of the texts.

    Raises:
        InputError: The data set cannot be downloaded, or has no such split.
    """
    name, _, revision = dataset.partition("@")
    local = Path(name).is_dir()
    try:
        pinned = "" if local else HfApi().dataset_info(name, revision=revision or None).sha or ""
        builder = datasets.load_dataset_builder(str(Path(name).absolute()) if local else name, revision=pinned or None)
    except (OSError, ValueError, HfHubHTTPError, HFValidationError) as error:
        found = " ".join(str(error).split())[:300]
        raise InputError("--dataset", found=found, expected="a data set", fix="Check its name.") from error
    splits = builder.info.splits
    if splits and split not in splits:
        raise InputError("--split", found=split, expected=f"one of {', '.join(splits)}", fix="Name another.")
    num_rows = splits[split].num_examples if splits else None
    place = str(Path(name).absolute()) if local else f"{name}@{pinned}"
    for row in range(num_rows) if num_rows else count():  # not every data set knows its number of rows
        yield Source(
            dataset=place,
            column=column,
            split=split,
            row=row,
            category=category,
            licence=licence,
            licence_evidence=licence_evidence,
            id=f"hub:{name}:{split}:{row}",
            language=language,
            media_type="text/plain",
        )
