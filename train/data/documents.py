"""Rows of tokens for continued pre-training: the pipeline's long documents, or a streamed dataset of texts.

A row is a whole document with an end-of-text token. TRL packs rows up to `max_length` and splits longer ones; documents
in one row do not attend to each other.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import datasets
from pydantic import BaseModel, ConfigDict
from transformers import PreTrainedTokenizerBase

from pipeline.errors import InputError
from pipeline.storage.parquet import read_documents
from train.data.control_tokens import TextEncoder
from train.data.token_cache import TOKENS, Row, as_tokens, generate_rows, prepare_rows

FEATURES = datasets.Features({"input_ids": TOKENS, "num_quoted": datasets.Value("int64")})
BATCH_CHARACTERS = 4_000_000  # of texts tokenized at once: about 100 MB of Python integers


class TextDatasetParams(BaseModel):
    """A dataset of texts of the Hub, or a folder of Parquet or JSON lines: key `text_dataset` of section `extend`."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    name: str  # 'owner/name' on the Hub, or the path of a folder
    config: str | None
    split: str
    column: str  # with the texts


def load_token_rows(
    documents: Path,
    text_dataset: TextDatasetParams | None,
    tokenizer: PreTrainedTokenizerBase,
    max_tokens: int,
    folder: Path,
) -> datasets.Dataset:
    """Return the tokens to train on, a row per document, stored in `folder` rather than in memory.

    A text dataset is read only until there are `max_tokens`. Every process calls this.

    Raises:
        InputError: There is no document to train on, or no token to end one.
    """
    if tokenizer.eos_token_id is None:
        raise InputError(
            tokenizer.name_or_path,
            found="a tokenizer without an end-of-text token",
            expected="one, to end each document",
            fix="Name it in tokenizer_config.json as eos_token, or use another model.",
        )
    texts = partial(read_training_texts, documents)
    if text_dataset is not None:
        texts = partial(stream_texts, text_dataset)

    def rows() -> Iterator[Row]:
        return tokenize_texts(texts(), tokenizer, max_tokens if text_dataset is not None else None)

    return prepare_rows(folder, "documents", lambda cache: generate_rows(rows, FEATURES, cache))


def read_training_texts(folder: Path) -> Iterator[str]:
    """Yield the text of each document to train on."""
    is_empty = True
    for document in read_documents(folder):
        if document.split == "train" and document.text and document.category != "review":
            yield document.text
            is_empty = False
    if is_empty:
        raise InputError(
            folder,
            found="no document with text whose split is 'train'",
            expected="at least one",
            fix="Add sources, or lower curate.test_fraction.",
        )


def stream_texts(text_dataset: TextDatasetParams) -> Iterator[str]:
    """Yield the texts of a dataset, without downloading all of it."""
    is_empty = True
    for row in open_stream(text_dataset):
        if text_dataset.column not in row:
            raise no_text_error(text_dataset, f"the columns {', '.join(row)}")
        if row[text_dataset.column]:
            yield row[text_dataset.column]
            is_empty = False
    if is_empty:
        raise no_text_error(text_dataset, "no text")


def open_stream(text_dataset: TextDatasetParams) -> datasets.IterableDataset:
    """Open a dataset without downloading the whole of it.

    Raises:
        InputError: The dataset does not exist, or cannot be reached.
    """
    try:
        return datasets.load_dataset(text_dataset.name, text_dataset.config, split=text_dataset.split, streaming=True)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise no_text_error(text_dataset, " ".join(str(error).split())[:200]) from error


def tokenize_texts(texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, max_tokens: int | None) -> Iterator[Row]:
    """Yield the tokens of each text, until there are `max_tokens`.

    A text begins as the tokenizer begins one, with its begin-of-text token if it adds one, and ends with the
    end-of-text token. Control tokens that a text quotes are text.
    """
    encoder, start, num_tokens = TextEncoder(tokenizer), find_start(tokenizer), 0
    for batch in batch_texts(texts):
        for text, ids in zip(batch, encoder.encode_texts(batch), strict=True):
            if max_tokens is not None and num_tokens >= max_tokens:
                return
            row = [*start, *ids, tokenizer.eos_token_id]
            num_tokens += len(row)
            yield {"input_ids": as_tokens(row), "num_quoted": encoder.count_quoted(text)}


def find_start(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the begin-of-text token if the tokenizer adds one to a text."""
    ids: list[int] = tokenizer("")["input_ids"]
    return ids[:1] if tokenizer.bos_token_id is not None and ids[:1] == [tokenizer.bos_token_id] else []


def batch_texts(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield batches of texts, large enough to give each of the tokenizer's threads some."""
    batch: list[str] = []
    num_characters = 0
    for text in texts:
        batch.append(text)
        num_characters += len(text)
        if num_characters >= BATCH_CHARACTERS:
            yield batch
            batch, num_characters = [], 0
    if batch:
        yield batch


def no_text_error(text_dataset: TextDatasetParams, found: str) -> InputError:
    """Return the error for a dataset without texts."""
    return InputError(
        "extend.text_dataset",
        found=f"{found} in '{text_dataset.name}'",
        expected=f"texts in column '{text_dataset.column}' of split '{text_dataset.split}'",
        fix="Name a dataset of the Hub or a folder, its split and its column, or null for the documents.",
    )
