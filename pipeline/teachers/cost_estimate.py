"""Estimate what a run would ask and cost, without sending anything.

The requests are counted from the documents themselves, as they would be shown. What is said to be at most is a bound as
long as no request has to be repeated because the way to the server failed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.passages.document_groups import DocumentCard
from pipeline.passages.passages import Passages
from pipeline.storage.document_store import DocumentStore
from pipeline.teachers.budget import TokenCount
from pipeline.teachers.map_reduce import OVERHEAD_TOKENS, max_body_tokens
from pipeline.teachers.notes import MAX_NOTE_CHARACTERS, MAX_NOTE_QUOTES, split_into_chunks
from pipeline.teachers.prompts import MAX_QUOTE, ShownDocument, fence_documents, make_nonce, show_document
from pipeline.teachers.request_body import BYTES_PER_TOKEN, estimate_text_tokens
from pipeline.teachers.slots import Slot, TeachingPlan, plan_slots

NUM_CHECKS = 4  # requests at the start, at most
NOTE_TOKENS = int((MAX_NOTE_CHARACTERS + MAX_NOTE_QUOTES * MAX_QUOTE) / BYTES_PER_TOKEN) + 100
READINGS = 2  # of a chunk that fails at first


@dataclass
class CostEstimate:
    """What a run would send."""

    num_requests: int = 0  # if every reply is good
    prompt_tokens: int = 0
    cached_tokens: int = 0  # that a server with a prefix cache need not read again
    most_requests: int = 0
    most_prompt_tokens: int = 0

    def add(self, prompt_tokens: int, *, cached: int = 0, num: int = 1, most: int | None = None) -> None:
        """Count requests that are sent with prompts of so many tokens, and how many there may be at most."""
        self.num_requests += num
        self.prompt_tokens += num * prompt_tokens
        self.cached_tokens += num * cached
        self.most_requests += num if most is None else most
        self.most_prompt_tokens += (num if most is None else most) * prompt_tokens


def estimate(plan: TeachingPlan, cards: Sequence[DocumentCard]) -> str:
    """Return in a line what a run would ask and cost, and what at most."""
    params, found = plan.endpoint, estimate_cost(plan, cards)
    reply_tokens = found.num_requests * params.max_completion_tokens
    most_replies = found.most_requests * params.max_completion_tokens
    cost = params.price(TokenCount(found.prompt_tokens, reply_tokens))
    cached = params.price(TokenCount(found.prompt_tokens, reply_tokens, found.cached_tokens))
    most = params.price(TokenCount(found.most_prompt_tokens, most_replies))
    hours = found.most_requests * params.deadline_seconds / params.max_in_flight / 3_600
    most_tokens = f"{found.most_prompt_tokens} prompt tokens, {most_replies} reply tokens"
    return (
        f"at most {found.most_requests} requests, {most_tokens}, {most:.2f} in all, {hours:.1f} hours; if no reply has"
        f" to be asked for again, {found.num_requests} requests, {found.prompt_tokens} prompt tokens, {reply_tokens}"
        f" reply tokens, {cost:.2f} in all, or {cached:.2f} with {found.cached_tokens} prompt tokens out of a cache"
    )


def estimate_cost(plan: TeachingPlan, cards: Sequence[DocumentCard]) -> CostEstimate:
    """Return what a run would send."""
    samples = plan.endpoint.max_samples
    found = CostEstimate()
    found.add(OVERHEAD_TOKENS, most=NUM_CHECKS)
    store, most_tokens = DocumentStore(plan.documents), max_body_tokens(plan.endpoint)
    slots: dict[tuple[str, ...], list[Slot]] = {}
    for slot in plan_slots(plan, cards):
        slots.setdefault(slot.doc_ids, []).append(slot)
    for doc_ids, mine in slots.items():
        documents = [show_document(number, Passages(store[doc_id])) for number, doc_id in enumerate(doc_ids, 1)]
        nonce = make_nonce([shown.passages for shown in documents], plan.seed)
        num_tokens = estimate_text_tokens(fence_documents(documents, nonce))
        if num_tokens <= most_tokens:
            found.add(num_tokens + OVERHEAD_TOKENS, num=len(mine), most=len(mine) * samples)
            found.cached_tokens += num_tokens * (len(mine) - 1)
            continue
        kinds = Counter(slot.task.expects_no_answer for slot in mine)
        add_long(found, documents, most_tokens, samples, num_answered=kinds[False], num_unanswered=kinds[True])
    return found


def add_long(
    found: CostEstimate,
    documents: Sequence[ShownDocument],
    most_tokens: int,
    samples: int,
    *,
    num_answered: int,
    num_unanswered: int,
) -> None:
    """Count the requests about documents that are read in chunks: a draft, a note on each, merges, the answer."""
    chunks = [chunk for document in documents for chunk in split_into_chunks(document, most_tokens)]
    num_slots = num_answered + num_unanswered
    found.add(most_tokens + OVERHEAD_TOKENS, num=num_slots, most=num_slots * samples)
    for chunk in chunks:
        tokens = estimate_text_tokens(chunk.document.text[chunk.start : chunk.end])
        found.add(tokens + OVERHEAD_TOKENS, num=num_slots, most=num_slots * samples * READINGS)
        found.cached_tokens += tokens * (num_slots - 1)
    num_merges = sum(count_merges(len(chunks), len(documents), most_tokens))
    found.add(
        most_tokens // 2 + OVERHEAD_TOKENS, num=num_answered * num_merges, most=num_answered * num_merges * samples
    )
    notes_tokens = min(most_tokens, len(chunks) * NOTE_TOKENS) + OVERHEAD_TOKENS
    found.add(notes_tokens, num=num_answered, most=num_answered * samples)
    num_judged = num_unanswered * len(documents)
    found.add(2 * OVERHEAD_TOKENS, num=num_judged, most=num_judged * samples)


def count_merges(num_notes: int, num_documents: int, most_tokens: int) -> Iterator[int]:
    """Yield how many notes are merged into, round by round, if each note is as long as it may be."""
    while num_notes * NOTE_TOKENS > most_tokens:
        per_group = max(1, (most_tokens // 2) // NOTE_TOKENS)
        num_groups = -(-num_notes // per_group) + num_documents
        if num_groups >= num_notes:
            return
        yield num_groups
        num_notes = num_groups
