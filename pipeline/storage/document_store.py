"""Look documents up by id: examples name documents and do not contain them."""

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.records import Category, Document, Split
from pipeline.storage.parquet import DOCUMENT_SCHEMA, document_from_row, open_parquet, parquet_files


class DocumentStore:
    """Documents by their id, read from Parquet when asked for; a few row groups are kept in memory.

    Ask in an order that keeps the documents of one row group together where there is a choice.
    """

    NUM_KEPT = 16  # documents, since examples of one follow each other, and those of a series name twelve
    INDEXED = ("doc_id", "category", "split", "num_tokens", "licence", "language", "source")

    def __init__(self, folder: Path, num_groups_kept: int = 4) -> None:
        """Index the metadata of a folder of documents; no text is read."""
        self.categories: dict[str, Category] = {}
        self.splits: dict[str, Split | Literal[""]] = {}
        self.num_tokens: dict[str, int] = {}
        self.licences: dict[str, str] = {}
        self.languages: dict[str, str] = {}
        self.sources: dict[str, str] = {}
        self._place: dict[str, tuple[Path, int, int]] = {}  # file, row group, row
        self._files: dict[Path, pq.ParquetFile] = {}
        self._groups: OrderedDict[tuple[Path, int], pa.Table] = OrderedDict()
        self._documents: OrderedDict[str, Document] = OrderedDict()
        self._num_groups_kept = num_groups_kept
        for path in parquet_files(folder, "*.parquet"):
            self._files[path] = open_parquet(path, DOCUMENT_SCHEMA)
            for group in range(self._files[path].num_row_groups):
                rows = self._files[path].read_row_group(group, columns=list(self.INDEXED)).to_pylist()
                for number, row in enumerate(rows):
                    self._index(row, (path, group, number))

    def _index(self, row: dict[str, Any], place: tuple[Path, int, int]) -> None:
        doc_id = row["doc_id"]
        self._place[doc_id] = place
        self.categories[doc_id] = row["category"]
        self.splits[doc_id] = row["split"]
        self.num_tokens[doc_id] = row["num_tokens"]
        self.licences[doc_id] = row["licence"]
        self.languages[doc_id] = row["language"]
        self.sources[doc_id] = row["source"]

    def in_order(self) -> Iterator[str]:
        """Yield the ids in the order of the files."""
        yield from self._place

    def __contains__(self, doc_id: str) -> bool:
        return doc_id in self._place

    def order(self, doc_id: str) -> tuple[str, int, int]:
        """Return the position of a document in the files, to read documents in that order."""
        path, group, row = self._place[doc_id]
        return path.name, group, row

    def __getitem__(self, doc_id: str) -> Document:
        if doc_id not in self._documents:
            self._documents[doc_id] = self._read(doc_id)
            while len(self._documents) > self.NUM_KEPT:
                self._documents.popitem(last=False)
        self._documents.move_to_end(doc_id)
        return self._documents[doc_id]

    def _read(self, doc_id: str) -> Document:
        path, number, row = self._place[doc_id]
        if (path, number) not in self._groups:
            self._groups[path, number] = self._files[path].read_row_group(number)
            while len(self._groups) > self._num_groups_kept:
                self._groups.popitem(last=False)
        self._groups.move_to_end((path, number))
        return document_from_row(self._groups[path, number].slice(row, 1).to_pylist()[0])
