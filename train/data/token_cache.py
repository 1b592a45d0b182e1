"""Rows of tokens on disk: one process of each machine writes them, and all its processes memory-map the same files.

A mix of 12,000 long rows is hundreds of millions of tokens: tens of gigabytes in the memory of every process.
"""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import datasets
import numpy as np
import pyarrow.compute as pc
import torch
from accelerate import PartialState

from pipeline.errors import InputError
from pipeline.files import remove

IGNORED = -100  # the label of a token that does not count in the loss
TOKENS = datasets.List(datasets.Value("int32"))  # half of what Python's numbers would take
LONGEST_WAIT = timedelta(hours=2)  # for the process that writes; torch's default is half an hour
PARTS_PER_WORKER = 8  # with fewer, starting another process takes longer than the work
ROWS_IN_MEMORY = 16  # while they are written
BATCH_ROWS = 256  # read together

Row = dict[str, Any]


def prepare_rows(folder: Path, name: str, make: Callable[[str], datasets.Dataset]) -> datasets.Dataset:
    """Return rows that the first process of each machine makes and stores under `name`; all processes call this.

    `make` gets a folder for its temporary files.
    """
    rows = machine_folder(folder) / name
    state = PartialState(cpu=not torch.cuda.is_available(), timeout=LONGEST_WAIT)
    with state.local_main_process_first():
        if state.is_local_main_process:
            remove(rows)
            rows.parent.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=rows.parent) as cache:
                make(cache).save_to_disk(rows)
        return datasets.load_from_disk(rows)


def discard_rows(folder: Path) -> None:
    """Remove all prepared rows; all processes call this."""
    if PartialState().is_local_main_process:
        remove(machine_folder(folder))


def machine_folder(folder: Path) -> Path:
    """Return this machine's folder of rows; several machines may share a disk."""
    return folder / f"rows-{os.environ.get('GROUP_RANK', '0')}"


def generate_rows(
    generator: Callable[..., Iterator[Row]],
    features: datasets.Features,
    cache: str,
    num_parts: int = 1,
    **arguments: Any,
) -> datasets.Dataset:
    """Return the rows that a generator yields, in files in `cache`, in the order in which one process yields them.

    Lists among the arguments are split into contiguous parts, one a process; `num_parts` decides how many processes.

    Raises:
        InputError: The generator raised it in this process. One raised in another process comes as datasets' error.
    """
    workers = max(1, min(count_cores(), num_parts // PARTS_PER_WORKER))
    try:
        return datasets.Dataset.from_generator(
            generator,
            features=features,
            cache_dir=cache,
            gen_kwargs=arguments,
            num_proc=workers if workers > 1 else None,
            writer_batch_size=ROWS_IN_MEMORY,
        )
    except datasets.exceptions.DatasetGenerationError as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from error
        raise


def count_cores() -> int:
    """Return how many cores this process may use; on macOS, which does not say, how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def as_tokens(ids: list[int]) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Return tokens or labels as int32, as they are written."""
    return np.array(ids, dtype=np.int32)


def count_row_tokens(rows: datasets.Dataset) -> list[int]:
    """Return the number of tokens in each row."""
    found: list[int] = []
    for batch in rows.select_columns(["input_ids"]).with_format("arrow").iter(batch_size=BATCH_ROWS):
        found += pc.list_value_length(batch["input_ids"]).to_pylist()
    return found
