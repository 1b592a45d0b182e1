"""Write the rows of a dataset in each of its editions, and count them, in one pass and one row at a time.

An edition is JSON as the original's loader reads it, for training rows, and Parquet for both splits, in files of at
most 256 million characters.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pipeline.curation.licences import is_unknown
from pipeline.passages.evidence_places import find_example_bucket
from pipeline.records import MixedExample
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.row_writers import JsonWriter, RowWriter

COUNTED = ("kinds", "licences", "teachers", "lengths", "places_of_evidence", "checks", "languages", "sources")
LENGTH_BUCKETS = (1_024, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072, 262_144)  # upper bounds, tokens


class Counts:
    """What is counted of the rows of one split."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.documents: set[str] = set()
        self.rows = self.tokens = 0
        self.counters: dict[str, Counter[str]] = {name: Counter() for name in (*COUNTED, "without_checks")}

    def add(self, row: MixedExample, store: DocumentStore) -> None:
        """Count a row."""
        example = row.example
        category = store.categories[example.doc_ids[0]] if example.doc_ids else "none"
        licences = {store.licences[doc_id] for doc_id in example.doc_ids} or {example.licence}
        self.counters["kinds"][f"{category}/{example.task}"] += 1
        self.counters["licences"].update("unknown" if is_unknown(name) else name for name in licences)
        self.counters["teachers"][example.teacher or "unknown"] += 1
        self.counters["lengths"][length_bucket(row.num_tokens)] += 1
        if example.evidence:
            self.counters["places_of_evidence"][find_example_bucket(example, lambda doc_id: store[doc_id].text)] += 1
        self.counters["checks"].update(example.checks)
        if example.doc_ids and (example.reason or not example.checks):
            self.counters["without_checks"][example.task] += 1
        for doc_id in set(example.doc_ids) - self.documents:
            self.counters["languages"][store.languages[doc_id] or "en"] += 1
            self.counters["sources"][f"{source_host(store.sources[doc_id])} {store.licences[doc_id] or 'unknown'}"] += 1
        self.documents.update(example.doc_ids)
        self.rows += 1
        self.tokens += row.num_tokens

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as the report has them."""
        counters = {name: dict(sorted(counter.items())) for name, counter in self.counters.items()}
        return {"documents": len(self.documents), "rows": self.rows, "tokens": self.tokens, **counters}


def length_bucket(num_tokens: int) -> str:
    """Return the upper bound of the bucket that a length falls into."""
    return next((f"<= {bound}" for bound in LENGTH_BUCKETS if num_tokens <= bound), f"> {LENGTH_BUCKETS[-1]}")


def source_host(source: str) -> str:
    """Return the host of a URL, 'file' for a path."""
    return source.split("/")[2] if source.startswith(("http://", "https://")) else "file"


def write_edition(
    folder: Path,
    split: str,
    rows: Iterable[Mapping[str, MixedExample]],
    counts: Mapping[str, Mapping[str, Counts]],
    main: str,
    store: DocumentStore,
) -> None:
    """Write one split of all editions.

    Args:
        folder: Of the dataset; the main edition's Parquet lies there, that of another in a folder of its name.
        split: 'train' or 'test'.
        rows: In their order; the row in each edition that has it.
        counts: By edition and split, added to.
        main: The name of the main edition.
        store: The documents that the rows name.
    """
    with ExitStack() as stack:
        writers: dict[str, list[RowWriter | JsonWriter]] = {}
        for edition in counts:
            place = folder if edition == main else folder / edition
            writers[edition] = [stack.enter_context(RowWriter(place, split))]
            if split == "train":
                writers[edition].append(stack.enter_context(JsonWriter(folder / f"LongAlpaca-{edition}.json")))
        for row in rows:
            for edition, shown in row.items():
                for writer in writers[edition]:
                    writer.write(shown)
                counts[edition][split].add(shown, store)
