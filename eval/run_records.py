"""The records that a run left of each measure, in a folder or under a revision or experiment of DVC."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import InputError


@dataclass(frozen=True)
class Measure:
    """How the records of a measure are read and compared."""

    name: str
    file: str
    identity: tuple[str, ...]  # the columns that say which records of two runs are about the same thing
    unit: tuple[str, ...]  # the columns that say which records are independent: documents, texts, trials
    value: str
    is_better_high: bool
    same: tuple[str, ...] = ()  # entries of metrics.json that two runs must share to be compared at all
    model_column: str = "model"
    model_suffix: str = ""  # after the model's name in that column


MEASURES = (
    Measure("perplexity", "documents.jsonl", ("doc_id",), ("doc_id",), "nll", is_better_high=False, same=("protocol",)),
    Measure("passkey", "trials.jsonl", ("depth", "key"), ("depth", "key"), "found", is_better_high=True),
    Measure("needle", "trials.jsonl", ("haystack", "depth", "number"), ("haystack",), "score", is_better_high=True),
    Measure("ruler", "replies.jsonl", ("task", "number"), ("task", "number"), "score", is_better_high=True,
            same=("samples",)),
    Measure("longqa", "replies.jsonl", ("example_id",), ("doc_id",), "score", is_better_high=True,
            model_column="cell", model_suffix=" with the text"),
)  # fmt: skip


@contextmanager
def open_run(reference: str) -> Iterator[Path]:
    """Yield the folder with the measures of a run, a folder for each.

    Args:
        reference: Such a folder, one that has it as `data`, or a Git revision or the name of a DVC experiment of the
            repository at hand, whose outputs are taken from DVC's cache or remote.

    Raises:
        InputError: There is no measure.
    """
    folder = Path(reference)
    for place in (folder, folder / "data"):
        if any((place / measure.name / measure.file).is_file() for measure in MEASURES):
            yield place
            return
    if folder.exists():
        raise no_measures(reference)
    with tempfile.TemporaryDirectory() as temporary:
        fetch_revision(reference, Path(temporary))
        yield Path(temporary)


def fetch_revision(revision: str, folder: Path) -> None:
    """Copy the measures of a revision into a folder.

    Raises:
        InputError: It has none, or there is no such revision.
    """
    from dvc.api import DVCFileSystem  # takes seconds to import
    from dvc.exceptions import DvcException
    from scmrepo.exceptions import SCMError

    try:
        files = DVCFileSystem(rev=revision)
        found = [measure.name for measure in MEASURES if files.exists(f"data/{measure.name}/{measure.file}")]
        for name in found:
            files.get(f"data/{name}", str(folder / name), recursive=True)
    except (DvcException, SCMError, OSError) as error:
        raise InputError(
            revision,
            found=str(error).split("\n")[0] or type(error).__name__,
            expected="a folder with measures, or a revision or experiment of this repository",
            fix="List experiments with 'dvc exp show'; 'dvc pull' brings outputs that are not here.",
        ) from error
    if not found:
        raise no_measures(revision)


def no_measures(reference: str) -> InputError:
    """Return the error for a run without measures."""
    return InputError(
        reference,
        found="no records of any measure",
        expected=f"folders such as {', '.join(measure.name for measure in MEASURES)}",
        fix="Run 'dvc repro' there, or name the folder that it wrote into.",
    )


def read_records(folder: Path, measure: Measure, model: str) -> pd.DataFrame | None:
    """Return the records of a model, None if the run has not measured it; a length is a column of each."""
    path = folder / measure.name / measure.file
    if not path.is_file():
        return None
    as_written: Any = dict.fromkeys((*measure.identity, *measure.unit), False)  # ids of digits stay text
    rows = pd.read_json(path, lines=True, dtype=as_written)
    own = rows[rows[measure.model_column] == f"{model}{measure.model_suffix}"]
    return own[own[measure.value].notna()].astype({measure.value: float})


def read_settings(folder: Path, measure: Measure) -> Mapping[str, Any]:
    """Return what two runs must share to be compared."""
    metrics = json.loads((folder / measure.name / "metrics.json").read_text(encoding="utf-8"))
    return {name: metrics.get(name) for name in measure.same}
