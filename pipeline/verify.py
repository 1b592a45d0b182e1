"""Refuse every example whose evidence does not carry its answer.

Reads   DOCUMENTS/*.parquet          documents
        EXAMPLES/examples*.parquet   examples; one that has a `reason` already is passed on as refused
Writes  OUT/examples-00000.parquet   the examples that passed, with the names of the checks
        OUT/rejected-00000.parquet   the others, each with its reason
        OUT/report.json              accepted by task, refused by reason, where evidence lies, what an example cost
        OUT/preview.html             twenty examples a task with their evidence in its place, and some that were refused
        OUT/replies.sqlite           what an endpoint answered to the probes
"""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.checks.checks import CHECKS, Bounds
from pipeline.checks.repeated_questions import Asked
from pipeline.cli import run_stage
from pipeline.dataset.evidence_page import write_preview
from pipeline.errors import InputError
from pipeline.files import write_json
from pipeline.params import Params
from pipeline.records import Document, Example
from pipeline.rejections import count_reasons, list_rejections
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import read_examples, write_examples
from pipeline.teachers.client import EndpointParams
from pipeline.teachers.probes import PROBES, ProbeName, probe_all

log = logging.getLogger(__name__)


class VerifyParams(Params):
    """Section `verify` of params.yaml."""

    max_question_characters: int = Field(ge=1)
    max_answer_characters: int = Field(ge=1)
    probes: list[ProbeName]  # asked of an endpoint; the others are marked 'not run'
    min_judgement: int = Field(ge=1, le=5)  # of the judge's four marks, each
    endpoint: EndpointParams  # of the probes
    num_previews: int = Field(ge=0)  # of each task


def bounds_of(params: VerifyParams) -> Bounds:
    """Return what the checks take from the parameters."""
    return Bounds(params.max_question_characters, params.max_answer_characters)


def verify(example: Example, documents: Mapping[str, Document], bounds: Bounds) -> Example:
    """Return the example with the checks that it passed, and the reason of the first that it did not."""
    passed: list[str] = []
    for check in CHECKS:
        reason = check(example, documents, bounds)
        if reason:
            return replace(example, checks=tuple(passed), reason=reason)
        passed.append(check.__name__)
    return replace(example, checks=tuple(passed))


def verify_all(examples: Iterator[Example], store: DocumentStore, bounds: Bounds) -> Iterator[Example]:
    """Verify examples in their order; a question asked twice of the same documents is refused the second time."""
    asked = Asked()
    for example in examples:
        if example.reason:
            yield example
            continue
        named = {*example.doc_ids, *(span.doc_id for span in example.evidence)}
        documents = {doc_id: store[doc_id] for doc_id in sorted(named) if doc_id in store}
        if not example.doc_ids or any(doc_id not in documents for doc_id in example.doc_ids):
            yield replace(example, reason="no such document: it was not kept")
            continue
        verified = verify(example, documents, bounds)
        if not verified.reason:
            twin = asked.add(example)
            reason = f"question asked twice: like {twin}" if twin else ""
            checks = verified.checks if twin else (*verified.checks, "question_is_new")
            verified = replace(verified, reason=reason, checks=checks)
        yield verified


def probed(examples: Sequence[Example], params: VerifyParams, out: Path) -> list[Example]:
    """Return the examples after the probes; those that were not run are named as such."""
    done = probe_all(examples, params.probes, params.endpoint, params.min_judgement, out)
    skipped = tuple(f"{probe}: not run" for probe in PROBES if probe not in params.probes)
    return [example if example.reason else replace(example, checks=(*example.checks, *skipped)) for example in done]


def report_of(accepted: Sequence[Example], rejected: Sequence[Example], examples: Path) -> dict[str, Any]:
    """Return the counts of a run, and what an accepted example cost if an endpoint was paid for them."""
    report: dict[str, Any] = {
        "accepted_by_task": Counter(example.task for example in accepted),
        "refused_by_reason": count_reasons(example.reason for example in rejected),
        "refused_by_task": Counter(example.task for example in rejected),
    }
    asked = examples / "report.json"
    spending = json.loads(asked.read_text(encoding="utf-8")).get("spending") if asked.is_file() else None
    if spending:
        report["cost_per_accepted_example"] = spending["cost"] / len(accepted)
    return report


def run(params: VerifyParams, *, documents: Path, examples: Path, out: Path) -> None:
    """Write the examples that passed every check, and those that did not with their reasons."""
    store = DocumentStore(documents)
    checked = list(verify_all(read_examples(examples, "examples*.parquet"), store, bounds_of(params)))
    verified = probed(checked, params, out)
    accepted = [example for example in verified if not example.reason]
    rejected = [example for example in verified if example.reason]
    counts = count_reasons(example.reason for example in rejected)
    if not accepted:
        raise InputError(
            examples,
            found=f"no example that passed: {list_rejections(counts)}",
            expected="examples whose evidence carries their answers",
            fix="Run 'ask' on the same documents that are named here.",
        )
    write_examples(out / "rejected-00000.parquet", rejected)
    write_json(out / "report.json", report_of(accepted, rejected, examples))
    write_preview(out / "preview.html", verified, store, params.num_previews)
    write_examples(out / "examples-00000.parquet", accepted)
    log.info("verify: %d examples in %s, %s", len(accepted), out, list_rejections(counts))


if __name__ == "__main__":
    run_stage(run)
