"""Write rows of a dataset one at a time, as Parquet in files of limited size and as JSON like the original's."""

import json
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.records import MixedExample
from pipeline.storage.parquet import CHARACTERS_PER_GROUP, MIXED_SCHEMA, ROWS_PER_GROUP

CHARACTERS_PER_FILE = 256_000_000


class RowWriter:
    """Writes rows to numbered Parquet files."""

    def __init__(self, folder: Path, split: str) -> None:
        """Open the first file; a split without rows has an empty one."""
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
