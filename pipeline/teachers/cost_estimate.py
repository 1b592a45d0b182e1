"""Estimate what a run would ask and cost, without sending anything.

The requests are counted from the documents themselves, as they would be shown. What is said to be at most is a bound as
long as no request has to be repeated because the way to the server failed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.endpoint.budget import TokenCount
from pipeline.endpoint.request_body import BYTES_PER_TOKEN, estimate_text_tokens
from pipeline.passages.document_groups import DocumentCard
from pipeline.passages.passages import Passages
from pipeline.storage.document_store import DocumentStore
from pipeline.teachers.context import OVERHEAD_TOKENS, count_overhead, max_body_tokens
from pipeline.teachers.known_answers import Known
from pipeline.teachers.notes import MAX_NOTE_CHARACTERS, MAX_NOTE_QUOTES, split_into_chunks
from pipeline.teachers.prompts import MAX_QUOTE, ShownDocument, fence_documents, make_nonce, show_document
from pipeline.teachers.question_prompts import MAX_ASKED_TOKENS, MAX_QUESTION_TOKENS, WISH_TOKENS
from pipeline.teachers.questions import choose_batch_size, max_parts_tokens
from pipeline.teachers.slots import Slot, TeachingPlan, plan_slots

NUM_CHECKS = 4  # requests at the start, at most
NOTE_TOKENS = int((MAX_NOTE_CHARACTERS + MAX_NOTE_QUOTES * MAX_QUOTE) / BYTES_PER_TOKEN) + 100
READINGS = 2  # of a chunk that fails at first
TURN_TOKENS = 2_500  # of a turn in a conversation, question and answer, at most


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


def estimate(plan: TeachingPlan, cards: Sequence[DocumentCard], known: Sequence[Known] = ()) -> str:
    """Return in a line what a run would ask and cost, and what at most; `known` are questions with known answers."""
    params, found = plan.endpoint, estimate_cost(plan, cards, known)
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


def estimate_cost(plan: TeachingPlan, cards: Sequence[DocumentCard], known: Sequence[Known] = ()) -> CostEstimate:
    """Return what a run would send."""
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
        num_read = add_questions(found, plan, len(mine), num_tokens) if plan.steps == "questions_first" else 0
        if num_tokens <= most_tokens:
            add_whole(found, plan, mine, num_tokens, num_read)
        else:
            add_long(found, plan, mine, documents)
    for doc_id, _ in known:
        shown = show_document(1, Passages(store[doc_id]))
        num_tokens = estimate_text_tokens(fence_documents([shown], make_nonce([shown.passages], plan.seed)))
        if num_tokens <= most_tokens:
            found.add(num_tokens + OVERHEAD_TOKENS, most=plan.endpoint.max_samples)
    return found


def add_questions(found: CostEstimate, plan: TeachingPlan, num_slots: int, num_tokens: int) -> int:
    """Count the requests for questions about documents and for verdicts on them; return how many read them whole."""
    num_per_request = choose_batch_size(plan.endpoint, plan.questions_per_request)
    num_read = 0
    for start in range(0, num_slots, num_per_request):
        num = min(num_per_request, num_slots - start)
        most = max_parts_tokens(plan.endpoint, num)
        body, is_whole = min(num_tokens, most), num_tokens <= most
        for each, asked in ((WISH_TOKENS, MAX_ASKED_TOKENS), (MAX_QUESTION_TOKENS + WISH_TOKENS, 0)):
            cached = body if num_read and is_whole else 0
            around = OVERHEAD_TOKENS + num * each + asked
            found.add(body + around, cached=cached, most=plan.endpoint.max_samples)
            num_read += is_whole
    return num_read


def add_whole(found: CostEstimate, plan: TeachingPlan, slots: Sequence[Slot], num_tokens: int, num_read: int) -> None:
    """Count the requests about documents that a request holds: one for each slot, or for each turn of it."""
    around = count_overhead(plan.endpoint)
    for slot in slots:
        for turn in range(count_turns(slot)):
            tokens = num_tokens + around + turn * TURN_TOKENS
            found.add(tokens, cached=num_tokens if num_read else 0, most=plan.endpoint.max_samples)
            num_read += 1


def add_long(
    found: CostEstimate, plan: TeachingPlan, slots: Sequence[Slot], documents: Sequence[ShownDocument]
) -> None:
    """Count the requests about documents that are read in chunks: a draft, a note on each, merges, the answer."""
    samples, most_tokens = plan.endpoint.max_samples, max_body_tokens(plan.endpoint)
    chunks = [chunk for document in documents for chunk in split_into_chunks(document, most_tokens)]
    sizes = [estimate_text_tokens(chunk.document.text[chunk.start : chunk.end]) for chunk in chunks]
    is_first = True
    for slot in slots:
        for turn in range(count_turns(slot)):
            around = OVERHEAD_TOKENS + turn * TURN_TOKENS
            if plan.steps == "at_once":
                found.add(most_tokens + around, most=samples)
            for size in sizes:
                found.add(size + around, cached=0 if is_first else size, most=samples * READINGS)
            add_reduction(found, slot, len(chunks), len(documents), plan, around)
            is_first = False


def add_reduction(
    found: CostEstimate, slot: Slot, num_chunks: int, num_documents: int, plan: TeachingPlan, around: int
) -> None:
    """Count the requests that follow the notes on all chunks: merges and the answer, or the judge of 'does not say'."""
    samples, most_tokens = plan.endpoint.max_samples, max_body_tokens(plan.endpoint)
    if slot.task.expects_no_answer:
        found.add(2 * OVERHEAD_TOKENS, num=num_documents, most=num_documents * samples)
        if plan.steps == "questions_first":
            found.add(most_tokens + around, most=samples)
        return
    for num_merged in count_merges(num_chunks, num_documents, most_tokens):
        found.add(most_tokens // 2 + around, num=num_merged, most=num_merged * samples)
    found.add(min(most_tokens, num_chunks * NOTE_TOKENS) + around, most=samples)


def count_turns(slot: Slot) -> int:
    """Return how many questions are answered for a slot, at most."""
    return slot.task.num_parts[1] + 1 if slot.task.parts_are == "earlier turns" else 1


def count_merges(num_notes: int, num_documents: int, most_tokens: int) -> Iterator[int]:
    """Yield how many notes are merged into, round by round, if each note is as long as it may be."""
    while num_notes * NOTE_TOKENS > most_tokens:
        per_group = max(1, (most_tokens // 2) // NOTE_TOKENS)
        num_groups = -(-num_notes // per_group) + num_documents
        if num_groups >= num_notes:
            return
        yield num_groups
        num_notes = num_groups
