"""The base and the tuned model, one in memory at a time, and how far one is from the other."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pandas as pd

from eval.models.open import open_model
from eval.models.records import ChatModel, ModelParams
from eval.stats import Difference, compare_means, correct_family
from pipeline.endpoint.endpoint_params import EndpointParams
from pipeline.errors import InputError

MODELS = ("base", "tuned")
Result = TypeVar("Result")


class AskedParams(Protocol):
    """The part of a section of params.yaml that says how models are asked."""

    @property
    def model(self) -> ModelParams:
        """How a model that runs here is loaded."""

    @property
    def endpoint(self) -> EndpointParams:
        """How a server is asked."""


def measure_both(
    references: Sequence[str], asked: AskedParams, store: Path, measure: Callable[[ChatModel], Result]
) -> dict[str, Result]:
    """Return what is measured of the base and of the tuned model; one that is given as both is measured once.

    Args:
        references: A folder, the name of a model on the Hub or the address of an endpoint: of the base, of the tuned.
        asked: How models are loaded, and servers asked.
        store: Where the replies of endpoints are recorded.
        measure: Called with one model after the other.
    """
    found = {
        one: measure(open_model(one, asked.model, asked.endpoint, store=store)) for one in dict.fromkeys(references)
    }
    return {name: found[one] for name, one in zip(MODELS, references, strict=True)}


def compare_scores(
    rows: pd.DataFrame, by: str, unit: str | list[str], num_resamples: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Return the paired differences of scores, tuned minus base, by a column's values, which are one family.

    Args:
        rows: With columns model and score, and those named here.
        by: The column that tells groups apart.
        unit: The columns that tell what is independent within a group: samples, or texts with several questions.
        num_resamples: Of the bootstrap over units.
        seed: Of the bootstrap.
    """
    differences: dict[str, Difference] = {}
    for value, group in rows.groupby(by, sort=True):
        wide = group.pivot_table(index=unit, columns="model", values="score").reindex(columns=list(MODELS)).dropna()
        if len(wide):
            differences[str(value)] = compare_means(list(wide["tuned"]), list(wide["base"]), num_resamples, seed)
    return correct_family(differences)


def require_scores(rows: pd.DataFrame) -> None:
    """Raise an InputError if a model has no score at all, as where a server refused every request."""
    for model, own in rows.groupby("model"):
        if own["score"].isna().all():
            reasons = sorted(set(own["reason"]))
            raise InputError(
                f"the {model} model",
                found=f"no reply to any of {len(own)} prompts ({'; '.join(reasons)[:200]})",
                expected="some replies",
                fix="Check the model, the server and its budget; replies that were given are kept.",
            )
