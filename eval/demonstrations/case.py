"""What a demonstration asks, what it finds in a reply, and the documents that it is made of."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import eval.demonstrations
from eval.models.records import Prompt
from pipeline.passages.document_groups import DocumentCard
from pipeline.passages.passage_search import search_passages
from pipeline.records import Document, Example

BETWEEN = "\n\n"
MAX_PASSAGES = 400  # that a search ranks; at most so many are shown


@dataclass(frozen=True)
class Case:
    """A prompt, and what its reply is checked against."""

    demonstration: str
    variant: str  # '' where there is only one
    prompt: Prompt
    gold: Mapping[str, Any]  # as JSON has it
    doc_ids: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """What a check says of a reply."""

    check: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True)
class Library:
    """The documents and questions that demonstrations are made of."""

    documents: Mapping[str, Document]
    cards: Sequence[DocumentCard]  # of the same, held-out ones first
    examples: Sequence[Example]
    count_tokens: Callable[[str], int]
    max_tokens: int  # of the documents in a prompt
    seed: int

    def excerpt(self, text: str, query: str, max_tokens: int) -> str:
        """Return a text, or of a longer one the passages that come closest to a query, in their order."""
        if self.count_tokens(text) <= max_tokens:
            return text
        chosen: list[tuple[int, str]] = []
        for passage in search_passages(text, query, MAX_PASSAGES):
            max_tokens -= self.count_tokens(passage.text) + 2
            if max_tokens < 0:
                break
            chosen.append((passage.start, passage.text))
        return BETWEEN.join(passage for _, passage in sorted(chosen))

    def without_splits(self) -> list[DocumentCard]:
        """Return the cards as if all documents were of one split: a demonstration shows a whole series."""
        return [replace(card, split="") for card in self.cards]


@dataclass(frozen=True)
class Demonstration:
    """A demonstration: its name, what it shows, its cases, and its check."""

    name: str
    title: str
    make_cases: Callable[[Library], Iterator[Case]]
    check: Callable[[Case, str], list[Finding]]


def find_demonstrations() -> dict[str, Demonstration]:
    """Return every demonstration by its name."""
    names = sorted(module.name for module in pkgutil.iter_modules(eval.demonstrations.__path__))
    modules = [importlib.import_module(f"eval.demonstrations.{name}") for name in names]
    found = [module.DEMONSTRATION for module in modules if hasattr(module, "DEMONSTRATION")]
    return {demonstration.name: demonstration for demonstration in found}
