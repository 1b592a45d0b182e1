"""Which run a checkpoint belongs to: what is trained, on which tokens, from which weights.

The libraries' versions, the number of processes and the device are the setting of a run, not its identity. A run that
was stopped goes on after an update or on another machine, and says what differs.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import datasets
import torch

from pipeline.errors import InputError
from train.recipe import TrainingParams

WITHOUT_EFFECT = {"save_steps", "num_checkpoints", "report_to"}  # on the weights
GIVES_SHAPE = ("method", "lora_rank", "lora_targets", "fully_trained")  # to the weights that are trained
LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate")
EDGE_BYTES = 1 << 20  # of each end of a file of weights, which identify it


@dataclass(frozen=True)
class Run:
    """A run, and the setting it runs in."""

    id: str  # a hash of its identity
    identity: dict[str, Any]  # runs that differ in it train other weights: 'sft.learning_rate', 'rows', 'model: FILE'
    setting: dict[str, Any]  # runs that differ only in it are the same run

    @cached_property
    def short_id(self) -> str:
        """The start of the id, for names of files."""
        return self.id[:8]


def describe_run(
    recipe: TrainingParams, model: Path, rows: datasets.Dataset, num_processes: int, dtype_here: str
) -> Run:
    """Return the run that trains a recipe on some rows, starting from MODEL."""
    params = recipe.model_dump(mode="json", exclude=WITHOUT_EFFECT)
    weights = (path for path in sorted(model.glob("*")) if path.is_file())
    identity = {
        **{f"{recipe.section}.{key}": value for key, value in params.items()},
        **{f"model: {path.name}": hash_edges(path) for path in weights},
        "rows": hash_rows(rows),
    }
    setting = {
        **{name: version(name) for name in LIBRARIES},
        "number of processes": num_processes,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "dtype": dtype_here,
    }
    return Run(hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest(), identity, setting)


def list_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what differs: 'torch (2.12.0, now 2.13.0)'; hashes are not shown."""
    return list(name_differences(before, now)) if before else ["everything that identifies a run"]


def name_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield each key whose value differs, with both values unless they are hashes."""
    for key in sorted({*before, *now}):
        if before.get(key) != now.get(key):
            is_hash = key == "rows" or key.startswith("model: ")
            yield key if is_hash else f"{key} ({before.get(key)}, now {now.get(key)})"


def check_shapes(checkpoint: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to resume where weights of other shapes are trained.

    Raises:
        InputError: A key that gives them their shape differs.
    """
    differing = [key for key in now if key.split(".")[-1] in GIVES_SHAPE and before.get(key, now[key]) != now[key]]
    if differing:
        raise InputError(
            "--resume-anyway",
            found=f"{checkpoint}, trained with another {', '.join(differing)}",
            expected="a checkpoint of the same trained weights",
            fix="Set it back, or run the stage without the option.",
        )


def hash_edges(path: Path) -> str:
    """Return a hash of a file's size and both its ends; weights are too large to be read for this alone."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(EDGE_BYTES)
        file.seek(max(0, size - EDGE_BYTES))
        return hashlib.sha256(start + file.read() + str(size).encode()).hexdigest()


def hash_rows(rows: datasets.Dataset) -> str:
    """Return a hash of every token and label of the rows, in their order."""
    digest = hashlib.sha256()
    for name in sorted(set(rows.column_names) & {"input_ids", "labels", "seq_lengths"}):
        for batch in rows.select_columns([name]).with_format("arrow").iter(batch_size=256):
            for chunk in batch[name].chunks:
                digest.update(chunk.value_lengths().to_numpy(zero_copy_only=False).tobytes())
                digest.update(chunk.flatten().to_numpy(zero_copy_only=False).tobytes())
    return digest.hexdigest()
