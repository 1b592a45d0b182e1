"""The tables of a comparison of methods: the loss of each, and paired differences on the same documents."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from eval.stats import bootstrap_mean
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
    """Return the paired differences over documents, with 95 % intervals, and the difference of each seed."""
    rows = []
    for name, other in (pair for pair in COMPARISONS if set(pair) <= set(runs)):
        pairs = zip(document_means(runs[name]), document_means(runs[other]), strict=True)
        interval = bootstrap_mean([left - right for left, right in pairs], NUM_RESAMPLES, seed=0)
        seeds = [
            float(np.mean(document_means([left])) - np.mean(document_means([right])))
            for left, right in zip(runs[name], runs[other], strict=True)
        ]
        rows.append((f"{name} - {other}", *asdict(interval).values(), ", ".join(f"{seed:+.4f}" for seed in seeds)))
    header = ("difference", "nats a token", "95 % low", "95 % high", "of each seed")
    return Table("Paired differences over documents", header, tuple(rows))


def parts_table(runs: dict[str, list[Losses]]) -> Table:
    """Return the loss of each method in each part of a window: early parts need short distances, late ones long too."""
    rows = []
    for name, seeds in runs.items():
        windows = [np.mean(run[doc_id], axis=0) for run in seeds for doc_id in sorted(run)]
        rows.append((name, *np.mean(windows, axis=0).tolist()))
    header = ("method", *(f"part {number + 1} of {NUM_PARTS}" for number in range(NUM_PARTS)))
    return Table("Held-out loss by part of the window", header, tuple(rows))
