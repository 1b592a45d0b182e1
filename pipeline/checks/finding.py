"""What a check finds: a fault that is certain, or a doubt that a judge decides."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.records import Document, Example
from pipeline.rejections import Reason

RULES, PEOPLE = "extractive", "human"  # teachers that are no model; people are named with their venue


@dataclass(frozen=True)
class Finding:
    """Why an example is refused or in doubt."""

    reason: Reason
    is_certain: bool


Search = Callable[[Example, Mapping[str, Document]], Iterator[Finding]]
Check = Callable[[Example, Mapping[str, Document]], list[Finding]]


def fault(kind: str, detail: str = "") -> Finding:
    """Return a finding that refuses the example."""
    return Finding(Reason(kind, detail), is_certain=True)


def doubt(kind: str, detail: str = "") -> Finding:
    """Return a finding that the check can neither confirm nor refuse."""
    return Finding(Reason(kind, detail), is_certain=False)


def is_by_model(example: Example) -> bool:
    """Say whether a model wrote an example.

    What rules and people give as evidence has every figure and name of their answers, so that there a missing one is
    a fault; a model may well say 'Elizabeth' where its quote says 'I'.
    """
    return example.teacher not in ("", RULES) and not example.teacher.startswith(PEOPLE)
