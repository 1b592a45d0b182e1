"""Limit how many examples there are of a task, category, length or number of places; say why a quota was not filled."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from pipeline.params import Part
from pipeline.passages.evidence_places import Bucket
from pipeline.records import Category, Example


class Quota(Part):
    """How many examples there may be of a kind; a key that is left out matches all."""

    task: str = ""
    category: Category | None = None
    min_tokens: int = Field(0, ge=0)  # of all documents of an example together
    max_tokens: int = Field(1 << 62, ge=1)
    places: Bucket | None = None  # in how many places of the documents the evidence is
    num: int = Field(ge=0)

    def __str__(self) -> str:
        """Return what it counts, as in a report: 'cell statement 0-65536 tokens'."""
        length = (
            "" if self.max_tokens == 1 << 62 and not self.min_tokens else f"{self.min_tokens}-{self.max_tokens} tokens"
        )
        places = f"{self.places} places" if self.places else ""
        return " ".join(filter(None, (self.task, self.category, length, places))) or "all"


@dataclass(frozen=True)
class ExampleTraits:
    """What quotas go by."""

    task: str
    category: Category
    num_tokens: int
    places: Bucket

    def counts_for(self, quota: Quota) -> bool:
        """Say whether an example with these traits counts for a quota."""
        return (
            quota.task in ("", self.task)
            and quota.category in (None, self.category)
            and quota.places in (None, self.places)
            and quota.min_tokens <= self.num_tokens <= quota.max_tokens
        )


def describe_example(
    example: Example, categories: Mapping[str, Category], num_tokens: Mapping[str, int], places: Bucket
) -> ExampleTraits:
    """Return the traits of an example: the category of its first document, the length of all its documents."""
    total = sum(num_tokens[doc_id] for doc_id in example.doc_ids)
    return ExampleTraits(example.task, categories[example.doc_ids[0]], total, places)


def choose_within(
    examples: Sequence[tuple[Example, ExampleTraits]], quotas: Sequence[Quota]
) -> tuple[list[Example], list[dict[str, object]]]:
    """Return the examples within the quotas, and the status of each quota.

    An example is kept if none of the quotas that it counts for is full yet; earlier examples go first.
    """
    filled: Counter[int] = Counter()
    matched: Counter[int] = Counter()
    kept = []
    for example, traits in examples:
        mine = [number for number, quota in enumerate(quotas) if traits.counts_for(quota)]
        matched.update(mine)
        if all(filled[number] < quotas[number].num for number in mine):
            filled.update(mine)
            kept.append(example)
    return kept, [quota_status(quota, filled[number], matched[number]) for number, quota in enumerate(quotas)]


def quota_status(quota: Quota, num: int, num_matched: int) -> dict[str, object]:
    """Return how many examples a quota got, and why it was not filled if it was not."""
    why = ""
    if num < quota.num:
        why = "no more were found" if num == num_matched else "the others were kept out by other quotas"
        why = "none was found" if num_matched == 0 else why
    return {"quota": str(quota), "wanted": quota.num, "got": num, "found": num_matched, "why": why}


def limit_shares(examples: Sequence[Example], max_shares: Mapping[str, float]) -> list[Example]:
    """Return the examples without those that would give a task more than its greatest share; earlier ones stay.

    A share is of all examples that are left. Of 10 `section` and 20 others, with `section` at 0.1, 2 and 20 are left.
    """
    found = Counter(example.task for example in examples)
    total = len(examples)
    while True:
        limits = {task: int(share * total) for task, share in max_shares.items()}
        left = sum(min(number, limits.get(task, number)) for task, number in found.items())
        if left == total:
            break
        total = left
    kept: Counter[str] = Counter()
    chosen = []
    for example in examples:
        if kept[example.task] < limits.get(example.task, len(examples)):
            kept[example.task] += 1
            chosen.append(example)
    return chosen


def list_unfilled(statuses: Iterable[Mapping[str, object]]) -> list[str]:
    """Return a line for each quota that was not filled."""
    return [f"{one['quota']}: {one['got']} of {one['wanted']}, {one['why']}" for one in statuses if one["why"]]
