"""One round of asking by files: read the results that are there, write the requests that come next."""

import logging
from collections.abc import Sequence
from pathlib import Path

from pipeline.endpoint.batch_files import BatchRequests, read_results
from pipeline.endpoint.reply_cache import FILE, ReplyStore
from pipeline.passages.document_groups import DocumentCard
from pipeline.teachers.generate import generate
from pipeline.teachers.slots import TeachingPlan

log = logging.getLogger(__name__)

NEXT_ROUND = "Have the server answer them, put its results beside them, and run this again."
LAST_ROUND = "Nothing is left to ask: run without --batch, which sends nothing."


def exchange_files(plan: TeachingPlan, cards: Sequence[DocumentCard], out: Path, folder: Path) -> None:
    """Record the results of a batch that are in a folder, and write the requests that come next into it."""
    folder.mkdir(parents=True, exist_ok=True)
    with ReplyStore(out / FILE) as store:
        counts = read_results(folder, store, plan.endpoint)
    with BatchRequests(folder, plan.endpoint) as batch:
        generate(plan, cards, out, batch=batch)
    log.info(
        "ask: %d results recorded, %d failed; %d requests in %s. %s",
        counts["recorded"], counts["failed"], len(batch), folder, NEXT_ROUND if len(batch) else LAST_ROUND,
    )  # fmt: skip
