"""Split documents into train and test; documents of one group stay on one side."""

import math
from collections.abc import Iterable

from pipeline.curation.near_duplicates import Summary
from pipeline.records import Split
from pipeline.stable_order import order_key


def assign_splits(summaries: Iterable[Summary], test_fraction: float, seed: int) -> dict[str, Split]:
    """Assign each document to train or test, by category and a hash, whatever their order.

    A group counts as one document, with the category of its first member by id that is not a review.
    """
    units: dict[str, list[Summary]] = {}
    for summary in sorted(summaries, key=lambda summary: summary.doc_id):
        units.setdefault(f"group {summary.group}" if summary.group else summary.doc_id, []).append(summary)
    by_category: dict[str, list[str]] = {}
    for name, members in units.items():
        first = next((member for member in members if member.category != "review"), members[0])
        by_category.setdefault(first.category, []).append(name)
    splits: dict[str, Split] = {}
    for names in by_category.values():
        ranked = sorted(names, key=lambda name: order_key(seed, name))
        num_test = 0 if len(ranked) < 2 else max(1, math.floor(test_fraction * len(ranked)))
        for rank, name in enumerate(ranked):
            splits |= {member.doc_id: "test" if rank < num_test else "train" for member in units[name]}
    return splits
