"""Ask a model what no rule can tell: whether a question needs its document, all of it, and whether its answer is good.

Each probe says 'passed', why an example is refused, or that it was not run; what was not run never counts as passed.

Source  closed-book and single-chunk probes as in LongMIT (arXiv 2409.01893); four dimensions as in LongReward
        (arXiv 2410.21252)
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field
from rapidfuzz import fuzz

from pipeline.checks.arithmetic import NUMBER
from pipeline.checks.checks import number_of
from pipeline.checks.citations import without_citations
from pipeline.records import Example
from pipeline.tasks.task import all_tasks
from pipeline.teachers.client import Answer, Endpoint, EndpointParams, Messages, RefusedError
from pipeline.teachers.reply_cache import FILE, ReplyStore

ProbeName = Literal["closed_book", "evidence_only", "single_chunk", "judge"]
PROBES: tuple[ProbeName, ...] = get_args(ProbeName)
MIN_LIKENESS = 75.0  # of rapidfuzz's token_set_ratio, from which answers without numbers and names agree
NAME = re.compile(r"(?<!^)(?<![.!?] )\b[A-Z][a-z]{2,}\b")
UNKNOWN = "I do not know"


class Reply(Answer):
    """An answer and nothing else."""

    answer: str = Field(min_length=1, max_length=1_500)


class Judgement(Answer):
    """Marks from 1, bad, to 5, good."""

    helpful: int = Field(ge=1, le=5, description="it answers what is asked")
    logical: int = Field(ge=1, le=5, description="it does not contradict itself, and its steps follow")
    faithful: int = Field(ge=1, le=5, description="all that it says stands in the quotes")
    complete: int = Field(ge=1, le=5, description="nothing of what is asked is left out")


Probe = Callable[[Endpoint, Example, int], Awaitable[str]]


def probe_all(
    examples: Sequence[Example],
    probes: Sequence[ProbeName],
    params: EndpointParams,
    min_judgement: int,
    out: Path,
) -> list[Example]:
    """Return the examples with what the probes say of those that nothing was said against; no probe sends nothing."""
    if not probes:
        return list(examples)
    with ReplyStore(out / FILE) as replies:
        return asyncio.run(probe_each(examples, probes, params, min_judgement, replies))


async def probe_each(
    examples: Sequence[Example],
    probes: Sequence[ProbeName],
    params: EndpointParams,
    min_judgement: int,
    replies: ReplyStore,
) -> list[Example]:
    """Probe examples, as many at a time as may be in flight."""
    found = list(examples)
    async with Endpoint(params, replies) as endpoint:
        await endpoint.check()
        waiting = iter([number for number, example in enumerate(found) if not example.reason])

        async def work() -> None:
            for number in waiting:
                found[number] = await probed(endpoint, found[number], probes, min_judgement)

        async with asyncio.TaskGroup() as group:
            for _ in range(params.max_in_flight):
                group.create_task(work())
    return found


async def probed(endpoint: Endpoint, example: Example, probes: Sequence[ProbeName], min_judgement: int) -> Example:
    """Return an example with the probes that it passed, or the reason of the first that it did not."""
    for name in PROBES:
        if name not in probes:
            continue
        if name == "single_chunk" and not needs_places(example):
            continue
        try:
            reason = await FUNCTIONS[name](endpoint, example, min_judgement)
        except RefusedError:
            example = replace(example, checks=(*example.checks, f"{name}: not run"))
            continue
        if reason:
            return replace(example, reason=reason)
        example = replace(example, checks=(*example.checks, name))
    return example


def needs_places(example: Example) -> bool:
    """Say whether a task wants evidence from several places."""
    task = all_tasks().get(example.task)
    return task is not None and task.num_quotes[0] > 1


async def closed_book(endpoint: Endpoint, example: Example, min_judgement: int) -> str:
    """Refuse a question that is answered without its document."""
    del min_judgement
    reply = await endpoint.ask(question_messages(example, []), Reply)
    return "answerable without the document" if agrees(example, reply.answer) else ""


async def evidence_only(endpoint: Endpoint, example: Example, min_judgement: int) -> str:
    """Refuse an answer that its evidence alone does not give."""
    del min_judgement
    reply = await endpoint.ask(question_messages(example, [span.quote for span in example.evidence]), Reply)
    return "" if agrees(example, reply.answer) else "evidence alone gives another answer"


async def single_chunk(endpoint: Endpoint, example: Example, min_judgement: int) -> str:
    """Refuse a question that one of its pieces of evidence answers alone."""
    del min_judgement
    for span in example.evidence:
        reply = await endpoint.ask(question_messages(example, [span.quote]), Reply)
        if agrees(example, reply.answer):
            return "answerable from one place"
    return ""


async def judge(endpoint: Endpoint, example: Example, min_judgement: int) -> str:
    """Refuse an answer that has a mark below the least."""
    quotes = "\n".join(f"Quote: {span.quote}" for span in example.evidence)
    asked = f"Question: {example.question}\nAnswer: {example.answer}"
    wish = f"{quotes}\n\n{asked}\n\nMark this answer, from 1 (bad) to 5 (good)."
    marks = await endpoint.ask([{"role": "user", "content": wish}], Judgement)
    low = [f"{name} {mark}" for name, mark in marks.model_dump().items() if mark < min_judgement]
    return f"judged: {', '.join(low)}" if low else ""


FUNCTIONS: dict[ProbeName, Probe] = {
    "closed_book": closed_book,
    "evidence_only": evidence_only,
    "single_chunk": single_chunk,
    "judge": judge,
}


def question_messages(example: Example, quotes: Sequence[str]) -> Messages:
    """Return a question with some quotes, or with none."""
    listed = "\n".join(f"Quote: {quote}" for quote in quotes)
    wish = f"{listed}\n\n{example.question}".strip()
    rule = f"Answer in one to three sentences. If you cannot know the answer, say '{UNKNOWN}'."
    return [{"role": "system", "content": rule}, {"role": "user", "content": wish}]


def agrees(example: Example, answer: str) -> bool:
    """Say whether an answer says what the example's says: the same numbers, else names, else like words."""
    if UNKNOWN.lower() in answer.lower():
        return False
    wanted = without_citations(example.answer)
    asked = {number_of(digits) for digits in NUMBER.findall(example.question)}
    numbers = {number_of(digits) for digits in NUMBER.findall(wanted)} - asked
    if numbers:
        return numbers <= {number_of(digits) for digits in NUMBER.findall(answer)} | asked
    names = {name for name in NAME.findall(f"_ {wanted}") if name not in example.question}
    if names:
        return all(name in answer for name in names)
    return fuzz.token_set_ratio(wanted.lower(), answer.lower()) >= MIN_LIKENESS
