"""Reasons why documents and examples are rejected, and their counts."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

SEPARATOR = ": "


@dataclass(frozen=True)
class Reason:
    """Why something was rejected. Its text, as records store it, is 'kind: detail'."""

    kind: str  # what reports count by, in words that hold for every case: 'near-duplicate'
    detail: str = ""  # this case: which document, which number

    def __post_init__(self) -> None:
        """Make sure that the text can be read back."""
        assert self.kind, "a reason has a kind"
        assert SEPARATOR not in self.kind, self.kind

    def __str__(self) -> str:
        """Return the text that records store."""
        return f"{self.kind}{SEPARATOR}{self.detail}" if self.detail else self.kind

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a reason."""
        kind, _, detail = text.partition(SEPARATOR)
        return cls(kind, detail)


def count_reasons(reasons: Iterable[str]) -> dict[str, int]:
    """Count the texts of reasons by their kind, in the order of the kinds."""
    return dict(sorted(Counter(Reason.parse(reason).kind for reason in reasons).items()))


def list_rejections(counts: dict[str, int]) -> str:
    """Return 'refused 3 (1 short, 2 unreadable)', for the closing line of a stage."""
    if not counts:
        return "refused none"
    return f"refused {sum(counts.values())} ({', '.join(f'{count} {kind}' for kind, count in counts.items())})"
