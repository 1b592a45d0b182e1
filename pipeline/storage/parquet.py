"""How records are stored: Parquet with the schemas below, one row group in memory at a time.

A folder of records is read in the order of its file names, so that the same folder always gives the same sequence.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError
from pipeline.files import replacing
from pipeline.records import Document, Evidence, Example, Fact, Material, MixedExample, Section, Statement, Turn

RowGroup = tuple[Path, int]  # a Parquet file, and the number of one of its groups of rows
ROWS_PER_GROUP = 16  # a text may have megabytes, and a row group is what a reader holds in memory
CHARACTERS_PER_GROUP = 1_000_000  # after which it ends, however few its rows: one of them is asked for at a time

SECTION = pa.struct({"path": pa.list_(pa.string()), "start": pa.int64(), "end": pa.int64()})
EVIDENCE = pa.struct({"doc_id": pa.string(), "start": pa.int64(), "end": pa.int64(), "quote": pa.string()})
TURN = pa.struct({"role": pa.string(), "content": pa.large_string()})
STATEMENT = pa.struct({"text": pa.string(), "quotes": pa.list_(pa.int64())})
FACT = pa.struct(
    {
        **dict.fromkeys(("concept", "value", "unit", "period"), pa.string()),
        "dimensions": pa.list_(pa.string()),
        **dict.fromkeys(("scale", "start", "end"), pa.int64()),
    }
)
DOCUMENT_SCHEMA = pa.schema(
    {
        **dict.fromkeys(("doc_id", "category", "source", "title"), pa.string()),
        "authors": pa.list_(pa.string()),
        **dict.fromkeys(("date", "language", "licence", "media_type"), pa.string()),
        "num_pages": pa.int64(),
        "num_tokens": pa.int64(),
        "text": pa.large_string(),
        "page_offsets": pa.list_(pa.int64()),
        "sections": pa.list_(SECTION),
        "facts": pa.list_(FACT),
        "reader": pa.string(),
        "warnings": pa.list_(pa.string()),
        "error": pa.string(),
        "group": pa.string(),
        "split": pa.string(),
    }
)
EXAMPLE_SCHEMA = pa.schema(
    {
        **dict.fromkeys(("example_id", "task", "question", "answer"), pa.string()),
        "doc_ids": pa.list_(pa.string()),
        "evidence": pa.list_(EVIDENCE),
        **dict.fromkeys(("teacher", "prompt_version", "licence"), pa.string()),
        "earlier": pa.list_(TURN),
        "statements": pa.list_(STATEMENT),
        "checks": pa.list_(pa.string()),
        "doubts": pa.list_(pa.string()),
        "reason": pa.string(),
    }
)

MATERIAL = pa.struct({"doc_id": pa.string(), "start": pa.int64(), "end": pa.int64(), "offset": pa.int64()})
MIXED_SCHEMA = pa.schema(
    [
        pa.field("instruction", pa.large_string()),
        pa.field("output", pa.string()),
        pa.field("num_tokens", pa.int64()),
        pa.field("material", pa.list_(MATERIAL)),
        *EXAMPLE_SCHEMA,
        pa.field("turns", pa.list_(TURN)),
    ]
)


def write_documents(path: Path, documents: Iterable[Document]) -> int:
    """Write one Parquet file of documents and return how many there were."""
    return write_rows(path, DOCUMENT_SCHEMA, (asdict(document) for document in documents))


def write_examples(path: Path, examples: Iterable[Example]) -> int:
    """Write one Parquet file of examples and return how many there were."""
    return write_rows(path, EXAMPLE_SCHEMA, (asdict(example) for example in examples))


def write_mixed(path: Path, rows: Iterable[MixedExample]) -> int:
    """Write one Parquet file of dataset rows, the columns of the example beside their own."""
    return write_rows(path, MIXED_SCHEMA, ({**asdict(mixed), **asdict(mixed.example)} for mixed in rows))


def write_rows(path: Path, schema: pa.Schema, rows: Iterable[dict[str, Any]]) -> int:
    """Write rows to one Parquet file, a row group at a time, and return how many there were."""
    count = num_characters = 0
    group: list[dict[str, Any]] = []
    with replacing(path) as beside, pq.ParquetWriter(beside, schema, compression="zstd") as writer:
        for row in rows:
            group.append(row)
            num_characters += sum(len(value) for value in row.values() if isinstance(value, str))
            if len(group) == ROWS_PER_GROUP or num_characters >= CHARACTERS_PER_GROUP:
                writer.write_table(pa.Table.from_pylist(group, schema))
                count += len(group)
                group, num_characters = [], 0
        writer.write_table(pa.Table.from_pylist(group, schema))
        count += len(group)
    return count


def read_documents(folder: Path) -> Iterator[Document]:
    """Yield the documents of every Parquet file of a folder, error rows included.

    Raises:
        InputError: The folder holds no Parquet file, or one of another kind.
    """
    for row in read_rows(folder, "*.parquet", DOCUMENT_SCHEMA):
        yield document_from_row(row)


def read_examples(folder: Path, pattern: str = "*.parquet") -> Iterator[Example]:
    """Yield the examples of the Parquet files of a folder whose names match `pattern`.

    Raises:
        InputError: The folder holds no such file, or one of another kind.
    """
    for row in read_rows(folder, pattern, EXAMPLE_SCHEMA):
        yield example_from_row(row)


def read_mixed(folder: Path, pattern: str) -> Iterator[MixedExample]:
    """Yield the dataset rows of the Parquet files of a folder whose names match `pattern`.

    Raises:
        InputError: The folder holds no such file, or one of another kind.
    """
    yield from read_mixed_groups(mixed_groups(folder, pattern))


def mixed_groups(folder: Path, pattern: str) -> list[RowGroup]:
    """Return the row groups of the Parquet files whose names match `pattern`, so that processes may share them.

    Raises:
        InputError: The folder holds no such file, or one of another kind.
    """
    return row_groups(folder, pattern, MIXED_SCHEMA)


def read_mixed_groups(groups: Iterable[RowGroup]) -> Iterator[MixedExample]:
    """Yield the dataset rows of some row groups."""
    for row in read_groups(groups, MIXED_SCHEMA):
        example = example_from_row({name: row.pop(name) for name in EXAMPLE_SCHEMA.names})
        material = tuple(Material(**part) for part in row.pop("material"))
        turns = tuple(Turn(**turn) for turn in row.pop("turns"))
        yield MixedExample(material=material, example=example, turns=turns, **row)


def example_from_row(row: dict[str, Any]) -> Example:
    """Return the example that a row of `EXAMPLE_SCHEMA` holds."""
    evidence = tuple(Evidence(**span) for span in row.pop("evidence"))
    statements = tuple(Statement(part["text"], tuple(part["quotes"])) for part in row.pop("statements"))
    earlier = tuple(Turn(**turn) for turn in row.pop("earlier"))
    return Example(evidence=evidence, earlier=earlier, statements=statements, **tuples(row))


def document_from_row(row: dict[str, Any]) -> Document:
    """Return the document that a row of `DOCUMENT_SCHEMA` holds."""
    sections = tuple(Section(tuple(part["path"]), part["start"], part["end"]) for part in row.pop("sections"))
    facts = tuple(Fact(**tuples(fact)) for fact in row.pop("facts"))
    return Document(sections=sections, facts=facts, **tuples(row))


def tuples(row: dict[str, Any]) -> dict[str, Any]:
    """Turn Parquet's lists into the tuples of a record."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


