"""Refuse every example whose evidence does not support its answer.

The checks find faults, for which an example is refused, and doubts. A judge, who is a model, reads every example that a
model wrote, and decides the doubts. Where nobody judges, an example in doubt is refused.

Reads   DOCUMENTS/*.parquet          documents
        EXAMPLES/examples*.parquet   examples; one that already has a `reason` counts as refused
Writes  OUT/examples-00000.parquet   the examples that passed, with the names of their checks
        OUT/rejected-00000.parquet   the others, each with its reason
        OUT/report.json              accepted by task and places, refused by reason and task, doubts, costs
        OUT/preview.html             some examples of each task with their evidence in context, and some refused ones
        OUT/replies.sqlite           the replies of an endpoint to judge and probes
"""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.checks.finding import Check, is_by_model
from pipeline.checks.repeated_questions import AskedQuestions
from pipeline.checks.run import Bounds, list_checks, run_checks
from pipeline.cli import run_stage
from pipeline.dataset.evidence_page import write_preview
from pipeline.endpoint.budget import Spending
from pipeline.endpoint.endpoint_params import EndpointParams
from pipeline.errors import InputError
from pipeline.files import write_json
from pipeline.judging.examination import Examination, examine_all, warn_of_own_model
from pipeline.judging.judge import JudgeParams
from pipeline.judging.probes import PROBES, ProbeName
from pipeline.params import Params
from pipeline.passages.evidence_places import Buckets, count_by_bucket, find_buckets
from pipeline.records import Example
from pipeline.rejections import Reason, count_reasons, list_rejections
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import read_documents, read_examples, write_examples

log = logging.getLogger(__name__)

NO_JUDGE = "in doubt, and nobody judges"


class VerifyParams(Params):
    """Section `verify` of params.yaml."""

    max_question_characters: int = Field(ge=1)
    max_answer_characters: int = Field(ge=1)
    judge: JudgeParams
    probes: list[ProbeName]  # asked of an endpoint; the others are recorded as 'not run'
    endpoint: EndpointParams  # of judge and probes
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


def choose_examination(examples: Sequence[Example], params: VerifyParams) -> Examination:
    """Return what a model is asked about examples: by 'auto' there is a judge if a model wrote some of them."""
    is_needed = any(is_by_model(example) for example in examples)
    has_judge = params.judge.when == "always" or (params.judge.when == "auto" and is_needed)
    return Examination(tuple(params.probes), params.judge if has_judge else None, params.endpoint)


def refuse_doubts(examples: Sequence[Example], examination: Examination) -> list[Example]:
    """Return the examples; where nobody judges, those in doubt are refused for their first doubt."""
    if examination.judge:
        return list(examples)
    return [
        replace(example, reason=str(Reason(NO_JUDGE, example.doubts[0])))
        if example.doubts and not example.reason
        else example
        for example in examples
    ]


def name_skipped(example: Example) -> Example:
    """Return an example that names as 'not run' what nobody asked about it."""
    skipped = tuple(f"{name}: not run" for name in (*PROBES, "judge") if name not in example.checks)
    return example if example.reason else replace(example, checks=(*example.checks, *skipped))


def count_results(
    accepted: Sequence[Example], rejected: Sequence[Example], buckets: Buckets, examples: Path
) -> dict[str, Any]:
    """Return the counts of a run, with what an accepted example cost if an endpoint was paid for the examples."""
    in_doubt = [example for example in (*accepted, *rejected) if example.doubts]
    num_refused = sum(example.reason.startswith(NO_JUDGE) for example in in_doubt)
    report: dict[str, Any] = {
        "accepted_by_task": Counter(example.task for example in accepted),
        "refused_by_reason": count_reasons(example.reason for example in rejected),
        "refused_by_task": Counter(example.task for example in rejected),
        "places_of_evidence": count_by_bucket(accepted, buckets),
        "doubts": {
            "examples": len(in_doubt),
            "found_sound_by_the_judge": sum(not example.reason for example in in_doubt),
            "refused_because_nobody_judges": num_refused,
            "by_kind": count_reasons(doubt for example in in_doubt for doubt in example.doubts),
        },
    }
    asked = examples / "report.json"
    spending = json.loads(asked.read_text(encoding="utf-8")).get("spending") if asked.is_file() else None
    if spending:
        report["cost_per_accepted_example"] = spending["cost"] / len(accepted)
    return report


def describe_judge(
    examination: Examination, verified: Sequence[Example], num_own: int, spending: Spending | None
) -> dict[str, Any]:
    """Return what a report says about the judge and the probes."""
    num_judged = sum("judge" in example.checks for example in verified)
    described: dict[str, Any] = {"judged_sound": num_judged}
    if examination.judge:
        described |= {
            "model": examination.endpoint.model,
            "votes": examination.judge.votes,
            "written_by_the_same_model": num_own,
        }
    return described | ({"spending": spending.as_dict(num_judged)} if spending else {})


def log_results(accepted: Sequence[Example], report: Mapping[str, Any], out: Path) -> None:
    """Log the closing line, and what became of the examples in doubt."""
    doubts = report["doubts"]
    refused = list_rejections(report["refused_by_reason"])
    log.info("verify: %d examples in %s, %s", len(accepted), out, refused)
    if doubts["examples"]:
        log.info(
            "verify: %d in doubt: the judge found %d of them sound; %d were refused because nobody judges"
            " (verify.judge.when)",
            doubts["examples"], doubts["found_sound_by_the_judge"], doubts["refused_because_nobody_judges"],
        )  # fmt: skip


def run(params: VerifyParams, *, documents: Path, examples: Path, out: Path) -> None:
    """Write the examples that passed every check and the judge, and the others with their reasons.

    Raises:
        InputError: No example passed, or the judge's server let the run go no further.
    """
    store = DocumentStore(documents)
    bounds = Bounds(params.max_question_characters, params.max_answer_characters)
    checked = list(verify(read_examples(examples, "examples*.parquet"), store, bounds))
    examination = choose_examination(checked, params)
    num_own = warn_of_own_model(checked, params.endpoint.model) if examination.judge else 0
    examined, spending = examine_all(refuse_doubts(checked, examination), examination, store, out)
    verified = [name_skipped(example) for example in examined]
    accepted = [example for example in verified if not example.reason]
    rejected = [example for example in verified if example.reason]
    if not accepted:
        raise InputError(
            examples,
            found=f"no example that passed: {list_rejections(count_reasons(one.reason for one in rejected))}",
            expected="examples whose evidence supports their answers",
            fix="Run 'ask' on these documents.",
        )
    write_examples(out / "rejected-00000.parquet", rejected)
    buckets = find_buckets(accepted, read_documents(documents))
    report = count_results(accepted, rejected, buckets, examples)
    report["judge"] = describe_judge(examination, verified, num_own, spending)
    write_json(out / "report.json", report)
    write_preview(out / "preview.html", verified, store, params.num_previews)
    write_examples(out / "examples-00000.parquet", accepted)
    log_results(accepted, report, out)


if __name__ == "__main__":
    run_stage(run)
