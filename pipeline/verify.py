"""Refuse every example whose evidence does not support its answer.

Reads   DOCUMENTS/*.parquet          documents
        EXAMPLES/examples*.parquet   examples; one that already has a `reason` counts as refused
Writes  OUT/examples-00000.parquet   the examples that passed, with the names of their checks
        OUT/rejected-00000.parquet   the others, each with its reason
        OUT/report.json              accepted by task and places, refused by reason and task, what an accepted one cost
        OUT/preview.html             some examples of each task with their evidence in context, and some refused ones
        OUT/replies.sqlite           the replies of an endpoint to the probes
"""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.checks.repeated_questions import AskedQuestions
from pipeline.checks.run import Bounds, Check, list_checks, run_checks
from pipeline.cli import run_stage
from pipeline.dataset.evidence_page import write_preview
from pipeline.errors import InputError
from pipeline.files import write_json
from pipeline.params import Params
from pipeline.passages.evidence_places import Buckets, count_by_bucket, find_buckets
from pipeline.records import Example
from pipeline.rejections import Reason, count_reasons, list_rejections
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import read_documents, read_examples, write_examples
from pipeline.teachers.endpoint_params import EndpointParams
from pipeline.teachers.errors import STOPPED, find_fix
from pipeline.teachers.probes import PROBES, ProbeName, probe_all

log = logging.getLogger(__name__)


class VerifyParams(Params):
    """Section `verify` of params.yaml."""

    max_question_characters: int = Field(ge=1)
    max_answer_characters: int = Field(ge=1)
    probes: list[ProbeName]  # asked of an endpoint; the others are recorded as 'not run'
    min_judgement: int = Field(ge=1, le=5)  # the lowest of the judge's four marks
    endpoint: EndpointParams  # of the probes
    num_previews: int = Field(ge=0)  # of each task


def verify(examples: Iterator[Example], store: DocumentStore, bounds: Bounds) -> Iterator[Example]:
    """Yield the examples in their order, each with the checks it passed or the reason why it is refused.

    An example that has a reason already is passed on. Of questions asked twice of the same documents the second is
    refused.
    """
    checks = list_checks(bounds)
    asked = AskedQuestions()
    for example in examples:
        if example.reason:
            yield example
            continue
        verified = verify_one(example, store, checks)
        if not verified.reason:
            earlier = asked.add(example)
            if earlier:
                verified = replace(verified, reason=str(Reason("question asked twice", f"like {earlier}")))
            else:
                verified = replace(verified, checks=(*verified.checks, "question_is_new"))
        yield verified


def verify_one(example: Example, store: DocumentStore, checks: Mapping[str, Check]) -> Example:
    """Return an example after the checks; one whose documents are not there is refused."""
    named = {*example.doc_ids, *(span.doc_id for span in example.evidence)}
    documents = {doc_id: store[doc_id] for doc_id in sorted(named) if doc_id in store}
    if not example.doc_ids or any(doc_id not in documents for doc_id in example.doc_ids):
        return replace(example, reason=str(Reason("no such document", "it was not kept")))
    return run_checks(example, documents, checks)


def probe(
    examples: Sequence[Example], params: VerifyParams, store: DocumentStore, out: Path
) -> tuple[list[Example], Counter[str]]:
    """Return the examples after the probes, and why some probes were not run; accepted ones name those."""
    probed, not_run = probe_all(examples, params.probes, params.endpoint, params.min_judgement, store, out)
    skipped = tuple(f"{name}: not run" for name in PROBES if name not in params.probes)
    marked = [example if example.reason else replace(example, checks=(*example.checks, *skipped)) for example in probed]
    return marked, not_run


def check_probes(not_run: Counter[str], params: VerifyParams) -> None:
    """Say which probes got no usable reply.

    Raises:
        InputError: The server let the run go no further.
    """
    if not not_run:
        return
    first, num = next(iter(not_run)), sum(not_run.values())
    kinds = count_reasons(not_run.elements())
    log.warning("verify: %d probes were not run (%s; first: %s)", num, ", ".join(kinds), first)
    if STOPPED in kinds:
        stopped = next(reason for reason in not_run if reason.startswith(STOPPED))
        raise InputError(
            f"the endpoint {params.endpoint.base_url}",
            found=f"no usable reply to {num} probes: {stopped}",
            expected="a reply to each",
            fix=find_fix(STOPPED),
        )


def count_results(
    accepted: Sequence[Example], rejected: Sequence[Example], buckets: Buckets, examples: Path
) -> dict[str, Any]:
    """Return the counts of a run, with what an accepted example cost if an endpoint was paid for the examples."""
    report: dict[str, Any] = {
        "accepted_by_task": Counter(example.task for example in accepted),
        "refused_by_reason": count_reasons(example.reason for example in rejected),
        "refused_by_task": Counter(example.task for example in rejected),
        "places_of_evidence": count_by_bucket(accepted, buckets),
    }
    asked = examples / "report.json"
    spending = json.loads(asked.read_text(encoding="utf-8")).get("spending") if asked.is_file() else None
    if spending:
        report["cost_per_accepted_example"] = spending["cost"] / len(accepted)
    return report


def run(params: VerifyParams, *, documents: Path, examples: Path, out: Path) -> None:
    """Write the examples that passed every check, and the others with their reasons."""
    store = DocumentStore(documents)
    bounds = Bounds(params.max_question_characters, params.max_answer_characters)
    checked = list(verify(read_examples(examples, "examples*.parquet"), store, bounds))
    verified, not_run = probe(checked, params, store, out)
    accepted = [example for example in verified if not example.reason]
    rejected = [example for example in verified if example.reason]
    counts = count_reasons(example.reason for example in rejected)
    if not accepted:
        raise InputError(
            examples,
            found=f"no example that passed: {list_rejections(counts)}",
            expected="examples whose evidence supports their answers",
            fix="Run 'ask' on these documents.",
        )
    write_examples(out / "rejected-00000.parquet", rejected)
    buckets = find_buckets(accepted, read_documents(documents))
    report = count_results(accepted, rejected, buckets, examples)
    if not_run:
        report["probes_not_run"] = count_reasons(not_run.elements())
    write_json(out / "report.json", report)
    write_preview(out / "preview.html", verified, store, params.num_previews)
    write_examples(out / "examples-00000.parquet", accepted)
    log.info("verify: %d examples in %s, %s", len(accepted), out, list_rejections(counts))
    check_probes(not_run, params)


if __name__ == "__main__":
    run_stage(run)
