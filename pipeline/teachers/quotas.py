"""How many examples of which kind: numbers per task, category and length, and why some could not be filled."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from pipeline.params import Part
from pipeline.records import Category, Example


class Quota(Part):
    """How many examples there may be of a kind; a key that is left out stands for all."""

    task: str = ""
    category: Category | None = None
    min_tokens: int = Field(0, ge=0)  # of the documents of an example, together
    max_tokens: int = Field(1 << 62, ge=1)
    num: int = Field(ge=0)

    def __str__(self) -> str:
        """Say what it counts, as a report does."""
        length = (
            "" if self.max_tokens == 1 << 62 and not self.min_tokens else f"{self.min_tokens}-{self.max_tokens} tokens"
        )
        return " ".join(filter(None, (self.task, self.category, length))) or "all"


@dataclass(frozen=True)
class Kind:
    """What a quota can tell of an example."""

    task: str
    category: Category
    num_tokens: int

    def counts_for(self, quota: Quota) -> bool:
        """Say whether an example of this kind is one of a quota's."""
        return (
            quota.task in ("", self.task)
            and quota.category in (None, self.category)
            and quota.min_tokens <= self.num_tokens <= quota.max_tokens
        )


def kind_of(example: Example, categories: Mapping[str, Category], num_tokens: Mapping[str, int]) -> Kind:
    """Return the kind of an example: its category is that of its first document, its length that of all."""
    return Kind(example.task, categories[example.doc_ids[0]], sum(num_tokens[doc_id] for doc_id in example.doc_ids))


def choose_within(
    examples: Sequence[tuple[Example, Kind]], quotas: Sequence[Quota]
) -> tuple[list[Example], list[dict[str, object]]]:
    """Return the examples that no full quota keeps out, and what became of each quota.

    An example that counts for several quotas is kept if none of them is full. The order of the examples decides.
    """
    filled: Counter[int] = Counter()
    met: Counter[int] = Counter()
    kept = []
    for example, kind in examples:
        mine = [number for number, quota in enumerate(quotas) if kind.counts_for(quota)]
        met.update(mine)
        if all(filled[number] < quotas[number].num for number in mine):
            filled.update(mine)
            kept.append(example)
    return kept, [fate_of(quota, filled[number], met[number]) for number, quota in enumerate(quotas)]


def fate_of(quota: Quota, num: int, num_met: int) -> dict[str, object]:
    """Return how far a quota was filled, and why no farther."""
    why = ""
    if num < quota.num:
        why = "no more were found" if num == num_met else "the others were kept out by other quotas"
        why = "none was found" if num_met == 0 else why
    return {"quota": str(quota), "wanted": quota.num, "got": num, "found": num_met, "why": why}


def unfilled(fates: Iterable[Mapping[str, object]]) -> list[str]:
    """Return a line for each quota that was not filled."""
    return [f"{fate['quota']}: {fate['got']} of {fate['wanted']}, {fate['why']}" for fate in fates if fate["why"]]
