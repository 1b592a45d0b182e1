"""Which examples an endpoint is asked for, and in which order."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Literal

from pipeline.endpoint.endpoint_params import EndpointParams
from pipeline.passages.document_groups import DocumentCard, alone, group_documents
from pipeline.passages.evidence_places import Bucket
from pipeline.tasks.task import Task, all_tasks
from pipeline.teachers.profiles import Profile, draw_profiles

Steps = Literal["questions_first", "at_once"]
MOST_PLACES = 1 << 30
RANGES: dict[Bucket, tuple[int, int]] = {"1": (1, 1), "2-3": (2, 3), "4-5": (4, 5), "6+": (6, MOST_PLACES)}


@dataclass(frozen=True)
class TeachingPlan:
    """What an endpoint is asked."""

    documents: Path
    num_per_document: int
    seed: int
    endpoint: EndpointParams
    steps: Steps = "at_once"
    questions_per_request: int = 8  # where questions are written first
    max_shares: Mapping[str, float] = field(default_factory=dict)  # of a task among all slots, at most
    evidence_places: Mapping[Bucket, float] = field(default_factory=dict)  # shares of the slots


@dataclass(frozen=True)
class Slot:
    """One example to be asked for."""

    doc_ids: tuple[str, ...]
    task: Task
    number: int  # of the slot among those of its documents
    num_slots: int
    num_quotes: tuple[int, int]  # of its evidence, at least and at most
    profile: Profile

    @property
    def needs_places(self) -> bool:
        """Whether its quotes must be of several places."""
        return self.task.asks_about != "place"

    def find_position(self, length: int) -> int:
        """Return the character of a text of some length that it is about; slots are spread evenly over a text."""
        return (2 * self.number + 1) * length // (2 * self.num_slots)


class SlotDrawer:
    """Draws the task of each slot and the number of places of its evidence, so that the shares hold at every point."""

    def __init__(self, plan: TeachingPlan) -> None:
        """Take the plan; nothing is drawn yet."""
        self._plan = plan
        self._tasks: Counter[str] = Counter()
        self._places: Counter[Bucket] = Counter()

    def draw_task(self, turns: deque[Task]) -> Task | None:
        """Return the first task whose share is not full, and put it at the end of the turns; None if there is none."""
        for task in turns:
            share = self._plan.max_shares.get(task.name, 1.0)
            if self._tasks[task.name] + 1 <= share * (self._tasks.total() + 1):
                self._tasks[task.name] += 1
                turns.remove(task)
                turns.append(task)
                return task
        return None

    def draw_num_quotes(self, task: Task, num_documents: int) -> tuple[int, int]:
        """Return how many quotes a slot takes: those of the bucket of places that is furthest behind its share.

        There is one from each document at least.
        """
        least, most = max(task.num_quotes[0], num_documents), max(task.num_quotes[1], num_documents)
        shares = self._plan.evidence_places
        fitting = [name for name, (low, high) in RANGES.items() if name in shares and low <= most and high >= least]
        if task.asks_about == "place" or not fitting:
            self._places["1"] += task.asks_about == "place"
            return least, most
        total = self._places.total() + 1
        drawn = max(fitting, key=lambda name: shares[name] * total - self._places[name])
        self._places[drawn] += 1
        low, high = RANGES[drawn]
        return max(low, least), min(high, most)


def plan_slots(plan: TeachingPlan, cards: Sequence[DocumentCard]) -> Iterator[Slot]:
    """Yield the examples to ask for: `num_per_document` about each document, one of each task about each group.

    The tasks of a document take turns, and its slots are spread evenly over its text. Tasks with several turns are
    asked only where questions are written first.
    """
    tasks = [task for task in all_tasks().values() if task.prompt and can_be_asked(task, plan.steps)]
    relations = sorted(
        {task.related for task in tasks}, key=lambda relation: (relation is not alone, relation.__name__)
    )
    drawer = SlotDrawer(plan)
    for relation, group in group_documents(cards, relations):
        mine = [task for task in tasks if task.related is relation and group[0].category in task.categories]
        if relation is alone:
            yield from plan_group(plan, drawer, group, [deque(mine)] * plan.num_per_document)
        else:
            yield from plan_group(plan, drawer, group, [deque([task]) for task in mine])


def can_be_asked(task: Task, steps: Steps) -> bool:
    """Say whether a task can be asked for in so many steps."""
    return steps == "questions_first" or task.parts_are != "earlier turns"


def plan_group(
    plan: TeachingPlan, drawer: SlotDrawer, group: Sequence[DocumentCard], turns: Sequence[deque[Task]]
) -> Iterator[Slot]:
    """Yield the slots of documents that belong together; fewer than asked for if the shares of their tasks are full.

    Args:
        plan: What is asked.
        drawer: Draws tasks and places.
        group: The documents.
        turns: For each slot the tasks that it is drawn from, in their order.
    """
    doc_ids = tuple(card.doc_id for card in group)
    key = "".join(doc_ids)
    if turns and turns[0]:  # each document starts with another task, so that a few slots of each cover them all
        turns[0].rotate(-(int.from_bytes(sha256(key.encode()).digest()[:4]) % len(turns[0])))
    profiles = draw_profiles(group[0].category, plan.seed, key)
    for number, tasks in enumerate(turns):
        if task := drawer.draw_task(tasks):
            profile = profiles[number % len(profiles)]
            yield Slot(doc_ids, task, number, len(turns), drawer.draw_num_quotes(task, len(doc_ids)), profile)


def split_into_batches(slots: Sequence[Slot], num: int) -> Iterator[tuple[Slot, ...]]:
    """Yield the slots of documents that belong together, `num` at a time."""
    rest = iter(slots)
    while batch := tuple(islice(rest, num)):
        yield batch


def choose_slots(slots: Sequence[Slot], num: int) -> list[Slot]:
    """Return up to `num` slots, spread evenly over all of them."""
    num = min(num, len(slots))
    return [slots[(2 * index + 1) * len(slots) // (2 * num)] for index in range(num)]


class SlotQueue:
    """Hands out slots so that the server's prefix cache is of use.

    The slots of a document follow one another, and the first of them is answered before the others are handed out: the
    documents are first in every prompt, so the server has read them by then.
    """

    def __init__(self, slots: Sequence[Slot], max_per_document: int = 1 << 30) -> None:
        """Take the slots in their order.

        Args:
            slots: That are handed out.
            max_per_document: How many of a document may be handed out and not answered. Questions are written a batch
                at a time, so more of them would only wait for theirs, while other documents could be asked about.
        """
        self._waiting: dict[tuple[str, ...], deque[int]] = {}
        for number, slot in enumerate(slots):
            self._waiting.setdefault(slot.doc_ids, deque()).append(number)
        self._slots = slots
        self._max_per_document = max_per_document
        self._read: set[tuple[str, ...]] = set()  # documents of which a slot is answered
        self._active: Counter[tuple[str, ...]] = Counter()
        self._changed = asyncio.Condition()

    async def take(self) -> int | None:
        """Return the number of the next slot, None if there is none."""
        async with self._changed:
            while self._waiting:
                doc_ids = next(filter(self._is_open, self._waiting), None)
                if doc_ids is not None:
                    return self._hand_out(doc_ids)
                await self._changed.wait()
        return None

    def _is_open(self, doc_ids: tuple[str, ...]) -> bool:
        return self._active[doc_ids] < (self._max_per_document if doc_ids in self._read else 1)

    def _hand_out(self, doc_ids: tuple[str, ...]) -> int:
        numbers = self._waiting[doc_ids]
        number = numbers.popleft()
        if not numbers:
            del self._waiting[doc_ids]
        self._active[doc_ids] += 1
        return number

    async def answered(self, number: int) -> None:
        """Say that a slot is answered."""
        async with self._changed:
            doc_ids = self._slots[number].doc_ids
            self._read.add(doc_ids)
            self._active[doc_ids] -= 1
            self._changed.notify_all()
