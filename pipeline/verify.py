"""Refuse every example whose evidence does not carry its answer.

Reads   DOCUMENTS/*.parquet  documents
        EXAMPLES/*.parquet   examples
Writes  OUT/examples-00000.parquet   the examples that passed, with the names of the checks
        OUT/rejected-00000.parquet   the others, each with its reason
        OUT/report.json              accepted by task, refused by reason
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from pipeline.records import Document, DocumentStore, Example, read_examples, write_examples
from pipeline.refusals import count_refusals, list_refusals

NUMBER = re.compile(r"\d[\d,.]*\d|\d")
NAME = re.compile(r"(?<![.!?”] )(?<!^)\b[A-Z][a-z]{2,}\b")
QUOTED = re.compile(r"“([^”]{12,})”")
GAP = "____"
log = logging.getLogger(__name__)


class VerifyParams(Params):
    """Section `verify` of params.yaml."""

    max_question_characters: int
    max_answer_characters: int


def evidence_is_verbatim(example: Example, documents: dict[str, Document], params: VerifyParams) -> str:
    """Each quote stands in its document where it is said to stand, and there is at least one."""
    if not example.evidence:
        return "no evidence"
    for span in example.evidence:
        document = documents.get(span.doc_id)
        if document is None or span.doc_id not in example.doc_ids:
            return f"evidence from another document: {span.doc_id[:16]}"
        if not 0 <= span.start < span.end or document.text[span.start : span.end] != span.quote:
            return f"quote not in its place: characters {span.start} to {span.end}"
    return ""


def answer_is_in_evidence(example: Example, documents: dict[str, Document], params: VerifyParams) -> str:
    """Each number and each name of the answer stands in the evidence, or in the question that it repeats."""
    carried = " ".join([*(span.quote for span in example.evidence), example.question])
    numbers = set(NUMBER.findall(carried))
    for number in NUMBER.findall(example.answer):
        if number not in numbers:
            return f"number not in evidence: {number}"
    for name in NAME.findall(example.answer):
        if name not in carried:
            return f"name not in evidence: {name}"
    return ""


def question_is_answerable_once(example: Example, documents: dict[str, Document], params: VerifyParams) -> str:
    """The words that a question quotes stand in its documents once, so that it has one answer."""
    text = " ".join(" ".join(documents[doc_id].text.split()) for doc_id in example.doc_ids)
    for words in QUOTED.findall(example.question):
        longest = max(words.split(GAP), key=len).strip()
        if example.task not in TABLE_TASKS and text.count(longest) != 1:
            return f"ambiguous: the quoted words stand in the document {text.count(longest)} times"
    return ""


def lengths_are_sensible(example: Example, documents: dict[str, Document], params: VerifyParams) -> str:
    """Neither question nor answer is empty or longer than params.yaml allows."""
    for name, words, limit in (
        ("question", example.question, params.max_question_characters),
        ("answer", example.answer, params.max_answer_characters),
    ):
        if not words.strip():
            return f"empty {name}"
        if len(words) > limit:
            return f"long {name}: more than {limit} characters"
    return ""


Check = Callable[[Example, dict[str, Document], VerifyParams], str]
TABLE_TASKS = ("cell", "series")  # they quote the names of a table, row and column, which may stand in prose as well
CHECKS: tuple[Check, ...] = (
    lengths_are_sensible,
    evidence_is_verbatim,
    answer_is_in_evidence,
    question_is_answerable_once,
)


def verify(example: Example, documents: dict[str, Document], params: VerifyParams) -> Example:
    """Return the example with the checks that it passed, and the reason of the first that it did not."""
    passed: list[str] = []
    for check in CHECKS:
        reason = check(example, documents, params)
        if reason:
            return replace(example, checks=tuple(passed), reason=reason)
        passed.append(check.__name__)
    return replace(example, checks=tuple(passed))


def verify_all(examples: Iterator[Example], store: DocumentStore, params: VerifyParams) -> Iterator[Example]:
    """Verify examples in their order; a question asked twice of the same documents is refused the second time."""
    asked: set[tuple[str, tuple[str, ...]]] = set()
    for example in examples:
        documents = {doc_id: store[doc_id] for doc_id in example.doc_ids if doc_id in store}
        if len(documents) < len(example.doc_ids):
            yield replace(example, reason="no such document: it was not kept")
            continue
        verified = verify(example, documents, params)
        key = (example.question, example.doc_ids)
        if not verified.reason and key in asked:
            verified = replace(verified, reason="question asked twice")
        asked.add(key)
        yield verified


def run(params: VerifyParams, *, documents: Path, examples: Path, out: Path) -> None:
    """Write the examples that passed every check, and those that did not with their reasons."""
    verified = list(verify_all(read_examples(examples), DocumentStore(documents), params))
    accepted = [example for example in verified if not example.reason]
    rejected = [example for example in verified if example.reason]
    counts = count_refusals(example.reason for example in rejected)
    if not accepted:
        raise InputError(
            examples,
            found=f"no example that passed: {list_refusals(counts)}",
            wanted="examples whose evidence carries their answers",
            remedy="Run 'ask' on the same documents that are named here.",
        )
    with replacing(out) as beside:
        beside.mkdir()
        write_examples(beside / "examples-00000.parquet", accepted)
        write_examples(beside / "rejected-00000.parquet", rejected)
        tasks = Counter(example.task for example in accepted)
        write_json(beside / "report.json", {"accepted_by_task": tasks, "refused_by_reason": counts})
    log.info("verify: %d examples in %s, %s", len(accepted), out, list_refusals(counts))


if __name__ == "__main__":
    run_stage(run)
