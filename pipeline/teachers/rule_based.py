"""The embedded teacher: no model, only questions whose answers stand in the text by construction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.passages.document_groups import Relation
from pipeline.passages.passages import Known, Passages
from pipeline.passages.review_rules import ReviewRules
from pipeline.records import Example
from pipeline.stable_order import order_key, round_robin, stable_shuffle
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import write_examples
from pipeline.tasks.task import all_tasks


@dataclass(frozen=True)
class Unit:
    """Documents that are asked about together."""

    relation: Relation
    doc_ids: tuple[str, ...]


@dataclass(frozen=True)
class AskShard:
    """Writes the candidates of the shard with an index."""

    documents: Path
    units: tuple[tuple[Unit, ...], ...]
    outputs: tuple[Path, ...]
    known: Mapping[str, tuple[Known, ...]]  # by the id of a document
    num_per_unit: int
    seed: int
    human: ReviewRules  # which reviews are good enough to be answers

    def __call__(self, index: int) -> None:
        """Ask about the units of one shard, each in its turn."""
        store = DocumentStore(self.documents)
        examples = (example for unit in self.units[index] for example in self.ask(unit, store))
        write_examples(self.outputs[index], examples)

    def ask(self, unit: Unit, store: DocumentStore) -> list[Example]:
        """Return the examples of a unit."""
        passages = [Passages(store[doc_id], self.known.get(doc_id, ()), self.human) for doc_id in unit.doc_ids]
        return ask(passages, unit.relation, self.num_per_unit, self.seed)


def ask(documents: Sequence[Passages], relation: Relation, num_examples: int, seed: int) -> list[Example]:
    """Return up to `num_examples` examples of documents that belong together.

    The tasks of their category have equal parts as far as they have candidates, and each is spread over the text.
    """
    category = documents[0].document.category
    found = [
        spread(task.candidates(documents), documents, num_examples, seed)
        for task in all_tasks().values()
        if task.candidates and task.related is relation and category in task.categories
    ]
    return round_robin(found)[:num_examples]


def spread(candidates: Iterable[Example], documents: Sequence[Passages], num_examples: int, seed: int) -> list[Example]:
    """Return up to `num_examples` candidates, in turn from `num_examples` equal stretches of the text.

    The first of every stretch that has any, in the order of a hash, then the second of each, and so on. The position of
    an example is that of its last evidence: an answer that needs a table's head and its row lies at the row.
    """
    length = max(1, sum(len(passages.document.text) for passages in documents))
    starts, before = {}, 0
    for passages in documents:
        starts[passages.document.doc_id] = before
        before += len(passages.document.text)
    stretches: dict[int, list[Example]] = {}
    for example in candidates:
        last = example.evidence[-1]
        place = starts[last.doc_id] + last.start
        stretches.setdefault(place * num_examples // length, []).append(example)
    ranked = [
        stable_shuffle(stretch, seed, key=lambda example: example.example_id)
        for _, stretch in sorted(stretches.items())
    ]
    ranked.sort(key=lambda stretch: order_key(seed, stretch[0].example_id))
    return round_robin(ranked)[:num_examples]
