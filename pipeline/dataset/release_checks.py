"""Say what of a folder would be given to others, and why it must not be."""

import fnmatch
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import yaml

from pipeline.curation.licences import licence_rejection
from pipeline.curation.pii import find_private
from pipeline.errors import InputError
from pipeline.records import MixedExample
from pipeline.storage.parquet import read_mixed

Kind = Literal["dataset", "model"]
TEXT_SUFFIXES = {".md", ".json", ".jsonl", ".txt", ".html", ".yaml", ".jinja"}
MAX_TEXT_BYTES = 50_000_000  # a larger JSON is the rows once more, which are looked at as rows
NUM_FAULTS_SHOWN = 5


@dataclass
class Contents:
    """What is in a folder."""

    kind: Kind
    files: list[str]  # that the allow-list names
    left_out: list[str]
    rows: Counter[str] = field(default_factory=Counter)  # by split
    licences: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)


def inspect(folder: Path, allowed_files: dict[str, list[str]], licences: list[str]) -> Contents:
    """Look at every file that would be given away.

    Args:
        folder: Of a dataset as `mix` or `import` writes it, or of a model.
        allowed_files: Patterns of names by kind.
        licences: That are allowed.

    Raises:
        InputError: The folder holds neither a dataset nor a model.
    """
    kind = detect_kind(folder)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = [name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in allowed_files[kind])]
    contents = Contents(kind, files, sorted(set(names) - set(files)))
    if kind == "dataset":
        for place in sorted({path.parent for path in folder.rglob("*.parquet")}):
            edition = "" if place == folder else f"{place.relative_to(folder).as_posix()} "
            for split in ("train", "test"):
                inspect_rows(read_mixed(place, f"{split}-*.parquet"), f"{edition}{split}", licences, contents)
    else:
        licence = read_card_licence(folder / "README.md")
        contents.licences[licence or "unknown"] += 1
        contents.faults.update(filter(None, [licence_rejection(licence, licences, publishing=True)]))
        contents.faults.update(f"{licence} without {name}" for name in list_missing_files(licence, files))
    for name in files:
        search_secrets(folder / name, name, contents)
    return contents


def list_missing_files(licence: str, files: list[str]) -> list[str]:
    """Return what a licence asks to go along with a model and is not there; Meta's ask for all three."""
    asked = ("LICENSE", "NOTICE", "USE_POLICY") if licence.lower().startswith("llama") else ()
    return [name for name in asked if not any(file.upper().startswith(name) for file in files)]


def detect_kind(folder: Path) -> Kind:
    """Return what a folder holds.

    Raises:
        InputError: Neither.
    """
    if list(folder.glob("train-*.parquet")):
        return "dataset"
    if (folder / "config.json").is_file() or (folder / "adapter_config.json").is_file():
        return "model"
    raise InputError(
        folder,
        found="neither train-*.parquet nor config.json" if folder.is_dir() else "no such folder",
        expected="the folder of a dataset or of a model",
        fix="Name what 'mix', 'import' or 'merge' wrote.",
    )


def inspect_rows(rows: Iterator[MixedExample], split: str, licences: list[str], contents: Contents) -> None:
    """Count rows and licences, and what is wrong with rows."""
    for row in rows:
        contents.rows[split] += 1
        contents.licences[row.example.licence or "unknown"] += 1
        contents.faults.update(row_faults(row, licences))


def row_faults(row: MixedExample, licences: list[str]) -> Iterator[str]:
    """Yield what is wrong with a row; of several licences, which ' AND ' joins, each must be allowed."""
    for licence in re.split(r" AND |, ", row.example.licence):
        if fault := licence_rejection(licence, licences, publishing=True):
            yield fault
    if row.example.reason:
        yield f"row that failed a check: {row.example.reason}"
    if row.material and not row.example.checks:
        yield "row that passed no check"
    for text in (row.instruction, row.output):
        yield from (kind for kind, _, _ in find_private(text, ("secret",)))


def search_secrets(path: Path, name: str, contents: Contents) -> None:
    """Look for secrets in a text file."""
    if path.suffix in TEXT_SUFFIXES and path.stat().st_size <= MAX_TEXT_BYTES:
        text = path.read_text(encoding="utf-8", errors="replace")
        contents.faults.update(f"{kind} in {name}" for kind, _, _ in find_private(text, ("secret",)))


def read_card_licence(path: Path) -> str:
    """Return the licence that the header of a model card names, '' if it names none.

    Raises:
        InputError: The header is not YAML.
    """
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    match = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
    try:
        header = yaml.safe_load(match[1]) if match else {}
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(path, found=f"a broken header ({reason})", expected="YAML", fix="Correct it.") from error
    return str(header.get("license") or "") if isinstance(header, dict) else ""


def list_faults(contents: Contents) -> str:
    """Return the commonest faults with their numbers."""
    listed = [f"{count} {fault}" for fault, count in contents.faults.most_common(NUM_FAULTS_SHOWN)]
    rest = len(contents.faults) - len(listed)
    return "; ".join([*listed, *([f"and {rest} other kinds"] if rest else [])])


def describe(contents: Contents) -> str:
    """Return rows and licences on one line."""
    rows = ", ".join(f"{count} {split} rows" for split, count in sorted(contents.rows.items())) or "no rows"
    return f"{rows}; licences {json.dumps(dict(sorted(contents.licences.items())))}"
