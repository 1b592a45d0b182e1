"""Read rows as they come: JSON, JSON Lines, CSV or Parquet, packed by gzip or zstd, or a dataset of the Hub."""

import csv
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import pooch
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError

BATCH_ROWS = 64
PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}  # how a file begins
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SUFFIXES = (".json", ".jsonl", ".ndjson", ".parquet", ".csv", ".tsv")
DELIMITERS = {".csv": ",", ".tsv": "\t"}
BROKEN = (UnicodeDecodeError, json.JSONDecodeError, csv.Error, pa.ArrowInvalid, EOFError, OSError, zlib.error)
MAX_FIELD = 1 << 30  # characters in a field of CSV, in which whole documents are


def read_rows(source: str, where: str) -> Iterator[Any]:
    """Yield the rows of a file, a folder of files, a URL, or a split of a Hub dataset.

    Args:
        source: A path, a URL, or 'hub:owner/name', 'hub:owner/name:split' or 'hub:owner/name:config:split'.
        where: What to name in an error, as "section 'short', key 'source'".

    Raises:
        InputError: It cannot be read, or has another format.
    """
    if source.startswith("hub:"):
        yield from read_hub_rows(source.removeprefix("hub:"), where)
        return
    path = download(source, where) if source.startswith(("http://", "https://")) else Path(source)
    files = sorted(p for p in path.rglob("*") if find_suffix(p) in SUFFIXES) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise InputError(
            where,
            found=f"{source}, which does not exist",
            expected="a path, a URL, or 'hub:owner/name'",
            fix="Correct the name.",
        )
    for file in files:
        yield from read_file_rows(file)


def find_suffix(path: Path) -> str:
    """Return the suffix of a file's format, without that of its packing: '.jsonl' for rows.jsonl.gz."""
    name = path.with_suffix("") if path.suffix.lower() in (".gz", ".zst") else path
    return name.suffix.lower()


def read_file_rows(path: Path) -> Iterator[Any]:
    """Yield the rows of one file; its first bytes tell the format, except CSV's, which its name tells."""
    with path.open("rb") as file:
        start = file.read(4)
    try:
        if start == b"PAR1":
            with pq.ParquetFile(path) as parquet:
                for batch in parquet.iter_batches(BATCH_ROWS):
                    yield from batch.to_pylist()
            return
        with open_text(path, start) as text:
            yield from read_text_rows(text, find_suffix(path))
    except BROKEN as error:
        is_json = isinstance(error, json.JSONDecodeError | UnicodeDecodeError)
        raise InputError(
            path,
            found=f"{'broken JSON' if is_json else 'a broken file'} ({' '.join(str(error).split())[:200]})",
            expected="a JSON list of objects, an object per line, CSV with a header, or Parquet",
            fix="Correct it, or convert it to UTF-8.",
        ) from error


def open_text(path: Path, start: bytes) -> TextIO:
    """Open a text file, unpacked if it is packed."""
    packing = next((name for magic, name in PACKED.items() if start.startswith(magic)), None)
    stream = pa.input_stream(str(path), compression=packing)
    head = start
    if packing:
        with pa.input_stream(str(path), compression=packing) as packed:
            head = packed.read(4)
    encoding = "utf-16" if head.startswith(UTF_16) else "utf-8-sig"
    return io.TextIOWrapper(stream, encoding=encoding, newline="")


def read_text_rows(text: TextIO, suffix: str) -> Iterator[Any]:
    """Yield the rows of JSON, JSON Lines or CSV."""
    if suffix in DELIMITERS:
        csv.field_size_limit(MAX_FIELD)
        yield from csv.DictReader(text, delimiter=DELIMITERS[suffix])
        return
    lines = (line for line in text if line.strip())
    first = next(lines, "")
    if first.lstrip().startswith("["):
        yield from json.loads(first + "".join(lines))
        return
    for line in (first, *lines) if first else ():
        yield json.loads(line)


def read_hub_rows(name: str, where: str) -> Iterator[Any]:
    """Yield a split of a Hub dataset, streamed: that named train unless `name` says another."""
    import datasets  # it takes a second to import, and only this source needs it

    repository, *rest = name.split(":")
    config, split = (None, "train") if not rest else (rest[0] if len(rest) > 1 else None, rest[-1])
    try:
        yield from datasets.load_dataset(repository, config, split=split, streaming=True)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise InputError(
            where,
            found=f"hub:{name}, which cannot be loaded ({(str(error).splitlines() or [type(error).__name__])[0]})",
            expected=f"a dataset of the Hub with a split {split}; 'hub:owner/name:config:split' names others",
            fix="Check the name and the connection, or name a local file.",
        ) from error


def download(url: str, where: str) -> Path:
    """Return the local copy of a URL, made once."""
    try:
        return Path(pooch.retrieve(url, known_hash=None, progressbar=False))
    except (OSError, ValueError) as error:
        raise InputError(
            where,
            found=f"{url}, which cannot be downloaded ({error})",
            expected="a URL that responds",
            fix="Check the address and the connection, or name a local file.",
        ) from error
