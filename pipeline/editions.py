"""Write the rows of a dataset in each of its editions, and count them, in one pass and one row at a time.

An edition is JSON as the original's loader reads it, for training rows, and Parquet for both splits, in files of at
most 256 million characters.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.licences import is_unknown
from pipeline.records import CHARACTERS_PER_GROUP, MIXED_SCHEMA, ROWS_PER_GROUP, DocumentStore, MixedExample

CHARACTERS_PER_FILE = 256_000_000
LENGTH_BUCKETS = (1_024, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072, 262_144)  # upper bounds, tokens


class Counts:
    """What is counted of the rows of one split."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.documents: set[str] = set()
        self.rows = self.tokens = 0
        self.counters: dict[str, Counter[str]] = {
            name: Counter()
            for name in ("kinds", "licences", "teachers", "lengths", "checks", "languages", "sources", "without_checks")
        }

    def add(self, row: MixedExample, store: DocumentStore) -> None:
        """Count a row."""
        example = row.example
        category = store.categories[example.doc_ids[0]] if example.doc_ids else "none"
        licences = {store.licences[doc_id] for doc_id in example.doc_ids} or {example.licence}
        self.counters["kinds"][f"{category}/{example.task}"] += 1
        self.counters["licences"].update("unknown" if is_unknown(name) else name for name in licences)
        self.counters["teachers"][example.teacher or "unknown"] += 1
        self.counters["lengths"][bucket_of(row.num_tokens)] += 1
        self.counters["checks"].update(example.checks)
        if example.doc_ids and (example.reason or not example.checks):
            self.counters["without_checks"][example.task] += 1
        for doc_id in set(example.doc_ids) - self.documents:
            self.counters["languages"][store.languages[doc_id] or "en"] += 1
            self.counters["sources"][f"{place_of(store.sources[doc_id])} {store.licences[doc_id] or 'unknown'}"] += 1
        self.documents.update(example.doc_ids)
        self.rows += 1
        self.tokens += row.num_tokens

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as the report has them."""
        counters = {name: dict(sorted(counter.items())) for name, counter in self.counters.items()}
        return {"documents": len(self.documents), "rows": self.rows, "tokens": self.tokens, **counters}


def bucket_of(num_tokens: int) -> str:
    """Return the upper bound of the bucket that a length falls into."""
    return next((f"<= {bound}" for bound in LENGTH_BUCKETS if num_tokens <= bound), f"> {LENGTH_BUCKETS[-1]}")


def place_of(source: str) -> str:
    """Return the host of a URL, 'file' for a path."""
    return source.split("/")[2] if source.startswith(("http://", "https://")) else "file"


class RowWriter:
    """Writes rows to numbered Parquet files."""

    def __init__(self, folder: Path, split: str) -> None:
        """Begin with no file; the first is opened at once, so that a split without rows has one as well."""
        self.folder, self.split = folder, split
        self.group: list[dict[str, Any]] = []
        self.group_characters = self.file_characters = self.number = 0
        folder.mkdir(exist_ok=True)
        self.file = self._open()

    def _open(self) -> pq.ParquetWriter:
        path = self.folder / f"{self.split}-{self.number:05d}.parquet"
        return pq.ParquetWriter(path, MIXED_SCHEMA, compression="zstd", use_dictionary=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._flush()
        self.file.close()

    def write(self, row: MixedExample) -> None:
        """Add a row."""
        if self.file_characters >= CHARACTERS_PER_FILE:
            self._flush()
            self.file.close()
            self.number, self.file_characters = self.number + 1, 0
            self.file = self._open()
        self.group.append({**asdict(row), **asdict(row.example)})
        self.group_characters += len(row.instruction)
        self.file_characters += len(row.instruction)
        if len(self.group) == ROWS_PER_GROUP or self.group_characters >= CHARACTERS_PER_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self.group or not self.file_characters:
            self.file.write_table(pa.Table.from_pylist(self.group, MIXED_SCHEMA))
        self.group, self.group_characters = [], 0


class JsonWriter:
    """Writes rows as one JSON list of objects with instruction and output, an object a line."""

    def __init__(self, path: Path) -> None:
        """Open the file."""
        self.file: TextIO = path.open("w", encoding="utf-8")
        self.separator = "["

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.file.write("\n]\n" if self.separator == "," else "[]\n")
        self.file.close()

    def write(self, row: MixedExample) -> None:
        """Add a row."""
        content = {"instruction": row.instruction, "output": row.output}
        self.file.write(f"{self.separator}\n{json.dumps(content, ensure_ascii=False)}")
        self.separator = ","


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
