"""Ask an endpoint for examples: what is asked of whom, in which order, and what becomes of the replies."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from tqdm import tqdm

from pipeline.passages.document_groups import Card, alone, units_of
from pipeline.passages.passages import Passages
from pipeline.passages.quote_alignment import locate
from pipeline.records import Evidence, Example, make_example_id
from pipeline.storage.document_store import DocumentStore
from pipeline.tasks.build import licence_of
from pipeline.tasks.task import Task, all_tasks
from pipeline.teachers.client import Endpoint, EndpointParams, RefusedError, Spending
from pipeline.teachers.map_reduce import OVERHEAD_TOKENS, room_for, write_from_notes
from pipeline.teachers.prompts import VERSION, Quote, fenced, messages_for, nonce_of, reply_for
from pipeline.teachers.reply_cache import FILE, ReplyStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What an endpoint is to be asked."""

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


def slots_of(plan: Plan, cards: Sequence[Card]) -> Iterator[Slot]:
    """Yield what is to be asked for: of each document so many examples, of documents that belong together one a task.

    The tasks of a document take turns, and the slots lie evenly over its length.
    """
    tasks = [task for task in all_tasks().values() if task.prompt]
    relations = sorted(
        {task.related for task in tasks}, key=lambda relation: (relation is not alone, relation.__name__)
    )
    for relation, unit in units_of(cards, relations):
        mine = [task for task in tasks if task.related is relation and unit[0].category in task.categories]
        num_slots = plan.num_per_document if relation is alone else len(mine)
        doc_ids = tuple(card.doc_id for card in unit)
        first = int.from_bytes(sha256("".join(doc_ids).encode()).digest()[:4])  # so that few slots meet every task
        for number in range(num_slots if mine else 0):
            yield Slot(doc_ids, mine[(first + number) % len(mine)], number, num_slots)


def generate(plan: Plan, cards: Sequence[Card], out: Path) -> tuple[list[Example], Spending]:
    """Return the examples of all slots in their order, and what they cost.

    What came to nothing is an example with a `reason`. Every reply is kept in OUT before it is used, so that a run that
    was interrupted goes on where it was.
    """
    with ReplyStore(out / FILE) as store:
        return asyncio.run(generate_all(plan, list(slots_of(plan, cards)), store))


async def generate_all(plan: Plan, slots: Sequence[Slot], replies: ReplyStore) -> tuple[list[Example], Spending]:
    """Fill the slots, as many at a time as may be in flight."""
    async with Endpoint(plan.endpoint, replies) as endpoint:
        await endpoint.check()
        writer = Writer(endpoint, DocumentStore(plan.documents), plan.seed)
        found: list[Example | None] = [None] * len(slots)
        waiting = iter(enumerate(slots))
        progress = tqdm(total=len(slots), desc="ask", unit=" examples", disable=None)

        async def work() -> None:
            for number, slot in waiting:
                found[number] = await writer.fill(slot)
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
    if spending.num_unsent:
        log.warning(
            "ask: %d requests not sent for want of budget: raise ask.endpoint.max_tokens or max_cost, and run again",
            spending.num_unsent,
        )
    return [example for example in found if example is not None], spending


