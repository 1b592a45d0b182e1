"""Sum up scored replies: by cell and length, compared pair by pair, and by what the questions are like.

Questions about one document are alike, so documents are drawn in the bootstrap, each with as much weight as it has
questions.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from eval.stats import Difference, bootstrap_mean, compare_means, correct_family

PAIRS = {
    "tuned - base, with the text": ("tuned with the text", "base with the text"),
    "base: with the text - without it": ("base with the text", "base without it"),
    "tuned: with the text - without it": ("tuned with the text", "tuned without it"),
    "tuned with the text - base with passages": ("tuned with the text", "base with passages"),
    "tuned with the text - base without it": ("tuned with the text", "base without it"),  # the announcement's
}
MEASURES = ("score", "f1", "exact", "figures", "evidence")
TRAITS = ("task", "category", "position", "places", "needs")
NUM_PARTS = 5  # of the text, for the position of evidence


def summarise(rows: pd.DataFrame, num_resamples: int, seed: int) -> dict[str, Any]:
    """Return the figures of a run: `cells`, `differences` and `traits`, each with n and interval."""
    frame = rows.assign(position=rows["position"].map(name_part))
    sampled = {"num_resamples": num_resamples, "seed": seed}
    return {
        "cells": {
            str(length): {cell: measure(group, **sampled) for cell, group in at_length.groupby("cell", sort=False)}
            for length, at_length in frame.groupby("length")
        },
        "differences": {
            str(length): compare_cells(at_length, **sampled) for length, at_length in frame.groupby("length")
        },
        "traits": {trait: split_by(frame, trait, **sampled) for trait in TRAITS},
    }


def name_part(position: float) -> str:
    """Return the fifth of the text that a place is in, like '20-40 %'."""
    part = min(NUM_PARTS - 1, int(position * NUM_PARTS))
    return f"{100 * part // NUM_PARTS}-{100 * (part + 1) // NUM_PARTS} %"


def measure(rows: pd.DataFrame, *, num_resamples: int, seed: int) -> dict[str, Any]:
    """Return each measure over the rows that have it, and how often the model says that the text does not say."""
    found: dict[str, Any] = {"num_questions": len(rows)}
    columns = dict.fromkeys(MEASURES, rows)
    columns["refused_unanswerable"] = rows[rows["is_unanswerable"]].assign(refused_unanswerable=rows["refused"])
    columns["refused_answerable"] = rows[~rows["is_unanswerable"]].assign(refused_answerable=rows["refused"])
    for name, group in columns.items():
        values, weights = mean_by_document(group, name)
        if len(values):
            found[name] = asdict(bootstrap_mean(list(values), num_resamples, seed, list(weights)))
    return found


def mean_by_document(rows: pd.DataFrame, column: str) -> tuple[pd.Series, pd.Series]:
    """Return the mean of a column in each document that has it, and the number of its questions."""
    grouped = rows[rows[column].notna()].astype({column: float}).groupby("doc_id")[column]
    return grouped.mean(), grouped.count()


def compare_cells(rows: pd.DataFrame, *, num_resamples: int, seed: int) -> Mapping[str, Any]:
    """Return the differences of scores between cells over the same questions, one family."""
    table = rows.pivot(index=["doc_id", "example_id"], columns="cell", values="score")
    found: dict[str, Difference] = {}
    for name, (one, other) in PAIRS.items():
        left, right = (table[cell].groupby("doc_id") for cell in (one, other))
        weights = list(left.count())
        found[name] = compare_means(list(left.mean()), list(right.mean()), num_resamples, seed, weights)
    return correct_family(found)


def split_by(rows: pd.DataFrame, trait: str, *, num_resamples: int, seed: int) -> dict[str, Any]:
    """Return the scores with the text of each value of a trait, by model."""
    with_text = rows[rows["cell"].str.endswith("with the text")]
    found: dict[str, dict[str, Any]] = {}
    for (value, cell), group in with_text.groupby([trait, "cell"]):
        values, weights = mean_by_document(group, "score")
        interval = asdict(bootstrap_mean(list(values), num_resamples, seed, list(weights)))
        found.setdefault(str(value), {})[str(cell)] = interval | {"num_questions": len(group)}
    return found
