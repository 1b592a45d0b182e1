"""Run all checks on an example: what it must pass before it enters the dataset.

A check is a pure function of an example and its documents. It yields what it finds: faults, for which the example is
refused, and doubts, which a judge decides. Its name is written into the rows in which it found nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from pipeline.checks.answer_checks import (
    answer_is_whole,
    claims_are_no_stronger,
    denials_hold,
    question_asks_something,
)
from pipeline.checks.column_checks import (
    figures_fit_their_columns,
    figures_fit_their_names,
    figures_fit_their_segments,
    figures_fit_their_years,
)
from pipeline.checks.direction_checks import directions_fit_the_figures
from pipeline.checks.document_checks import figures_fit_their_documents
from pipeline.checks.evidence_checks import (
    citations_are_in_evidence,
    evidence_is_enough,
    evidence_is_verbatim,
    evidence_says_something,
    ignores_injected_instructions,
    places_are_certain,
)
from pipeline.checks.finding import Check, Finding, Search, fault
from pipeline.checks.grounding_checks import arithmetic_holds, names_are_in_evidence, numbers_are_in_evidence
from pipeline.checks.order_checks import events_are_in_order, quotes_are_apart
from pipeline.checks.statement_checks import statements_rest_on_their_quotes
from pipeline.checks.wording_checks import (
    is_free_of_chatter,
    language_is_the_documents,
    lengths_are_sensible,
    question_is_answerable_once,
)
from pipeline.records import Document, Example
from pipeline.tasks.task import get_task


@dataclass(frozen=True)
class Bounds:
    """What the checks take from params.yaml."""

    max_question_characters: int
    max_answer_characters: int


def task_finds_it_sound(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse what the task's own rule refuses."""
    find_fault = get_task(example.task).find_fault
    reason = find_fault(example, documents) if find_fault else None
    if reason:
        yield fault(reason.kind, reason.detail)


CHECKS: tuple[Search, ...] = (
    evidence_is_verbatim,
    evidence_is_enough,
    is_free_of_chatter,
    ignores_injected_instructions,
    language_is_the_documents,
    answer_is_whole,
    evidence_says_something,
    places_are_certain,
    arithmetic_holds,
    numbers_are_in_evidence,
    names_are_in_evidence,
    figures_fit_their_years,
    figures_fit_their_columns,
    figures_fit_their_names,
    figures_fit_their_segments,
    figures_fit_their_documents,
    directions_fit_the_figures,
    statements_rest_on_their_quotes,
    quotes_are_apart,
    events_are_in_order,
    claims_are_no_stronger,
    denials_hold,
    question_asks_something,
    citations_are_in_evidence,
    question_is_answerable_once,
    task_finds_it_sound,
)


def list_checks(bounds: Bounds) -> dict[str, Check]:
    """Return all checks by name, in the order in which they run."""

    def check_lengths(example: Example, _documents: Mapping[str, Document]) -> Iterator[Finding]:
        return lengths_are_sensible(
            example,
            max_question_characters=bounds.max_question_characters,
            max_answer_characters=bounds.max_answer_characters,
        )

    searches = {lengths_are_sensible.__name__: check_lengths} | {search.__name__: search for search in CHECKS}
    return {name: partial(list_findings, search) for name, search in searches.items()}


def list_findings(search: Search, example: Example, documents: Mapping[str, Document]) -> list[Finding]:
    """Return all that a check finds; nothing means that the example passes."""
    return list(search(example, documents))


def run_checks(example: Example, documents: Mapping[str, Document], checks: Mapping[str, Check]) -> Example:
    """Return the example with the names of the checks that found nothing, its doubts, or why it is refused.

    The first fault ends the checks.
    """
    passed, doubts = list[str](), list[str]()
    for name, check in checks.items():
        found = check(example, documents)
        faults = [finding for finding in found if finding.is_certain]
        if faults:
            return replace(example, checks=tuple(passed), doubts=tuple(doubts), reason=str(faults[0].reason))
        doubts += [str(finding.reason) for finding in found]
        if not found:
            passed.append(name)
    return replace(example, checks=tuple(passed), doubts=tuple(dict.fromkeys(doubts)))
