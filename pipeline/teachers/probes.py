"""Ask a model what no rule can tell: whether a question needs its document, and whether its answer is good.

A probe returns why an example is refused, or None. A probe that got no reply is recorded as 'not run', never as passed.

Source  closed-book and single-chunk probes as in LongMIT (arXiv 2409.01893); four dimensions as in LongReward
        (arXiv 2410.21252)
"""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field
from rapidfuzz import fuzz

from pipeline.checks.arithmetic import NUMBER, parse_number
from pipeline.checks.citations import without_citations
from pipeline.checks.prompt_injection import mask_injections
from pipeline.passages.passage_search import search_passages
from pipeline.records import Example
from pipeline.rejections import Reason
from pipeline.storage.document_store import DocumentStore
from pipeline.tasks.task import get_task
from pipeline.teachers.client import Endpoint
from pipeline.teachers.endpoint_params import EndpointParams
from pipeline.teachers.errors import RefusedError
from pipeline.teachers.map_reduce import NUM_SEARCHED, SAYS_NOTHING
from pipeline.teachers.reply_cache import FILE, ReplyStore
from pipeline.teachers.request_body import Messages
from pipeline.teachers.structured import StructuredReply
from pipeline.teachers.workers import run_workers

ProbeName = Literal["closed_book", "evidence_only", "single_chunk", "judge"]
PROBES: tuple[ProbeName, ...] = get_args(ProbeName)
MIN_SIMILARITY = 75.0  # of rapidfuzz's token_set_ratio, for two answers without numbers and names to agree
NAME = re.compile(r"(?<!^)(?<![.!?] )\b[A-Z][a-z]{2,}\b")
UNKNOWN = "I do not know"


class ShortAnswer(StructuredReply):
    """An answer and nothing else."""

    answer: str = Field(min_length=1, max_length=1_500)


class Judgement(StructuredReply):
    """Marks from 1, bad, to 5, good."""

    helpful: int = Field(ge=1, le=5, description="it answers what is asked")
    logical: int = Field(ge=1, le=5, description="it does not contradict itself, and its steps follow")
    faithful: int = Field(ge=1, le=5, description="all of it is in the quotes, and nothing found contradicts it")
    complete: int = Field(ge=1, le=5, description="nothing of what is asked is left out")


Probe = Callable[[Endpoint, Example], Awaitable[Reason | None]]


def probe_all(
    examples: Sequence[Example],
    names: Sequence[ProbeName],
    params: EndpointParams,
    min_judgement: int,
    store: DocumentStore,
    out: Path,
) -> tuple[list[Example], Counter[str]]:
    """Return the examples with the results of the probes, and why some probes were not run.

    Examples refused before are not probed.

    Args:
        examples: In any order.
        names: Of the probes; without any, nothing is sent.
        params: Of the endpoint that is asked.
        min_judgement: The lowest mark that the judge may give.
        store: The documents; the judge of a 'does not say' is shown the passages that come closest.
        out: Where the replies are recorded.
    """
    if not names:
        return list(examples), Counter()
    with ReplyStore(out / FILE) as replies:
        return asyncio.run(probe_each(examples, list_probes(names, min_judgement, store), params, replies))


async def probe_each(
    examples: Sequence[Example],
    probes: Mapping[ProbeName, Probe],
    params: EndpointParams,
    replies: ReplyStore,
) -> tuple[list[Example], Counter[str]]:
    """Probe examples, up to `max_in_flight` at a time."""
    found, not_run = list(examples), Counter[str]()
    async with Endpoint(params, replies) as endpoint:
        waiting = iter([number for number, example in enumerate(found) if not example.reason])

        async def work() -> None:
            for number in waiting:
                found[number] = await probe_example(endpoint, found[number], probes, not_run)

        await run_workers([work() for _ in range(params.max_in_flight)])
    return found, not_run


async def probe_example(
    endpoint: Endpoint, example: Example, probes: Mapping[ProbeName, Probe], not_run: Counter[str]
) -> Example:
    """Return the example with the names of the probes it passed, and the reason of the first that it failed.

    Why a probe was not run is counted in `not_run`.
    """
    for name, probe in probes.items():
        if name == "single_chunk" and not needs_several_quotes(example):
            continue
        try:
            reason = await probe(endpoint, example)
        except RefusedError as error:
            not_run[str(error.reason)] += 1
            example = replace(example, checks=(*example.checks, f"{name}: not run"))
            continue
        if reason:
            return replace(example, reason=str(reason))
        example = replace(example, checks=(*example.checks, name))
    return example