def read_rows(folder: Path, pattern: str, schema: pa.Schema) -> Iterator[dict[str, Any]]:
    """Yield the rows of a folder's Parquet files in the order of their names, one row group in memory at a time."""
    yield from read_groups(row_groups(folder, pattern, schema), schema)


def row_groups(folder: Path, pattern: str, schema: pa.Schema) -> list[RowGroup]:
    """Return the row groups of a folder's Parquet files that are not empty, in the order of the files' names."""
    found: list[RowGroup] = []
    for path in parquet_files(folder, pattern):
        with open_parquet(path, schema) as file:
            numbers = range(file.num_row_groups)
            found += [(path, number) for number in numbers if file.metadata.row_group(number).num_rows]
    return found


def read_groups(groups: Iterable[RowGroup], schema: pa.Schema) -> Iterator[dict[str, Any]]:
    """Yield the rows of some row groups, one group in memory at a time."""
    for path, own in groupby(groups, key=itemgetter(0)):
        with open_parquet(path, schema) as file:
            for _, number in own:
                yield from file.read_row_group(number).to_pylist()


def parquet_files(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a folder that match `pattern`, by name.

    Raises:
        InputError: There is none.
    """
    files = sorted(folder.glob(pattern))
    if not files:
        raise InputError(
            folder,
            found="no such folder" if not folder.is_dir() else f"no file that matches {pattern}",
            expected="the output of an earlier stage",
            fix="Run that stage first: 'dvc repro' runs what is missing.",
        )
    return files


def open_parquet(path: Path, schema: pa.Schema) -> pq.ParquetFile:
    """Open a Parquet file of one of our schemas.

    Raises:
        InputError: It is broken, or of another kind.
    """
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise InputError(
            path, found=f"a broken file ({error})", expected="Parquet", fix="Remove it and run its stage again."
        ) from error
    if not file.schema_arrow.equals(schema):
        raise InputError(
            path,
            found=f"the columns {', '.join(file.schema_arrow.names)}",
            expected=f"the columns {', '.join(schema.names)} of docs/data-format.md",
            fix="Name the folder of the right stage, or run that stage again.",
        )
    return file