class Writer:
    """Fills slots by an endpoint."""

    def __init__(self, endpoint: Endpoint, store: DocumentStore, seed: int) -> None:
        """Take who writes and about what."""
        self._endpoint = endpoint
        self._seed = seed
        self._passages = lru_cache(maxsize=64)(lambda doc_id: Passages(store[doc_id]))
        self._nonce = lru_cache(maxsize=256)(lambda doc_ids: nonce_of([self._passages(d) for d in doc_ids], seed))

    async def fill(self, slot: Slot) -> Example:
        """Return the example of a slot, with a reason if it came to nothing."""
        documents = [self._passages(doc_id) for doc_id in slot.doc_ids]
        try:
            question, answer, quotes = await self.write(slot, documents)
            return self.example_of(slot, documents, question, answer, quotes)
        except RefusedError as error:
            return self.refused(slot, documents, str(error))

    async def write(self, slot: Slot, documents: Sequence[Passages]) -> tuple[str, str, list[Quote]]:
        """Return a question, its answer and the quotes that carry it, as the endpoint has them.

        Raises:
            RefusedError: It has none.
        """
        nonce = self._nonce(slot.doc_ids)
        body = fenced(documents, nonce)
        if len(body) <= room_for(self._endpoint):
            reply = await self._endpoint.ask(
                messages_for(slot.task, body, nonce, place_words(slot, documents)), reply_for(slot.task)
            )
            return reply.question, reply.answer, reply.evidence  # type: ignore[attr-defined]
        parts = max(1, len(body) // room_for(self._endpoint) + 1)
        place = slot.number * parts // slot.num_slots
        question, written = await write_from_notes(self._endpoint, slot.task, documents, nonce, place)
        return question, written.answer, written.evidence

    def example_of(
        self, slot: Slot, documents: Sequence[Passages], question: str, answer: str, quotes: Iterable[Quote]
    ) -> Example:
        """Return the example that a reply makes, its quotes replaced by the exact words of the documents.

        Raises:
            RefusedError: A quote stands in none of them.
        """
        evidence = []
        for quote in quotes:
            if quote.document > len(documents):
                raise RefusedError(f"reply: a quote of document {quote.document} of {len(documents)}")
            document = documents[quote.document - 1].document
            span = locate(document.text, quote.quote)
            if span is None:
                raise RefusedError(f"quote not found: {' '.join(quote.quote.split())[:80]}")
            evidence.append(Evidence(document.doc_id, span.start, span.end, span.text))
        evidence.sort(key=lambda span: (slot.doc_ids.index(span.doc_id), span.start))
        question, answer = question.strip(), answer.strip()
        bare = self.bare(slot, documents, make_example_id(slot.task.name, question, answer, slot.doc_ids))
        return replace(bare, question=question, answer=answer, evidence=tuple(dict.fromkeys(evidence)))

    def refused(self, slot: Slot, documents: Sequence[Passages], reason: str) -> Example:
        """Return the record of a slot that came to nothing."""
        example_id = make_example_id(slot.task.name, f"slot {slot.number}", reason, slot.doc_ids)
        return replace(self.bare(slot, documents, example_id), reason=reason)

    def bare(self, slot: Slot, documents: Sequence[Passages], example_id: str) -> Example:
        """Return an example of a slot without words."""
        return Example(
            example_id=example_id,
            task=slot.task.name,
            question="",
            answer="",
            doc_ids=slot.doc_ids,
            teacher=self._endpoint.params.model,
            prompt_version=f"{VERSION}/{slot.task.version}",
            licence=licence_of([passages.document for passages in documents]),
        )


def place_words(slot: Slot, documents: Sequence[Passages]) -> str:
    """Return where in its documents a question should lie, so that those of one document are spread over it."""
    if len(documents) > 1:
        return "in all of them"
    passages = documents[0]
    position = (2 * slot.number + 1) * len(passages.document.text) // (2 * slot.num_slots)
    path = passages.heading_at(position)
    percent = round(100 * position / max(1, len(passages.document.text)))
    heading = f", under the heading “{path[-1]}”" if path else ""
    return f"about {percent} percent of the way through it{heading}"


def estimate(plan: Plan, cards: Sequence[Card]) -> str:
    """Return in a line what a run would ask and cost at most; nothing is sent."""
    params, tokens = plan.endpoint, {card.doc_id: card.num_tokens for card in cards}
    room = int(params.max_context_tokens - params.max_reply_tokens - OVERHEAD_TOKENS)
    num_requests = prompt = 0
    for slot in slots_of(plan, cards):
        length = sum(tokens[doc_id] for doc_id in slot.doc_ids)
        if length <= room:
            requests, read = 1, length
        else:  # a draft, every stretch, and the answer
            parts = -(-length // room)
            requests, read = parts + 2, length + 2 * room
        num_requests += requests
        prompt += read + requests * OVERHEAD_TOKENS
    reply = num_requests * params.max_reply_tokens
    cost = (prompt * params.price_per_million_prompt_tokens + reply * params.price_per_million_reply_tokens) / 1e6
    return f"{num_requests} requests, {prompt} prompt tokens, at most {reply} reply tokens, at most {cost:.2f} in all"
