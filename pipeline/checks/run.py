"""Run all checks on an example: what it must pass before it enters the dataset.

A check is a pure function of an example and its documents. It returns why the example is refused, or None. Its name is
written into the rows that passed it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pipeline.checks.evidence_checks import (
    citations_are_in_evidence,
    evidence_is_enough,
    evidence_is_verbatim,
    ignores_injected_instructions,
)
from pipeline.checks.grounding_checks import arithmetic_holds, names_are_in_evidence, numbers_are_in_evidence
from pipeline.checks.wording_checks import (
    is_free_of_chatter,
    language_is_the_documents,
    lengths_are_sensible,
    question_is_answerable_once,
)
from pipeline.records import Document, Example
from pipeline.rejections import Reason
from pipeline.tasks.task import get_task

Check = Callable[[Example, Mapping[str, Document]], Reason | None]


@dataclass(frozen=True)
class Bounds:
    """What the checks take from params.yaml."""

    max_question_characters: int
    max_answer_characters: int


def task_finds_it_sound(example: Example, documents: Mapping[str, Document]) -> Reason | None:
    """Refuse what the task's own rule refuses."""
    find_fault = get_task(example.task).find_fault
    return find_fault(example, documents) if find_fault else None


def list_checks(bounds: Bounds) -> dict[str, Check]:
    """Return all checks by name, in the order in which they run."""

    def check_lengths(example: Example, _documents: Mapping[str, Document]) -> Reason | None:
        return lengths_are_sensible(
            example,
            max_question_characters=bounds.max_question_characters,
            max_answer_characters=bounds.max_answer_characters,
        )

    others: tuple[Check, ...] = (
        evidence_is_verbatim,
        evidence_is_enough,
        is_free_of_chatter,
        ignores_injected_instructions,
        arithmetic_holds,
        numbers_are_in_evidence,
        names_are_in_evidence,
        citations_are_in_evidence,
        question_is_answerable_once,
        language_is_the_documents,
        task_finds_it_sound,
    )
    return {lengths_are_sensible.__name__: check_lengths} | {check.__name__: check for check in others}


def run_checks(example: Example, documents: Mapping[str, Document], checks: Mapping[str, Check]) -> Example:
    """Return the example with the names of the checks it passed, and the reason of the first that it failed."""
    passed: list[str] = []
    for name, check in checks.items():
        reason = check(example, documents)
        if reason:
            return replace(example, checks=tuple(passed), reason=str(reason))
        passed.append(name)
    return replace(example, checks=tuple(passed))
