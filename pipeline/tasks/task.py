"""What a kind of question is, and how all of them are found.

A module of this folder that has a `TASK` is a task: adding one takes its file and its test, nothing else.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import pipeline.tasks
from pipeline.passages.document_groups import Relation, alone
from pipeline.passages.passages import Passages
from pipeline.records import Category, Document, Example

Candidates = Callable[[Sequence[Passages]], Iterator[Example]]
Sound = Callable[[Example, Mapping[str, Document]], str]


def always_sound(example: Example, documents: Mapping[str, Document]) -> str:
    """Find no fault beyond those of every example."""
    del example, documents
    return ""


@dataclass(frozen=True)
class Task:
    """A kind of question: where it can be asked, how, and what a sound answer is."""

    name: str
    version: str  # of its wording: `Example.prompt_version`
    categories: tuple[Category, ...]  # of the documents that it asks about
    related: Relation = alone  # which documents it is asked about together
    candidates: Candidates | None = None  # questions whose answers stand in the text; None where only a model can ask
    prompt: str = ""  # what a model is asked for; '' where none is needed
    num_quotes: tuple[int, int] = (1, 4)  # of the evidence, at least and at most
    max_answer_characters: int = 1_500
    quotes_may_repeat: bool = False  # the quoted words of a question may stand in the document more than once
    sound: Sound = always_sound  # returns what is wrong with an example, '' if nothing is


@cache
def all_tasks() -> dict[str, Task]:
    """Return every task by its name, in the order of the names."""
    names = sorted(module.name for module in pkgutil.iter_modules(pipeline.tasks.__path__))
    modules = [importlib.import_module(f"pipeline.tasks.{name}") for name in names]
    found = [module.TASK for module in modules if hasattr(module, "TASK")]
    return {task.name: task for task in sorted(found, key=lambda task: task.name)}
