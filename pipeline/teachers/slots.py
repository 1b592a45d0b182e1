"""Which examples an endpoint is asked for, and in which order."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pipeline.passages.document_groups import DocumentCard, alone, group_documents
from pipeline.tasks.task import Task, all_tasks
from pipeline.teachers.endpoint_params import EndpointParams


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


def choose_slots(slots: Sequence[Slot], num: int) -> list[Slot]:
    """Return up to `num` slots, spread evenly over all of them."""
    num = min(num, len(slots))
    return [slots[(2 * index + 1) * len(slots) // (2 * num)] for index in range(num)]


class SlotQueue:
    """Hands out slots so that the server's prefix cache is of use.

    The slots of a document follow one another, and the first of them is answered before the others are handed out: the
    documents are first in every prompt, so the server has read them by then.
    """

    def __init__(self, slots: Sequence[Slot]) -> None:
        """Take the slots in their order."""
        self._waiting: dict[tuple[str, ...], deque[int]] = {}
        for number, slot in enumerate(slots):
            self._waiting.setdefault(slot.doc_ids, deque()).append(number)
        self._slots = slots
        self._reading: set[tuple[str, ...]] = set()  # documents whose first slot is not answered yet
        self._changed = asyncio.Condition()

    async def take(self) -> int | None:
        """Return the number of the next slot, None if there is none."""
        async with self._changed:
            while self._waiting:
                doc_ids = next((doc_ids for doc_ids in self._waiting if doc_ids not in self._reading), None)
                if doc_ids is not None:
                    return self._hand_out(doc_ids)
                await self._changed.wait()
        return None

    def _hand_out(self, doc_ids: tuple[str, ...]) -> int:
        numbers = self._waiting[doc_ids]
        number = numbers.popleft()
        if not numbers:
            del self._waiting[doc_ids]
        if self._slots[number].number == 0 and numbers:
            self._reading.add(doc_ids)
        return number

    async def answered(self, number: int) -> None:
        """Say that a slot is answered."""
        async with self._changed:
            self._reading.discard(self._slots[number].doc_ids)
            self._changed.notify_all()
