"""What a task is, and how all tasks are found.

A module of this folder with a `TASK`, or with several `TASKS`, is found by itself: adding a task takes its file and its
test, nothing else.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import pipeline.tasks
from pipeline.passages.document_groups import Relation, alone
from pipeline.passages.passages import Passages
from pipeline.passages.peer_reviews import ReviewRules
from pipeline.records import Category, Document, Example, Statement
from pipeline.rejections import Reason


@dataclass(frozen=True)
class KnownFact:
    """A question whose answer a document is known to have, and the words that support it."""

    question: str
    answer: str
    quotes: tuple[str, ...]
    task: str = "known"  # what kind of question it is, as 'summary' or 'why'
    statements: tuple[Statement, ...] = ()  # parts of the answer, each with the quotes that it rests on


@dataclass(frozen=True)
class Supplied:
    """What some tasks need beside the documents."""

    facts: Mapping[str, Sequence[KnownFact]] = field(default_factory=dict)  # by doc_id
    review_rules: ReviewRules | None = None  # None: no review is quoted


@dataclass(frozen=True)
class WorkedExample:
    """A good example about invented documents, which a model is shown."""

    question: str
    evidence: tuple[tuple[int, str], ...]  # quotes, each with the number of its document
    statements: tuple[tuple[str, tuple[int, ...]], ...]  # of the answer, each with the numbers of its quotes, from 1
    parts: tuple[str, ...] = ()  # the single questions behind it; see `Task.parts_are`


Candidates = Callable[[Sequence[Passages]], Iterator[Example]]
CandidatesFromSupplied = Callable[[Sequence[Passages], Supplied], Iterator[Example]]
FindFault = Callable[[Example, Mapping[str, Document]], Reason | None]


@dataclass(frozen=True)
class Task:
    """One way to ask: where it can be asked, how, and what a sound answer is.

    A task has `candidates` or `candidates_from_supplied` if its answers can be read off the text, and a `prompt` if a
    model can be asked for examples. It may have both.
    """

    name: str
    version: str  # of its wording: `Example.prompt_version`
    categories: tuple[Category, ...]  # of the documents that it asks about
    related: Relation = alone  # which documents it is asked about together
    candidates: Candidates | None = None  # yields examples whose answers the text has
    candidates_from_supplied: CandidatesFromSupplied | None = None  # likewise, for a task that needs more than the text
    prompt: str = ""  # what a model is asked for
    asks_about: Literal["place", "places", "whole"] = "place"  # what its questions are about: one place, some, or all
    parts_are: Literal["none", "merged", "earlier turns"] = "none"  # what the single questions behind a question are
    num_parts: tuple[int, int] = (0, 0)  # of them, at least and at most
    note_for_judge: str = ""  # what a judge of its questions must know of them
    worked_examples: tuple[WorkedExample, ...] = ()  # that a model is shown
    statements_joined_by: str = " "  # what is between the statements of an answer
    num_quotes: tuple[int, int] = (1, 4)  # of the evidence, at least and at most
    max_answer_characters: int = 1_500
    quotes_may_repeat: bool = False  # whether words that a question quotes may occur in the document more than once
    expects_no_answer: bool = False  # whether it asks for what the document does not say
    find_fault: FindFault | None = None  # returns why an example is refused, None if it is sound

    @property
    def is_rule_based(self) -> bool:
        """Whether it finds examples without a model."""
        return bool(self.candidates or self.candidates_from_supplied)

    def find_candidates(self, documents: Sequence[Passages], supplied: Supplied) -> Iterator[Example]:
        """Yield the examples that it finds in documents without a model."""
        if self.candidates:
            yield from self.candidates(documents)
        if self.candidates_from_supplied:
            yield from self.candidates_from_supplied(documents, supplied)


@cache
def all_tasks() -> dict[str, Task]:
    """Return every task by its name, in the order of the names."""
    names = sorted(module.name for module in pkgutil.iter_modules(pipeline.tasks.__path__))
    modules = [importlib.import_module(f"pipeline.tasks.{name}") for name in names]
    found = [task for module in modules for task in tasks_in(vars(module))]
    return {task.name: task for task in sorted(found, key=lambda task: task.name)}


def tasks_in(attributes: Mapping[str, object]) -> list[Task]:
    """Return the tasks that a module declares as `TASK` or in `TASKS`."""
    declared = attributes.get("TASKS", ())
    assert isinstance(declared, tuple)
    several = [task for task in declared if isinstance(task, Task)]
    single = attributes.get("TASK")
    return [single, *several] if isinstance(single, Task) else several


def get_task(name: str) -> Task:
    """Return the task with a name; a name that this version does not know gets a task without rules of its own."""
    return all_tasks().get(name, Task(name, "", ()))
