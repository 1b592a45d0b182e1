"""Ask an endpoint for examples: plan the requests, send them, and turn the replies into examples."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from tqdm import tqdm

from pipeline.passages.document_groups import DocumentCard, alone, group_documents
from pipeline.passages.passages import Passages
from pipeline.passages.quote_alignment import locate
from pipeline.records import Evidence, Example, make_example_id
from pipeline.storage.document_store import DocumentStore
from pipeline.tasks.build import join_licences
from pipeline.tasks.task import Task, all_tasks
from pipeline.teachers.budget import Spending
from pipeline.teachers.client import Endpoint, EndpointParams
from pipeline.teachers.errors import RefusedError
from pipeline.teachers.map_reduce import OVERHEAD_TOKENS, max_body_characters, write_from_notes
from pipeline.teachers.prompts import (
    VERSION,
    ExampleReply,
    example_messages,
    fence_documents,
    make_nonce,
    reply_schema,
)
from pipeline.teachers.reply_cache import FILE, ReplyStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TeachingPlan:
    """What an endpoint is asked."""

    documents: Path
    num_per_document: int
    seed: int
    endpoint: EndpointParams


@dataclass(frozen=True)
class Slot:
    """One example to be asked for."""

    doc_ids: tuple[str, ...]
    task: Task
    number: int  # of the slot among those of its documents
    num_slots: int


def plan_slots(plan: TeachingPlan, cards: Sequence[DocumentCard]) -> Iterator[Slot]:
    """Yield the examples to ask for: `num_per_document` about each document, one of each task about each group.

    The tasks of a document take turns, and its slots are spread evenly over its text.
    """
    tasks = [task for task in all_tasks().values() if task.prompt]
    relations = sorted(
        {task.related for task in tasks}, key=lambda relation: (relation is not alone, relation.__name__)
    )
    for relation, group in group_documents(cards, relations):
        mine = [task for task in tasks if task.related is relation and group[0].category in task.categories]
        num_slots = plan.num_per_document if relation is alone else len(mine)
        doc_ids = tuple(card.doc_id for card in group)
        # Each document starts with another task, so that a few slots of each cover them all.
        first = int.from_bytes(sha256("".join(doc_ids).encode()).digest()[:4])
        for number in range(num_slots if mine else 0):
            yield Slot(doc_ids, mine[(first + number) % len(mine)], number, num_slots)


def generate(plan: TeachingPlan, cards: Sequence[DocumentCard], out: Path) -> tuple[list[Example], Spending]:
    """Return the examples of all slots in their order, and what they cost.

    A slot without a usable reply is an example with a `reason`. Replies are recorded in OUT before they are used, and
    an interrupted run continues from there.
    """
    with ReplyStore(out / FILE) as store:
        return asyncio.run(generate_all(plan, list(plan_slots(plan, cards)), store))


async def generate_all(
    plan: TeachingPlan, slots: Sequence[Slot], replies: ReplyStore
) -> tuple[list[Example], Spending]:
    """Fill the slots, up to `max_in_flight` at a time."""
    async with Endpoint(plan.endpoint, replies) as endpoint:
        await endpoint.check()
        filler = SlotFiller(endpoint, DocumentStore(plan.documents), plan.seed)
        found: list[Example | None] = [None] * len(slots)
        waiting = iter(enumerate(slots))
        progress = tqdm(total=len(slots), desc="ask", unit=" examples", disable=None)

        async def work() -> None:
            for number, slot in waiting:
                found[number] = await filler.fill(slot)
                progress.update()

        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(slots), plan.endpoint.max_in_flight)):
                group.create_task(work())
        progress.close()
        spending = endpoint.spending
    log.info(
        "ask: %d replies replayed, %d requests sent, cost of all %.2f",
        spending.num_replayed, spending.num_sent, spending.cost,
    )  # fmt: skip
    if spending.num_over_budget:
        log.warning(
            "ask: %d requests were over budget and not sent: raise ask.endpoint.max_tokens or max_cost, and run again",
            spending.num_over_budget,
        )
    return [example for example in found if example is not None], spending


class SlotFiller:
    """Fills slots by asking an endpoint."""

    def __init__(self, endpoint: Endpoint, store: DocumentStore, seed: int) -> None:
        """Take the endpoint and the documents."""
        self._endpoint = endpoint
        self._seed = seed
        self._passages = lru_cache(maxsize=64)(lambda doc_id: Passages(store[doc_id]))
        self._nonce = lru_cache(maxsize=256)(lambda doc_ids: make_nonce([self._passages(d) for d in doc_ids], seed))

    async def fill(self, slot: Slot) -> Example:
        """Return the example of a slot; one without a usable reply has a reason."""
        documents = [self._passages(doc_id) for doc_id in slot.doc_ids]
        try:
            return self.align(slot, documents, await self.write(slot, documents))
        except RefusedError as error:
            return self.build_refused(slot, documents, str(error.reason))

    async def write(self, slot: Slot, documents: Sequence[Passages]) -> ExampleReply:
        """Return a question, its answer and quotes, as the endpoint writes them.

        Raises:
            RefusedError: There is no usable reply.
        """
        nonce = self._nonce(slot.doc_ids)
        body = fence_documents(documents, nonce)
        most = max_body_characters(self._endpoint)
        if len(body) <= most:
            messages = example_messages(slot.task, body, nonce, describe_place(slot, documents))
            return await self._endpoint.ask(messages, reply_schema(slot.task))
        num_chunks = max(1, len(body) // most + 1)
        chunk = slot.number * num_chunks // slot.num_slots
        question, written = await write_from_notes(self._endpoint, slot.task, documents, nonce, chunk)
        return ExampleReply(question=question, answer=written.answer, evidence=written.evidence)

    def align(self, slot: Slot, documents: Sequence[Passages], reply: ExampleReply) -> Example:
        """Return the example of a reply, with each quote replaced by the exact words of its document.

        Raises:
            RefusedError: A document does not have its quote.
        """
        evidence = []
        for quote in reply.evidence:
            if quote.document > len(documents):
                raise RefusedError("reply", f"a quote of document {quote.document} of {len(documents)}")
            document = documents[quote.document - 1].document
            span = locate(document.text, quote.quote)
            if span is None:
                raise RefusedError("quote not found", " ".join(quote.quote.split())[:80])
            evidence.append(Evidence(document.doc_id, span.start, span.end, span.text))
        evidence.sort(key=lambda span: (slot.doc_ids.index(span.doc_id), span.start))
        question, answer = reply.question.strip(), reply.answer.strip()
        blank = self.build_blank(slot, documents, make_example_id(slot.task.name, question, answer, slot.doc_ids))
        return replace(blank, question=question, answer=answer, evidence=tuple(dict.fromkeys(evidence)))

    def build_refused(self, slot: Slot, documents: Sequence[Passages], reason: str) -> Example:
        """Return the example of a slot without a usable reply."""
        example_id = make_example_id(slot.task.name, f"slot {slot.number}", reason, slot.doc_ids)
        return replace(self.build_blank(slot, documents, example_id), reason=reason)

    def build_blank(self, slot: Slot, documents: Sequence[Passages], example_id: str) -> Example:
        """Return an example of a slot without question and answer."""
        return Example(
            example_id=example_id,
            task=slot.task.name,
            question="",
            answer="",
            doc_ids=slot.doc_ids,
            teacher=self._endpoint.params.model,
            prompt_version=f"{VERSION}/{slot.task.version}",
            licence=join_licences([passages.document for passages in documents]),
        )


def describe_place(slot: Slot, documents: Sequence[Passages]) -> str:
    """Return which part of its documents a question should be about; the slots of a document are spread over it."""
    if len(documents) > 1:
        return "in all of them"
    passages = documents[0]
    position = (2 * slot.number + 1) * len(passages.document.text) // (2 * slot.num_slots)
    path = passages.heading_path_at(position)
    percent = round(100 * position / max(1, len(passages.document.text)))
    heading = f", under the heading “{path[-1]}”" if path else ""
    return f"about {percent} percent of the way through it{heading}"


def estimate(plan: TeachingPlan, cards: Sequence[DocumentCard]) -> str:
    """Return in a line what a run would ask and cost at most, without sending anything."""
    params, tokens = plan.endpoint, {card.doc_id: card.num_tokens for card in cards}
    most = int(params.max_context_tokens - params.max_reply_tokens - OVERHEAD_TOKENS)
    num_requests = prompt = 0
    for slot in plan_slots(plan, cards):
        length = sum(tokens[doc_id] for doc_id in slot.doc_ids)
        if length <= most:
            requests, read = 1, length
        else:  # a draft, a note on each chunk, and the answer
            num_chunks = -(-length // most)
            requests, read = num_chunks + 2, length + 2 * most
        num_requests += requests
        prompt += read + requests * OVERHEAD_TOKENS
    reply = num_requests * params.max_reply_tokens
    cost = params.price(prompt, reply)
    return f"{num_requests} requests, {prompt} prompt tokens, at most {reply} reply tokens, at most {cost:.2f} in all"
