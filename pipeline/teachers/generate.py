"""Ask an endpoint for examples: send the requests of a plan, and turn the replies into examples."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from tqdm import tqdm

from pipeline.passages.document_groups import DocumentCard
from pipeline.passages.passages import Passages
from pipeline.passages.quote_alignment import locate
from pipeline.records import Evidence, Example, make_example_id
from pipeline.storage.document_store import DocumentStore
from pipeline.tasks.build import join_licences
from pipeline.teachers.budget import Spending
from pipeline.teachers.client import Endpoint
from pipeline.teachers.errors import QUOTE, RefusedError
from pipeline.teachers.map_reduce import LongWriter, max_body_tokens
from pipeline.teachers.prompts import (
    VERSION,
    ExampleReply,
    ShownDocument,
    describe_place,
    example_messages,
    fence_documents,
    make_nonce,
    reply_schema,
    show_document,
)
from pipeline.teachers.reply_cache import FILE, ReplyStore
from pipeline.teachers.request_body import estimate_text_tokens
from pipeline.teachers.slots import Slot, SlotQueue, TeachingPlan, choose_slots, plan_slots
from pipeline.teachers.workers import run_workers

log = logging.getLogger(__name__)


def generate(
    plan: TeachingPlan, cards: Sequence[DocumentCard], out: Path, *, num: int | None = None
) -> tuple[list[Example], Spending]:
    """Return the examples of all slots in their order, or of `num` of them, and what they cost.

    A slot without a usable reply is an example with a `reason`. Replies are recorded in OUT before they are used, and
    an interrupted run continues from there.

    Raises:
        InputError: The server turned out at the first request to be of no use.
    """
    slots = list(plan_slots(plan, cards))
    with ReplyStore(out / FILE) as store:
        return asyncio.run(generate_all(plan, slots if num is None else choose_slots(slots, num), store))


async def generate_all(
    plan: TeachingPlan, slots: Sequence[Slot], replies: ReplyStore
) -> tuple[list[Example], Spending]:
    """Fill the slots, up to `max_in_flight` at a time."""
    async with Endpoint(plan.endpoint, replies) as endpoint:
        filler = SlotFiller(endpoint, DocumentStore(plan.documents), plan.seed)
        found: list[Example | None] = [None] * len(slots)
        queue = SlotQueue(slots)
        progress = tqdm(total=len(slots), desc="ask", unit=" examples", disable=None)

        async def work() -> None:
            while (number := await queue.take()) is not None:
                found[number] = await filler.fill(slots[number])
                await queue.answered(number)
                progress.update()

        await run_workers([work() for _ in range(min(len(slots), plan.endpoint.max_in_flight))])
        progress.close()
        spending = endpoint.spending
    report_spending(spending)
    return [example for example in found if example is not None], spending


def report_spending(spending: Spending) -> None:
    """Log what a run sent and what all runs cost."""
    cached = f", {spending.spent.cached} of {spending.spent.prompt} prompt tokens from the server's cache"
    log.info(
        "ask: %d replies replayed, %d requests sent, cost of all %.2f%s",
        spending.num_replayed, spending.num_sent, spending.cost, cached if spending.spent.cached else "",
    )  # fmt: skip
    if spending.num_estimated:
        log.warning(
            "ask: %d requests were charged as reserved: the server did not say what they took, or never answered",
            spending.num_estimated,
        )
    if spending.num_over_budget:
        log.warning(
            "ask: %d requests were over budget and not sent: raise ask.endpoint.max_tokens or max_cost, and run again",
            spending.num_over_budget,
        )


class SlotFiller:
    """Fills slots by asking an endpoint."""

    def __init__(self, endpoint: Endpoint, store: DocumentStore, seed: int) -> None:
        """Take the endpoint and the documents."""
        self._endpoint = endpoint
        self._shown = lru_cache(maxsize=64)(lambda doc_id: show_document(1, Passages(store[doc_id])))
        self._nonce = lru_cache(maxsize=256)(
            lambda doc_ids: make_nonce([self.show(doc_ids)[number].passages for number in range(len(doc_ids))], seed)
        )

    def show(self, doc_ids: Sequence[str]) -> list[ShownDocument]:
        """Return documents as the model sees them; each is masked once."""
        return [replace(self._shown(doc_id), number=number) for number, doc_id in enumerate(doc_ids, 1)]

    async def fill(self, slot: Slot) -> Example:
        """Return the example of a slot; one without a usable reply has a reason."""
        documents = self.show(slot.doc_ids)
        try:
            return self.align(slot, documents, await self.write(slot, documents))
        except RefusedError as error:
            return self.build_refused(slot, documents, str(error.reason))

    async def write(self, slot: Slot, documents: Sequence[ShownDocument]) -> ExampleReply:
        """Return a question, its answer and quotes, as the endpoint writes them.

        Raises:
            RefusedError: There is no usable reply.
        """
        nonce = self._nonce(slot.doc_ids)
        body = fence_documents(documents, nonce)
        if estimate_text_tokens(body) <= max_body_tokens(self._endpoint.params):
            messages = example_messages(slot.task, body, nonce, describe_place(documents, slot.number, slot.num_slots))
            return await self._endpoint.ask(messages, reply_schema(slot.task))
        writer = LongWriter(self._endpoint, slot.task, documents, nonce)
        return await writer.write(slot.number, slot.num_slots)

    def align(self, slot: Slot, documents: Sequence[ShownDocument], reply: ExampleReply) -> Example:
        """Return the example of a reply, with each quote replaced by the exact words of its document.

        Raises:
            RefusedError: A document does not have its quote.
        """
        evidence = []
        for quote in reply.evidence:
            if quote.document > len(documents):
                raise RefusedError(QUOTE, f"it is of document {quote.document} of {len(documents)}")
            document = documents[quote.document - 1].passages.document
            span = locate(document.text, quote.quote)
            if span is None:
                raise RefusedError(QUOTE, " ".join(quote.quote.split())[:80])
            evidence.append(Evidence(document.doc_id, span.start, span.end, span.text))
        evidence.sort(key=lambda span: (slot.doc_ids.index(span.doc_id), span.start))
        question, answer = reply.question.strip(), reply.answer.strip()
        blank = self.build_blank(slot, documents, make_example_id(slot.task.name, question, answer, slot.doc_ids))
        return replace(blank, question=question, answer=answer, evidence=tuple(dict.fromkeys(evidence)))

    def build_refused(self, slot: Slot, documents: Sequence[ShownDocument], reason: str) -> Example:
        """Return the example of a slot without a usable reply."""
        example_id = make_example_id(slot.task.name, f"slot {slot.number}", reason, slot.doc_ids)
        return replace(self.build_blank(slot, documents, example_id), reason=reason)

    def build_blank(self, slot: Slot, documents: Sequence[ShownDocument], example_id: str) -> Example:
        """Return an example of a slot without question and answer."""
        return Example(
            example_id=example_id,
            task=slot.task.name,
            question="",
            answer="",
            doc_ids=slot.doc_ids,
            teacher=self._endpoint.params.model,
            prompt_version=f"{VERSION}/{slot.task.version}",
            licence=join_licences([shown.passages.document for shown in documents]),
        )
