"""The tables of a comparison of methods: the loss of each, and paired differences on the same documents."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from eval.stats import Difference, compare_means, correct_family, split_spread
from pipeline.tables import Table

NUM_RESAMPLES = 10_000
NUM_PARTS = 4  # of a window, with a loss each
Losses = dict[str, list[list[float]]]  # of each document, of each of its windows, the mean losses of its parts
Rates = dict[str, float]  # learning rates by their keys in a recipe
COMPARISONS = (
    ("LoRA+", "LoRA"),
    ("LoRA+", "full fine-tuning"),
    ("LoRA+, S2-Attn, G = L/4", "LoRA+"),
    ("LoRA+, S2-Attn, G = L/2", "LoRA+"),
)


def document_means(runs: Sequence[Losses]) -> list[float]:
    """Return the mean loss of each document, over its windows and the seeds."""
    return [float(np.mean([run[doc_id] for run in runs])) for doc_id in sorted(runs[0])]


def results_table(runs: dict[str, list[Losses]], rates: dict[str, Rates], before: dict[str, Losses]) -> Table:
    """Return the loss and perplexity of each method, and the standard deviation over its seeds."""
    rows: list[tuple[Any, ...]] = []
    for name, losses in before.items():
        mean = float(np.mean(document_means([losses])))
        rows.append((f"untrained, {name}", None, None, mean, math.exp(mean), None))
    for name, seeds in runs.items():
        means = [float(np.mean(document_means([run]))) for run in seeds]
        mean = float(np.mean(means))
        spread = float(np.std(means, ddof=1)) if len(means) > 1 else None
        own = rates[name]
        rows.append((name, own["learning_rate"], own.get("embedding_learning_rate"), mean, math.exp(mean), spread))
    header = ("method", "rate", "of the embedding", "loss, nats a token", "perplexity", "standard deviation of seeds")
    return Table("Held-out loss with full attention", header, tuple(rows))


def differences_table(runs: dict[str, list[Losses]]) -> Table:
    """Return the paired differences over documents, with 95 % intervals, and how far seeds and documents differ."""
    pairs = [pair for pair in COMPARISONS if set(pair) <= set(runs)]
    found = correct_family({f"{name} - {other}": compare_methods(runs[name], runs[other]) for name, other in pairs})
    rows: list[tuple[Any, ...]] = []
    for (name, other), (title, cell) in zip(pairs, found.items(), strict=True):
        seeds = [
            [one - two for one, two in zip(document_means([left]), document_means([right]), strict=True)]
            for left, right in zip(runs[name], runs[other], strict=True)
        ]
        enough = len(seeds) > 1 and len(seeds[0]) > 1
        spread = split_spread(seeds) if enough else None
        figures = (cell["value"], cell["low"], cell["high"], cell["n"], cell["p_holm"], cell["detectable"])
        of_each = ", ".join(f"{np.mean(seed):+.4f}" for seed in seeds)
        rows.append((title, *figures, spread and spread.seeds, spread and spread.documents, of_each))
    header = (
        *("difference", "nats a token", "95 % low", "95 % high", "documents", "p (Holm)", "detectable"),
        *("standard deviation of seeds", "of documents", "of each seed"),
    )
    return Table("Paired differences over documents", header, tuple(rows))


def compare_methods(left: Sequence[Losses], right: Sequence[Losses]) -> Difference:
    """Return the paired difference of two methods over documents, each the mean over its windows and the seeds."""
    return compare_means(document_means(left), document_means(right), NUM_RESAMPLES, seed=0)


def parts_table(runs: dict[str, list[Losses]]) -> Table:
    """Return the loss of each method in each part of a window: early parts need short distances, late ones long too."""
    rows = []
    for name, seeds in runs.items():
        windows = [np.mean(run[doc_id], axis=0) for run in seeds for doc_id in sorted(run)]
        rows.append((name, *np.mean(windows, axis=0).tolist()))
    header = ("method", *(f"part {number + 1} of {NUM_PARTS}" for number in range(NUM_PARTS)))
    return Table("Held-out loss by part of the window", header, tuple(rows))
