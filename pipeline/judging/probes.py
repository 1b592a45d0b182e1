"""Ask a model whether a question needs its document, all of its evidence, and nothing but it.

A probe returns why an example is refused, or None. Whether two answers agree is for the model to say as well: answers
may be alike in every word but 'not', and different in every word but one figure.

Source  closed-book and single-chunk probes as in LongMIT (arXiv 2409.01893)
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Literal, get_args

from pydantic import Field

from pipeline.checks.citations import without_citations
from pipeline.endpoint.client import Endpoint
from pipeline.endpoint.request_body import Messages
from pipeline.endpoint.structured import StructuredReply
from pipeline.judging.judge import MAX_WHY, SYSTEM
from pipeline.judging.shown_evidence import fence_evidence
from pipeline.records import Example
from pipeline.rejections import Reason
from pipeline.storage.document_store import DocumentStore
from pipeline.tasks.task import get_task
from pipeline.teachers.map_reduce import SAYS_NOTHING

ProbeName = Literal["closed_book", "evidence_only", "single_chunk"]
PROBES: tuple[ProbeName, ...] = get_args(ProbeName)
UNKNOWN = "I do not know"
RULE = f"Answer in one to three sentences. If you cannot know the answer, say '{UNKNOWN}'."
SAME = (
    "Do both answers tell a reader the same about the question? Other words, another order and more or fewer details do"
    " not matter; another figure, name, date, direction or reason does."
)


class ShortAnswer(StructuredReply):
    """An answer and nothing else."""

    answer: str = Field(min_length=1, max_length=1_500)


class Agreement(StructuredReply):
    """Whether two answers say the same."""

    why: str = Field(min_length=1, max_length=MAX_WHY)
    agree: bool


Probe = Callable[[Endpoint, Example, DocumentStore], Awaitable[Reason | None]]


async def closed_book(endpoint: Endpoint, example: Example, store: DocumentStore) -> Reason | None:
    """Refuse a question that the model answers without its document."""
    if says_nothing(example):
        return None  # that it cannot be answered is the answer
    reply = await endpoint.ask(question_messages(replace(example, evidence=()), store), ShortAnswer)
    is_known = await agrees(endpoint, example, reply.answer)
    return Reason("answerable without the document") if is_known else None


async def evidence_only(endpoint: Endpoint, example: Example, store: DocumentStore) -> Reason | None:
    """Refuse an answer that the model does not give from the evidence alone."""
    reply = await endpoint.ask(question_messages(example, store), ShortAnswer)
    is_given = await agrees(endpoint, example, reply.answer)
    return None if is_given else Reason("evidence alone gives another answer")


async def single_chunk(endpoint: Endpoint, example: Example, store: DocumentStore) -> Reason | None:
    """Refuse a question for several places that the model answers from a single one of its quotes."""
    for span in example.evidence:
        reply = await endpoint.ask(question_messages(replace(example, evidence=(span,)), store), ShortAnswer)
        if await agrees(endpoint, example, reply.answer):
            return Reason("answerable from one place")
    return None


def list_probes(names: Sequence[ProbeName], example: Example) -> dict[ProbeName, Probe]:
    """Return the probes with some names, in the order in which they run; `single_chunk` is for several places."""
    probes: dict[ProbeName, Probe] = {
        "closed_book": closed_book,
        "evidence_only": evidence_only,
        "single_chunk": single_chunk,
    }
    needs_several = get_task(example.task).num_quotes[0] > 1
    return {
        name: probe for name, probe in probes.items() if name in names and (needs_several or name != "single_chunk")
    }


def question_messages(example: Example, store: DocumentStore) -> Messages:
    """Return the request for an answer from the quotes of an example, or from none."""
    body, nonce = fence_evidence(example, store, around=False)
    system = f"{SYSTEM.format(nonce=nonce)} {RULE}" if body else RULE
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": f"{body}\n\n{example.question}".strip()},
    ]


def says_nothing(example: Example) -> bool:
    """Say whether an answer is that the documents do not say."""
    return SAYS_NOTHING in example.answer.lower()


async def agrees(endpoint: Endpoint, example: Example, answer: str) -> bool:
    """Say whether an answer means the same as the example's; what needs no judgement is not asked."""
    is_unknown = UNKNOWN.lower() in answer.lower() or SAYS_NOTHING in answer.lower()
    if is_unknown or says_nothing(example):
        return is_unknown and says_nothing(example)
    expected = without_citations(example.answer)
    if " ".join(expected.split()).casefold() == " ".join(answer.split()).casefold():
        return True
    wish = f"Question: {example.question}\nFirst answer: {expected}\nSecond answer: {answer}\n\n{SAME}"
    return (await endpoint.ask([{"role": "user", "content": wish}], Agreement)).agree
