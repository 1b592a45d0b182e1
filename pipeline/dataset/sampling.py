"""Share the long rows of a dataset among families of tasks, and draw them.

Source  the shares of the original, as its repository gives them: book questions 13 %, short 26 %, summaries 7 %,
        paper reviews 20 %, document analysis 20 %, other 14 %
"""

import fnmatch
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from pipeline.records import Example
from pipeline.stable_order import round_robin, stable_shuffle

OTHERS = "others"
Plan = TypeVar("Plan")
Planner = Callable[[list[Example]], Mapping[str, Plan]]  # example_id -> how it is shown; missing where it cannot be


class Family(BaseModel):
    """A family of tasks in `mix.families` of params.yaml."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    share: float  # of the long rows, relative to the other families
    kinds: list[str]  # patterns of category/task, as 'book/*'; the first family that matches has the example


def match_family(kind: str, families: Mapping[str, Family]) -> str:
    """Return the name of the first family that has a kind."""
    return next((n for n, f in families.items() if any(fnmatch.fnmatch(kind, k) for k in f.kinds)), OTHERS)


def share_rows(num_rows: int, families: Mapping[str, Family]) -> dict[str, int]:
    """Share rows among families by the largest remainders, the earlier family first where they are equal."""
    total = sum(family.share for family in families.values())
    if not total:
        return {OTHERS: num_rows}
    exact = {name: num_rows * family.share / total for name, family in families.items()}
    quotas = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: quotas[name] - exact[name])
    for name in by_remainder[: num_rows - sum(quotas.values())]:
        quotas[name] += 1
    return quotas


class Pools:
    """Candidates by family; within a family the kinds take turns, and within a kind a hash decides."""

    def __init__(self, examples: Mapping[str, list[Example]], families: Mapping[str, Family], seed: int) -> None:
        """Order the candidates.

        Args:
            examples: By kind.
            families: By name.
            seed: Of the hash.
        """
        self.found = {kind: len(of_kind) for kind, of_kind in sorted(examples.items())}
        self.family_by_kind = {kind: match_family(kind, families) for kind in self.found}
        self._pools: dict[str, deque[Example]] = {}
        for name in [*families, OTHERS]:
            kinds = [kind for kind in self.found if self.family_by_kind[kind] == name]
            shuffled = [stable_shuffle(examples[kind], seed, key=lambda example: example.example_id) for kind in kinds]
            self._pools[name] = deque(round_robin(shuffled))

    def take(self, name: str, count: int) -> list[Example]:
        """Take the next `count` of a family, or as many as there are."""
        pool = self._pools[name]
        return [pool.popleft() for _ in range(min(count, len(pool)))]

    def take_any(self, count: int) -> list[Example]:
        """Take the next `count` of what is left, the families in turns."""
        left = round_robin(self._pools.values())[:count]
        chosen = {example.example_id for example in left}
        for name, pool in self._pools.items():
            self._pools[name] = deque(example for example in pool if example.example_id not in chosen)
        return left


def draw(
    pools: Pools, quotas: Mapping[str, int], plan: "Planner[Plan]", *, fill: bool
) -> tuple[dict[str, Plan], Counter[str]]:
    """Draw as many examples as each family's quota says; one that cannot be shown gives its place to the next.

    Args:
        pools: Candidates, which are used up.
        quotas: Rows by family.
        plan: Says how examples are shown.
        fill: Whether what one family lacks is taken from the others.

    Returns:
        The plans of those drawn, and how many rows each family lacks in spite of all.
    """
    plans: dict[str, Plan] = {}
    lacking = Counter({name: quota for name, quota in quotas.items() if quota > 0})
    while lacking:
        asked = {name: pools.take(name, count) for name, count in lacking.items()}
        batch = [example for examples in asked.values() for example in examples]
        if not batch:
            break
        planned = plan(batch)
        plans |= planned
        for name, examples in asked.items():
            lacking[name] -= sum(example.example_id in planned for example in examples)
        lacking = +lacking
    while fill and lacking and (batch := pools.take_any(lacking.total())):
        planned = plan(batch)
        plans |= planned
        for _ in planned:
            lacking[next(iter(+lacking))] -= 1
        lacking = +lacking
    return plans, lacking
