"""Ask an endpoint for examples: send the requests of a plan, and turn the replies into examples."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from pipeline.endpoint.batch_files import BatchRequests
from pipeline.endpoint.budget import Spending
from pipeline.endpoint.client import Endpoint
from pipeline.endpoint.reply_cache import FILE, ReplyStore
from pipeline.endpoint.workers import run_workers
from pipeline.passages.document_groups import DocumentCard
from pipeline.records import Example
from pipeline.teachers.slot_filling import SlotFiller
from pipeline.teachers.slots import Slot, SlotQueue, TeachingPlan, choose_slots, plan_slots

log = logging.getLogger(__name__)


def generate(
    plan: TeachingPlan,
    cards: Sequence[DocumentCard],
    out: Path,
    *,
    num: int | None = None,
    batch: BatchRequests | None = None,
) -> tuple[list[Example], Spending]:
    """Return the examples of all slots in their order, or of `num` of them, and what they cost.

    A slot without a usable reply is an example with a `reason`. Replies are recorded in OUT before they are used, and
    an interrupted run continues from there. With a batch, requests are written into it instead of being sent.

    Raises:
        InputError: The server turned out at the first request to be of no use.
    """
    slots = list(plan_slots(plan, cards))
    with ReplyStore(out / FILE) as store:
        return asyncio.run(generate_all(plan, slots, slots if num is None else choose_slots(slots, num), store, batch))


async def generate_all(
    plan: TeachingPlan, planned: Sequence[Slot], slots: Sequence[Slot], replies: ReplyStore, batch: BatchRequests | None
) -> tuple[list[Example], Spending]:
    """Fill some of the planned slots, up to `max_in_flight` at a time."""
    async with Endpoint(plan.endpoint, replies, batch) as endpoint:
        filler = SlotFiller(endpoint, plan, planned)
        found: list[Example | None] = [None] * len(slots)
        queue = SlotQueue(slots) if plan.steps == "at_once" else SlotQueue(slots, plan.questions_per_request)
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
