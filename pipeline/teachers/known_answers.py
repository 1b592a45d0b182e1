"""Ask an endpoint what documents are known to say, and compare its answers with the known ones.

Short answers are right if they have every figure and nearly every word of the known one; of long ones the overlap is
measured. Both are hints at how good a teacher is on documents like these, not a verdict on an answer.
Source  ROUGE-L: Lin, ROUGE: A Package for Automatic Evaluation of Summaries (2004)
"""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import Field
from rapidfuzz.distance import LCSseq

from pipeline.checks.arithmetic import NUMBER, parse_number
from pipeline.checks.common_words import COMMON
from pipeline.endpoint.client import Endpoint
from pipeline.endpoint.errors import RefusedError
from pipeline.endpoint.reply_cache import FILE, ReplyStore
from pipeline.endpoint.request_body import estimate_text_tokens
from pipeline.endpoint.structured import StructuredReply
from pipeline.endpoint.workers import run_workers
from pipeline.passages.passages import Passages
from pipeline.rejections import Reason, count_reasons
from pipeline.stable_order import round_robin, stable_shuffle
from pipeline.storage.document_store import DocumentStore
from pipeline.tasks.task import KnownFact
from pipeline.teachers.context import max_body_tokens
from pipeline.teachers.prompts import fence_documents, make_messages, make_nonce, show_document
from pipeline.teachers.slots import TeachingPlan

WORD = re.compile(r"[^\W_]+")
MAX_SHORT_WORDS = 12  # of a known answer that is right or wrong
MIN_RECALL = 0.8  # of its words
LONG_DOCUMENT = "document longer than the model's context"
Known = tuple[str, KnownFact]  # with the id of its document


class KnownReply(StructuredReply):
    """An answer to a question about a document."""

    answer: str = Field(min_length=1, max_length=2_000)


@dataclass(frozen=True)
class Comparison:
    """How an answer compares with the known one; with a reason where there is no answer."""

    task: str
    is_short: bool
    recall: float = 0.0  # of the words of the known answer
    has_figures: bool = False  # all of the known answer
    rouge: float = 0.0  # ROUGE-L, F measure
    reason: str = ""

    @property
    def is_right(self) -> bool:
        """Whether the known answer is in the given one, as far as its words and figures tell."""
        return self.has_figures and self.recall >= MIN_RECALL


def compare_answers(fact: KnownFact, answer: str) -> Comparison:
    """Compare an answer with the known one."""
    known, given = (WORD.findall(words.casefold()) for words in (fact.answer, answer))
    telling = {word for word in known if word.isalpha() and word not in COMMON}
    common = LCSseq.similarity(known, given)
    figures = {parse_number(digits) for digits in NUMBER.findall(fact.answer)}
    return Comparison(
        fact.task,
        len(known) <= MAX_SHORT_WORDS,
        recall=len(telling & set(given)) / len(telling) if telling else float(bool(figures) or known == given),
        has_figures=figures <= {parse_number(digits) for digits in NUMBER.findall(answer)},
        rouge=2 * common / max(1, len(known) + len(given)),
    )


def choose_known(facts: Mapping[str, Sequence[KnownFact]], num: int, seed: int) -> list[Known]:
    """Return up to `num` known facts, the kinds of questions in turn."""
    by_task: dict[str, list[Known]] = {}
    for doc_id in sorted(facts):
        for fact in facts[doc_id]:
            by_task.setdefault(fact.task, []).append((doc_id, fact))
    shuffled = [
        stable_shuffle(found, "known", seed, key=lambda pair: f"{pair[0]}{pair[1].question}")
        for _, found in sorted(by_task.items())
    ]
    return round_robin(shuffled)[:num]


def compare_with_known(
    plan: TeachingPlan, facts: Mapping[str, Sequence[KnownFact]], num: int, out: Path
) -> dict[str, Any]:
    """Ask an endpoint up to `num` questions with known answers, and return how its answers compare, for a report."""
    chosen = choose_known(facts, num, plan.seed)
    with ReplyStore(out / FILE) as replies:
        return summarize_comparisons(asyncio.run(ask_all(plan, chosen, replies)))


async def ask_all(plan: TeachingPlan, chosen: Sequence[Known], replies: ReplyStore) -> list[Comparison]:
    """Ask all questions, up to `max_in_flight` at a time."""
    store = DocumentStore(plan.documents)
    found: list[Comparison] = []
    show = lru_cache(maxsize=16)(lambda doc_id: show_document(1, Passages(store[doc_id])))
    async with Endpoint(plan.endpoint, replies) as endpoint:
        waiting = iter(chosen)

        async def work() -> None:
            for doc_id, fact in waiting:
                shown = show(doc_id)
                nonce = make_nonce([shown.passages], plan.seed)
                found.append(await ask_one(endpoint, fact, fence_documents([shown], nonce), nonce))

        await run_workers([work() for _ in range(min(len(chosen), plan.endpoint.max_in_flight))])
    return found


async def ask_one(endpoint: Endpoint, fact: KnownFact, body: str, nonce: str) -> Comparison:
    """Return how the endpoint's answer to one question compares; one without an answer has a reason."""
    is_short = len(WORD.findall(fact.answer)) <= MAX_SHORT_WORDS
    if estimate_text_tokens(body) > max_body_tokens(endpoint.params):
        return Comparison(fact.task, is_short, reason=LONG_DOCUMENT)
    length = "in a few words" if is_short else "in a paragraph"
    try:
        reply = await endpoint.ask(
            make_messages(nonce, body, f"Answer {length}, from the document alone: {fact.question}"), KnownReply
        )
    except RefusedError as error:
        return Comparison(fact.task, is_short, reason=str(Reason(error.reason.kind)))
    return compare_answers(fact, reply.answer)


def summarize_comparisons(found: Sequence[Comparison]) -> dict[str, Any]:
    """Return the counts and means of comparisons; `n` is how many each is taken over."""
    compared = [each for each in found if not each.reason]
    short = [each for each in compared if each.is_short]
    long = [each for each in compared if not each.is_short]
    rouge = sum(sorted(each.rouge for each in long)) / max(1, len(long))
    right = Counter(each.task for each in short if each.is_right)
    return {
        "asked": len(found),
        "not_compared": count_reasons(each.reason for each in found if each.reason),
        "short_answers": {"n": len(short), "right": right.total(), "right_by_task": dict(sorted(right.items()))},
        "long_answers": {"n": len(long), "mean_rouge_l": round(rouge, 3) if long else None},
    }


def describe_comparisons(report: Mapping[str, Any]) -> str:
    """Return a line for the log: how many known answers the teacher gave."""
    short, long, missing = report["short_answers"], report["long_answers"], report["not_compared"]
    parts = [f"{short['right']} of {short['n']} short answers are the known ones"]
    if long["n"]:
        parts.append(f"{long['n']} long ones overlap with theirs by {long['mean_rouge_l']:.2f} (ROUGE-L)")
    if missing:
        parts.append(f"not compared: {', '.join(f'{num} {reason}' for reason, num in missing.items())}")
    return f"of {report['asked']} questions with known answers, {'; '.join(parts)}"
