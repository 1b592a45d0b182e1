"""Rows of tokens to continue pre-training on: long documents of the pipeline, or of any dataset of texts, streamed.

A row is a whole document, ended by the token that ends a text. TRL packs rows up to `max_length` and splits longer
ones; documents that share a row do not see each other.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
from pydantic import BaseModel, ConfigDict
from transformers import PreTrainedTokenizerBase

from pipeline.errors import InputError
from pipeline.records import read_documents


class TextDatasetParams(BaseModel):
    """A dataset of texts of the Hub, or a folder of Parquet or JSON lines: key `text_dataset` of section `extend`."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    name: str  # 'owner/name' on the Hub, or the path of a folder
    config: str | None
    split: str
    column: str  # that holds the texts


def token_rows(
    folder: Path,
    text_dataset: TextDatasetParams | None,
    tokenizer: PreTrainedTokenizerBase,
    max_tokens: int,
    cache: str,
) -> datasets.Dataset:
    """Return the tokens to train on, a row a document; they lie in `cache`, not in memory.

    Of a text dataset no more is read than the first `max_tokens` need.

    Raises:
        InputError: There is no document to train on.
    """
    generator: Callable[..., Iterator[dict[str, list[int]]]] = document_tokens
    arguments: dict[str, Any] = {"folder": folder, "tokenizer": tokenizer}
    if text_dataset is not None:
        generator = text_tokens
        arguments = {"text_dataset": text_dataset, "tokenizer": tokenizer, "max_tokens": max_tokens}
    try:
        return datasets.Dataset.from_generator(generator, gen_kwargs=arguments, cache_dir=cache)
    except datasets.exceptions.DatasetGenerationError as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from error
        raise


def document_tokens(folder: Path, tokenizer: PreTrainedTokenizerBase) -> Iterator[dict[str, list[int]]]:
    """Yield the tokens of each document to train on."""
    is_empty = True
    for document in read_documents(folder):
        if document.split == "train" and document.text and document.category != "review":
            yield {"input_ids": tokens_of(document.text, tokenizer)}
            is_empty = False
    if is_empty:
        raise InputError(
            folder,
            found="no document with text whose split is 'train'",
            wanted="at least one",
            remedy="Add sources, or lower curate.test_fraction.",
        )


def text_tokens(
    text_dataset: TextDatasetParams, tokenizer: PreTrainedTokenizerBase, max_tokens: int
) -> Iterator[dict[str, list[int]]]:
    """Yield the tokens of the first texts of a dataset, until there are `max_tokens`."""
    num_tokens = 0
    for row in streamed(text_dataset):
        if num_tokens >= max_tokens:
            return
        if text_dataset.column not in row:
            raise no_text(text_dataset, f"the columns {', '.join(row)}")
        if row[text_dataset.column]:
            ids = tokens_of(row[text_dataset.column], tokenizer)
            num_tokens += len(ids)
            yield {"input_ids": ids}
    if num_tokens == 0:
        raise no_text(text_dataset, "no text")


def streamed(text_dataset: TextDatasetParams) -> datasets.IterableDataset:
    """Open a dataset without downloading the whole of it.

    Raises:
        InputError: There is none of that name, or it cannot be reached.
    """
    try:
        return datasets.load_dataset(text_dataset.name, text_dataset.config, split=text_dataset.split, streaming=True)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise no_text(text_dataset, " ".join(str(error).split())[:200]) from error


def tokens_of(text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the tokens of a document, ended by the token that ends a text."""
    ids: list[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    return [*ids, tokenizer.eos_token_id]


def no_text(text_dataset: TextDatasetParams, found: str) -> InputError:
    """Return the fault of a dataset without texts."""
    return InputError(
        "extend.text_dataset",
        found=f"{found} in '{text_dataset.name}'",
        wanted=f"texts in column '{text_dataset.column}' of split '{text_dataset.split}'",
        remedy="Name a dataset of the Hub or a folder, its split and its column, or null for the documents.",
    )