def needs_several_quotes(example: Example) -> bool:
    """Say whether the task asks for evidence from several places."""
    return get_task(example.task).num_quotes[0] > 1


async def closed_book(endpoint: Endpoint, example: Example) -> Reason | None:
    """Refuse a question that the model answers without its document."""
    if says_nothing(example):
        return None  # that it cannot be answered is the answer
    reply = await endpoint.ask(question_messages(example, []), ShortAnswer)
    return Reason("answerable without the document") if agrees(example, reply.answer) else None


async def evidence_only(endpoint: Endpoint, example: Example) -> Reason | None:
    """Refuse an answer that the model does not give from the evidence alone."""
    reply = await endpoint.ask(question_messages(example, [span.quote for span in example.evidence]), ShortAnswer)
    return None if agrees(example, reply.answer) else Reason("evidence alone gives another answer")


async def single_chunk(endpoint: Endpoint, example: Example) -> Reason | None:
    """Refuse a question that the model answers from a single one of its quotes."""
    for span in example.evidence:
        reply = await endpoint.ask(question_messages(example, [span.quote]), ShortAnswer)
        if agrees(example, reply.answer):
            return Reason("answerable from one place")
    return None


async def judge(endpoint: Endpoint, example: Example, *, min_judgement: int, store: DocumentStore) -> Reason | None:
    """Refuse an answer with a mark below `min_judgement`.

    For an answer that the documents do not say something, quotes prove nothing: the judge is shown as well what a
    search of the whole documents finds.
    """
    shown = [f"Quote: {span.quote}" for span in example.evidence]
    for doc_id in example.doc_ids if says_nothing(example) else ():
        found = search_passages(mask_injections(store[doc_id].text), example.question, NUM_SEARCHED)
        shown += [f"Found elsewhere in the document: {span.text}" for span in found]
    quotes = "\n".join(shown)
    asked = f"Question: {example.question}\nAnswer: {example.answer}"
    wish = f"{quotes}\n\n{asked}\n\nMark this answer, from 1 (bad) to 5 (good)."
    marks = await endpoint.ask([{"role": "user", "content": wish}], Judgement)
    low = [f"{name} {mark}" for name, mark in marks.model_dump().items() if mark < min_judgement]
    return Reason("judged", ", ".join(low)) if low else None


def list_probes(names: Sequence[ProbeName], min_judgement: int, store: DocumentStore) -> dict[ProbeName, Probe]:
    """Return the probes with some names, in the order in which they run."""
    probes: dict[ProbeName, Probe] = {
        "closed_book": closed_book,
        "evidence_only": evidence_only,
        "single_chunk": single_chunk,
        "judge": partial(judge, min_judgement=min_judgement, store=store),
    }
    return {name: probe for name, probe in probes.items() if name in names}


def question_messages(example: Example, quotes: Sequence[str]) -> Messages:
    """Return the request for an answer from some quotes, or from none."""
    listed = "\n".join(f"Quote: {quote}" for quote in quotes)
    wish = f"{listed}\n\n{example.question}".strip()
    rule = f"Answer in one to three sentences. If you cannot know the answer, say '{UNKNOWN}'."
    return [{"role": "system", "content": rule}, {"role": "user", "content": wish}]


def says_nothing(example: Example) -> bool:
    """Say whether an answer is that the documents do not say."""
    return SAYS_NOTHING in example.answer.lower()


def agrees(example: Example, answer: str) -> bool:
    """Say whether an answer means the same as the example's: by its numbers, else its names, else its words."""
    is_unknown = UNKNOWN.lower() in answer.lower() or SAYS_NOTHING in answer.lower()
    if is_unknown or says_nothing(example):
        return is_unknown and says_nothing(example)
    expected = without_citations(example.answer)
    asked = {parse_number(digits) for digits in NUMBER.findall(example.question)}
    numbers = {parse_number(digits) for digits in NUMBER.findall(expected)} - asked
    if numbers:
        return numbers <= {parse_number(digits) for digits in NUMBER.findall(answer)} | asked
    names = {name for name in NAME.findall(f"_ {expected}") if name not in example.question}
    if names:
        return all(name in answer for name in names)
    return fuzz.token_set_ratio(expected.lower(), answer.lower()) >= MIN_SIMILARITY
