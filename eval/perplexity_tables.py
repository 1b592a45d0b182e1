"""What the losses of tokens say: by length, by position, by context, on key tokens; with paired differences.

Every cell has the value of the base and the tuned model, their 95 % intervals over documents, and the difference, tuned
minus base, paired by document. Differences of one table are one family of Holm's correction.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from eval.stats import Array, Difference, Interval, bootstrap_bounds, bootstrap_mean, compare_means, correct_family

MODELS = ("base", "tuned")
POSITIONS_PER_BIN = 512
MIN_FALL, MAX_LOSS = 2.0, 2.0  # nats, of key tokens (arXiv 2410.23771)


@dataclass(frozen=True)
class Losses:
    """The loss of consecutive tokens of a document by one model, the last of them being the last one read."""

    model: str
    doc_id: str
    context: int | None  # tokens before the first scored one in a shortened reading; None for all from the start
    nll: np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Bootstrap:
    """How intervals over documents are drawn."""

    num_resamples: int
    seed: int


Cell = dict[str, Any]


def mean_by_length(losses: Sequence[Losses], lengths: Sequence[int]) -> pd.DataFrame:
    """Return the mean loss of the first L tokens and of their last quarter, one row a model, document and length."""
    return pd.DataFrame(
        {
            "model": document.model,
            "doc_id": document.doc_id,
            "length": length,
            "nll": take_mean(document.nll[: length - 1]),
            "num_tokens": length - 1,
            "last_quarter_nll": take_mean(document.nll[length - 1 - max(1, length // 4) : length - 1]),
        }
        for document in losses
        for length in lengths
    )


def take_mean(losses: np.ndarray[Any, np.dtype[np.float32]]) -> float:
    """Return the mean of losses, summed in float64."""
    return float(losses.mean(dtype=np.float64))


def mean_by_position(losses: Sequence[Losses], bootstrap: Bootstrap) -> pd.DataFrame:
    """Return the mean loss by bin of positions: columns model, position (the bin's end), nll, low, high, n."""
    tables = []
    for name in MODELS:
        values = np.stack([document.nll for document in losses if document.model == name])
        starts = range(0, values.shape[1], POSITIONS_PER_BIN)
        bins: list[Array] = [
            values[:, start : start + POSITIONS_PER_BIN].mean(axis=1, dtype=np.float64) for start in starts
        ]
        table = {
            "model": name,
            "position": [min(start + POSITIONS_PER_BIN, values.shape[1]) + 1 for start in starts],
            "nll": [float(part.mean()) for part in bins],
            "n": len(values),
        }
        low, high = bin_bounds(np.stack(bins), bootstrap)
        tables.append(pd.DataFrame({**table, "low": low, "high": high}))
    return pd.concat(tables)[["model", "position", "nll", "low", "high", "n"]]


def bin_bounds(bins: Array, bootstrap: Bootstrap) -> tuple[Any, Any]:
    """Return the ends of the intervals of bins (bins, documents), or None for a single document."""
    num_documents = bins.shape[1]
    if num_documents < 2:
        return None, None
    return bootstrap_bounds(bins, np.ones(num_documents), bootstrap.num_resamples, bootstrap.seed)


def compare_by_length(means: pd.DataFrame, bootstrap: Bootstrap) -> dict[str, Cell]:
    """Return the perplexity by length, and the loss of the last quarter where it was measured."""
    groups = {str(length): group for length, group in means.groupby("length")}
    cells = compare_family(groups, bootstrap)
    cells = {length: exponentiate(cell) for length, cell in cells.items()}
    if "last_quarter_nll" in means:
        quarters = {length: group.assign(nll=group["last_quarter_nll"]) for length, group in groups.items()}
        for length, cell in compare_family(quarters, bootstrap).items():
            cells[length]["last_quarter"] = cell
    return cells


def compare_family(groups: Mapping[str, pd.DataFrame], bootstrap: Bootstrap) -> dict[str, Cell]:
    """Return a cell for each group of rows (model, doc_id, nll, num_tokens), which has the same documents of both."""
    cells: dict[str, Cell] = {}
    differences: dict[str, Difference] = {}
    for name, rows in groups.items():
        wide = rows.pivot_table(index="doc_id", columns="model", values="nll").sort_index()
        weights = list(rows.groupby("doc_id")["num_tokens"].first().sort_index())
        given = bootstrap.num_resamples, bootstrap.seed, weights
        intervals = {model: bootstrap_mean(list(wide[model]), *given) for model in MODELS}
        differences[name] = compare_means(list(wide["tuned"]), list(wide["base"]), *given)
        cells[name] = {
            **{model: interval.value for model, interval in intervals.items()},
            "intervals": {model: asdict(interval) for model, interval in intervals.items()},
            "num_documents": len(wide),
        }
    for name, difference in correct_family(differences).items():
        cells[name]["difference_nats"] = difference
    return cells


def exponentiate(cell: Cell) -> Cell:
    """Return a cell whose values and intervals are perplexities; the difference stays one of losses."""
    intervals = {model: Interval(**cell["intervals"][model]) for model in MODELS}
    return {
        **cell,
        **{model: math.exp(cell[model]) for model in MODELS},
        "intervals": {model: asdict(exponentiate_interval(interval)) for model, interval in intervals.items()},
    }


def exponentiate_interval(interval: Interval) -> Interval:
    """Return the interval of a perplexity from that of a loss."""
    low, high = (None if end is None else math.exp(end) for end in (interval.low, interval.high))
    return replace(interval, value=math.exp(interval.value), low=low, high=high)


def compare_beyond(losses: Sequence[Losses], native_length: int, bootstrap: Bootstrap) -> Cell:
    """Return the loss of the tokens beyond the base model's trained length; {} if none was read.

    This is where extended context shows; a mean over all positions is dominated by the tokens before.
    """
    rows = [make_row(document, document.nll[native_length - 1 :]) for document in losses]
    rows = [row for row in rows if row["num_tokens"]]
    if not rows:
        return {}
    return {**compare_family({"": pd.DataFrame(rows)}, bootstrap)[""], "from_position": native_length}


def make_row(document: Losses, nll: np.ndarray[Any, np.dtype[np.float32]]) -> dict[str, Any]:
    """Return the row of a document for `compare_family`, of some of its losses."""
    mean = take_mean(nll) if len(nll) else math.nan
    return {"model": document.model, "doc_id": document.doc_id, "nll": mean, "num_tokens": len(nll)}


def compare_contexts(whole: Sequence[Losses], shortened: Sequence[Losses], bootstrap: Bootstrap) -> dict[str, Any]:
    """Return the loss of the same last tokens behind less context and behind all, and what all the context gains.

    Returns:
        {} if nothing was shortened, otherwise `loss` by context, `all` among them; `gain` by context, the loss
        behind it minus the loss behind all; and `num_last`.
    """
    if not shortened:
        return {}
    num_last = len(shortened[0].nll)
    behind_all = {(part.model, part.doc_id): part.nll[-num_last:] for part in whole}
    rows = {"all": [make_row(part, part.nll[-num_last:]) for part in whole]}
    gains: dict[str, list[dict[str, Any]]] = {}
    for part in shortened:
        gain = part.nll - behind_all[part.model, part.doc_id]
        rows.setdefault(str(part.context), []).append(make_row(part, part.nll))
        gains.setdefault(str(part.context), []).append(make_row(part, gain))
    return {
        "num_last": num_last,
        "loss": compare_family({context: pd.DataFrame(found) for context, found in rows.items()}, bootstrap),
        "gain": compare_family({context: pd.DataFrame(found) for context, found in gains.items()}, bootstrap),
    }


def compare_key_tokens(whole: Sequence[Losses], shortened: Sequence[Losses], bootstrap: Bootstrap) -> dict[str, Cell]:
    """Return LongPPL by short context: the perplexity of the tokens for which the whole context matters.

    The base model decides which tokens those are, for both models, so that the same tokens are compared; choosing
    them by a model favours it, here the base. The paper's short context is 4,096 tokens; others are other measures.
    A context without any key token has no cell.

    Source: LongPPL (arXiv 2410.23771), whose key tokens are found by one evaluator model for all.
    """
    behind_all = {(part.model, part.doc_id): part.nll for part in whole}
    groups: dict[str, list[dict[str, Any]]] = {}
    for part in shortened:
        if part.model != "base":
            continue
        keys = find_key_tokens(part.nll, behind_all["base", part.doc_id][-len(part.nll) :])
        for model in MODELS:
            losses = behind_all[model, part.doc_id][-len(part.nll) :][keys]
            row = {**make_row(part, losses), "model": model}
            groups.setdefault(str(part.context), []).extend([row] if row["num_tokens"] else [])
    tables = {context: pd.DataFrame(rows) for context, rows in groups.items() if rows}
    cells = compare_family(tables, bootstrap)
    return {
        context: {**exponentiate(cell), "num_tokens": count_tokens(tables[context])} for context, cell in cells.items()
    }


def find_key_tokens(behind_short: Any, behind_all: Any) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which tokens lose more than 2 nats by the whole context, and have less than 2 nats then."""
    found: np.ndarray[Any, np.dtype[np.bool_]] = (behind_short - behind_all > MIN_FALL) & (behind_all < MAX_LOSS)
    return found


def count_tokens(rows: pd.DataFrame) -> int:
    """Return the number of tokens that each model was scored on."""
    return int(rows[rows["model"] == "base"]["num_tokens"].sum())


def sum_by_document(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Join the rows of windows (model, doc_id, length, nll, num_tokens) into one a model, document and length."""
    frame = pd.DataFrame(list(rows))
    frame["nll"] *= frame["num_tokens"]
    joined = frame.groupby(["model", "doc_id", "length"], as_index=False, sort=True)[["nll", "num_tokens"]].sum()
    return joined.assign(nll=joined["nll"] / joined["num_tokens"])
