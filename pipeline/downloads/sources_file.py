"""Read a sources file: a YAML list of the documents that `fetch` downloads, each with its licence."""

import datetime
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pipeline.errors import InputError
from pipeline.records import Category

MAX_LIST_BYTES = 50_000_000  # some tens of thousands of sources
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where libyaml is installed
WAYS = ("path", "glob", "url", "remote", "dataset")
LOCAL_PROTOCOLS = ("http", "https", "file", "local", "")


def date_as_text(value: object) -> object:
    """Return dates and years as text; YAML reads them as dates and numbers."""
    return str(value) if isinstance(value, int | datetime.date) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(date_as_text)]


class Source(BaseModel):
    """An entry of a sources file."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    path: str | None = None  # one file, relative to the sources file or absolute; links are followed
    glob: str | None = None  # several files, likewise; links are not followed
    url: str | None = None  # http or https
    remote: str | None = None  # one file of a store that fsspec reads: s3://bucket/key, gs://bucket/key
    dataset: str | None = None  # of the Hub, with '@' and its revision, or a folder: the text of one of its rows
    column: str = ""  # of `dataset`
    split: str = ""  # of `dataset`
    row: int | None = Field(default=None, ge=0)  # of `split`, from 0
    category: Category
    licence: str
    id: str = ""  # in the catalogue that it was found in, like 'arxiv:2309.12307'
    licence_evidence: str = ""  # where the licence is stated: a URL, or the words of the user
    title: Text = ""
    authors: list[str] = []
    date: Text = Field(default="", pattern=r"^(\d{4}(-\d\d(-\d\d)?)?)?$")
    language: str = Field(default="", pattern=r"^([a-z]{2})?$")
    media_type: str = ""  # if the server sends another one, the document is refused
    size: int | None = Field(default=None, ge=0)  # expected, in bytes; refused if more than twice as large
    group: str = ""  # see `Document.group`
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")


@dataclass(frozen=True)
class Rows:
    """A column of a data set on the Hub or in a folder."""

    dataset: str
    split: str
    column: str


@dataclass(frozen=True)
class Place:
    """One document that a sources file lists."""

    source: Source
    name: str  # as the sources file names it
    path: Path | None  # None if it is not a local file


def read_sources(file: Path) -> list[Source]:
    """Read a sources file.

    Raises:
        InputError: It is missing or broken; the message names file, entry and key.
    """
    if not file.is_file():
        raise InputError(file, found="no such file", expected="a sources file", fix="Name it in fetch.sources.")
    if file.stat().st_size > MAX_LIST_BYTES:
        raise InputError(file, found="more than 50 MB", expected="a sources file", fix="Split it.")
    try:
        content: Any = yaml.load(file.read_text(encoding="utf-8"), LOADER)  # noqa: S506 (a safe loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(file, found=f"broken YAML ({reason})", expected="a YAML list", fix="Correct it.") from error
    if not isinstance(content, list):
        found = "an empty corpus" if content is None else f"a {type(content).__name__} at the top"
        raise InputError(file, found=found, expected="a YAML list of sources", fix="Begin each source with '- '.")
    if not content:
        raise InputError(file, found="an empty corpus", expected="sources", fix="List some documents.")
    return [check_source(f"{file}: entry {number}", item) for number, item in enumerate(content, 1)]


def check_source(where: str, item: object) -> Source:
    """Check an entry of a sources file.

    Raises:
        InputError: A key is unknown, missing or mistyped, or the entry names no location or several.
    """
    try:
        source = Source.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        missing, unknown = first["type"] == "missing", first["type"] == "extra_forbidden"
        raise InputError(
            f"{where}, key '{key}'" if key else where,
            found="no such key" if missing else "an unknown key" if unknown else repr(first["input"]),
            expected=", ".join(Source.model_fields) if unknown else first["msg"].removeprefix("Input should be "),
            fix="Add it." if missing else "Correct it.",
        ) from error
    given = [name for name in WAYS if getattr(source, name) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise InputError(where, found=found, expected=f"one of {', '.join(WAYS)}", fix="Give each entry one of them.")
    if source.url is not None and not is_web(source.url):
        raise InputError(f"{where}, key 'url'", found=source.url, expected="http or https", fix="Use path for files.")
    if source.dataset is not None and (not source.column or not source.split or source.row is None):
        raise InputError(where, found="a dataset alone", expected="column, split and row too", fix="Add them.")
    if source.remote is not None and not is_store(source.remote):
        expected, advice = "a store such as s3://bucket/key", "Use url for the web and path for files."
        raise InputError(f"{where}, key 'remote'", found=source.remote, expected=expected, fix=advice)
    return source


def is_web(url: str) -> bool:
    """Tell whether a URL is http or https and names a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_store(url: str) -> bool:
    """Tell whether fsspec may open a URL: one store, neither the web (which `url` guards) nor this machine."""
    return "://" in url and "::" not in url and url.split("://")[0] not in LOCAL_PROTOCOLS


def list_places(sources: list[Source], file: Path) -> Iterator[Place]:
    """Yield each document of the sources.

    Raises:
        InputError: A file does not exist, or a pattern matches no file.
    """
    for number, source in enumerate(sources, 1):
        where = f"{file}: entry {number}"
        if source.path is not None:
            path = file.parent / source.path
            if not path.is_file():
                raise InputError(f"{where}, key 'path'", found=f"no file {path}", expected="a file", fix="Correct it.")
            yield Place(source, source.path, path)
        elif source.glob is not None:
            for name, path in match_files(where, source.glob, file.parent):
                yield Place(source, name, path)
        elif source.dataset is not None:
            yield Place(source, f"{source.dataset}#{source.split}/{source.column}/{source.row}", None)
        else:
            yield Place(source, source.url or source.remote or "", None)


def match_files(where: str, pattern: str, folder: Path) -> list[tuple[str, Path]]:
    r"""Return the files that match a pattern, sorted, each with its name: relative if the pattern is.

    In a name that is not UTF-8, `\xff` stands for a byte that cannot be decoded.

    Raises:
        InputError: No file matches.
    """
    root = Path(Path(pattern).anchor) if Path(pattern).is_absolute() else folder
    relative = Path(pattern).relative_to(root) if Path(pattern).is_absolute() else Path(pattern)
    found = sorted(path for path in root.glob(str(relative)) if path.is_file() and not path.is_symlink())
    if not found:
        raise InputError(
            f"{where}, key 'glob'",
            found=f"no file that matches {pattern}",
            expected="at least one",
            fix="Correct the pattern.",
        )
    named = ((path if Path(pattern).is_absolute() else path.relative_to(folder), path) for path in found)
    return [(os.fsencode(name).decode("utf-8", "backslashreplace"), path) for name, path in named]
