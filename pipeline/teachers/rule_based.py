"""The embedded teacher: no model, only questions whose answers can be read off the text by a rule."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.passages.document_groups import Relation
from pipeline.passages.passages import Passages
from pipeline.records import Example
from pipeline.stable_order import order_key, round_robin, stable_shuffle
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import write_examples
from pipeline.tasks.task import Supplied, all_tasks


@dataclass(frozen=True)
class DocumentGroup:
    """Documents that are asked about together, and how they are related."""

    relation: Relation
    doc_ids: tuple[str, ...]


@dataclass(frozen=True)
class GroupShard:
    """The groups of one shard, and the file for their examples."""

    groups: tuple[DocumentGroup, ...]
    output: Path


@dataclass(frozen=True)
class ShardAsker:
    """Writes the examples of a shard; it is pickled and sent to the workers."""

    documents: Path
    shards: tuple[GroupShard, ...]
    supplied: Supplied
    num_per_group: int
    max_shares: Mapping[str, float]
    seed: int

    def __call__(self, index: int) -> None:
        """Write the examples of the shard with an index."""
        store = DocumentStore(self.documents)
        shard = self.shards[index]
        write_examples(shard.output, (example for group in shard.groups for example in self.ask_about(group, store)))

    def ask_about(self, group: DocumentGroup, store: DocumentStore) -> list[Example]:
        """Return the examples about a group of documents."""
        documents = [Passages(store[doc_id]) for doc_id in group.doc_ids]
        return make_examples(
            documents, group.relation, self.num_per_group, self.seed, self.supplied, max_shares=self.max_shares
        )


def make_examples(
    documents: Sequence[Passages],
    relation: Relation,
    num_examples: int,
    seed: int,
    supplied: Supplied | None = None,
    *,
    max_shares: Mapping[str, float] | None = None,
) -> list[Example]:
    """Return up to `num_examples` examples about documents that belong together.

    The tasks take turns as far as they have candidates, and the examples of each are spread over the text. A task with
    a greatest share has no more than that of `num_examples`, but one: with 24 and 0.05 it has one.
    """
    shares = max_shares or {}
    category = documents[0].document.category
    by_task: dict[str, list[Example]] = {}
    for task in all_tasks().values():
        if task.is_rule_based and task.related is relation and category in task.categories:
            for example in task.find_candidates(documents, supplied or Supplied()):
                by_task.setdefault(example.task, []).append(example)
    limits = {task: max(1, int(shares.get(task, 1) * num_examples)) for task in by_task}
    chosen = (spread(found, documents, num_examples, seed)[: limits[task]] for task, found in by_task.items())
    return round_robin(chosen)[:num_examples]


def spread(candidates: Iterable[Example], documents: Sequence[Passages], num_examples: int, seed: int) -> list[Example]:
    """Return up to `num_examples` candidates that are spread evenly over the text.

    The text is divided into `num_examples` equal bins. First comes one candidate of each bin, then a second of each,
    and so on; bins and candidates are shuffled by a hash. A candidate is in the bin of its last evidence: one that
    needs the header and a row of a table is where the row is.
    """
    length = max(1, sum(len(passages.document.text) for passages in documents))
    offsets, before = {}, 0
    for passages in documents:
        offsets[passages.document.doc_id] = before
        before += len(passages.document.text)
    bins: dict[int, list[Example]] = {}
    for example in candidates:
        last = example.evidence[-1]
        position = offsets[last.doc_id] + last.start
        bins.setdefault(position * num_examples // length, []).append(example)
    shuffled = [
        stable_shuffle(found, seed, key=lambda example: example.example_id) for _, found in sorted(bins.items())
    ]
    shuffled.sort(key=lambda found: order_key(seed, found[0].example_id))
    return round_robin(shuffled)[:num_examples]
