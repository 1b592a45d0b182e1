"""Bring the documents of a sources file into one folder: local files are copied, URLs downloaded.

Reads   SOURCES                a YAML list of {path | glob | url, category, licence, ...}
Writes  OUT/documents.jsonl    one line a source, in the order of the list
        OUT/files/             the bytes, named by their sha256
"""

import datetime
import hashlib
import http.client
import logging
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import pooch
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from tqdm import tqdm

from pipeline.cli import run_stage
from pipeline.entries import Entry, write_entries
from pipeline.errors import InputError
from pipeline.files import remove, replacing, sha256_of
from pipeline.params import MAX_PARAMS_BYTES, Params
from pipeline.records import Category
from pipeline.refusals import count_refusals, list_refusals

log = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 20
USER_AGENT = "longalpaca/0.1 (reads documents that its user lists)"
MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".epub": "application/epub+zip",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "application/xhtml+xml",
    ".xml": "application/xml",
    ".txt": "text/plain",
    ".md": "text/markdown",
}


class FetchParams(Params):
    """Section `fetch` of params.yaml."""

    sources: str  # for dvc.yaml, which passes it as --sources: what the option says is what is read
    max_bytes: int  # of one document
    timeout_seconds: float  # for one download, from first to last byte


def text_of(value: object) -> object:
    """Return dates and years as text: YAML reads them as what they are."""
    return str(value) if isinstance(value, int | datetime.date) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(text_of)]


class Source(BaseModel):
    """An entry of a sources file."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    path: str | None = None  # one file, relative to the sources file or absolute; links are followed
    glob: str | None = None  # several files, likewise; links are not followed
    url: str | None = None  # http or https
    category: Category
    licence: str
    title: Text = ""
    authors: list[str] = []
    date: Text = Field("", pattern=r"^(\d{4}(-\d\d(-\d\d)?)?)?$")
    language: str = Field("", pattern=r"^([a-z]{2})?$")
    media_type: str = ""
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")


def read_sources(file: Path) -> list[Source]:
    """Read a sources file.

    Raises:
        InputError: It is missing or broken; the message names file, entry and key.
    """
    if not file.is_file():
        raise InputError(file, found="no such file", wanted="a sources file", remedy="Name it in fetch.sources.")
    if file.stat().st_size > MAX_PARAMS_BYTES:
        raise InputError(file, found="more than 1 MB", wanted="a sources file", remedy="Split it.")
    try:
        content: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(file, found=f"broken YAML ({reason})", wanted="a YAML list", remedy="Mend it.") from error
    if not isinstance(content, list):
        found = "an empty corpus" if content is None else f"a {type(content).__name__} at the top"
        raise InputError(file, found=found, wanted="a YAML list of sources", remedy="Begin each source with '- '.")
    if not content:
        raise InputError(file, found="an empty corpus", wanted="sources", remedy="List some documents.")
    return [source_of(f"{file}: entry {number}", item) for number, item in enumerate(content, 1)]


def source_of(where: str, item: object) -> Source:
    """Check an entry of a sources file.

    Raises:
        InputError: A key is unknown, missing or mistyped, or it names none or several places.
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
            wanted=", ".join(Source.model_fields) if unknown else first["msg"].removeprefix("Input should be "),
            remedy="Add it." if missing else "Mend it.",
        ) from error
    given = [name for name in ("path", "glob", "url") if getattr(source, name) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise InputError(where, found=found, wanted="one of path, glob, url", remedy="Split or complete the entry.")
    if source.url is not None and urlsplit(source.url).scheme not in ("http", "https"):
        raise InputError(f"{where}, key 'url'", found=source.url, wanted="http or https", remedy="Use path for files.")
    return source


def places(sources: list[Source], file: Path) -> Iterator[tuple[Source, str, Path | None]]:
    """Yield each document of the sources: its source, how that names it, and its path unless it is a URL.

    Raises:
        InputError: A file does not exist, or a pattern matches none.
    """
    for number, source in enumerate(sources, 1):
        where = f"{file}: entry {number}"
        if source.url is not None:
            yield source, source.url, None
        elif source.path is not None:
            path = file.parent / source.path
            if not path.is_file():
                raise InputError(f"{where}, key 'path'", found=f"no file {path}", wanted="one", remedy="Mend the path.")
            yield source, source.path, path
        else:
            assert source.glob is not None
            yield from ((source, name, path) for name, path in matches(where, source.glob, file.parent))


def matches(where: str, pattern: str, folder: Path) -> list[tuple[str, Path]]:
    """Return the files that match a pattern, sorted, each with its name in the terms of the pattern.

    Raises:
        InputError: There is none.
    """
    root = Path(Path(pattern).anchor) if Path(pattern).is_absolute() else folder
    relative = Path(pattern).relative_to(root) if Path(pattern).is_absolute() else Path(pattern)
    found = sorted(path for path in root.glob(str(relative)) if path.is_file() and not path.is_symlink())
    if not found:
        raise InputError(
            f"{where}, key 'glob'", found=f"no file that matches {pattern}", wanted="some", remedy="Mend it."
        )
    return [(str(path if Path(pattern).is_absolute() else path.relative_to(folder)), path) for path in found]


def download(url: str, folder: Path, sha256: str, params: FetchParams) -> Path:
    """Download a URL and check it against its sha256, if that is known.

    Raises:
        OSError: The server cannot be reached, says no, takes too long, or sends too much.
        ValueError: The bytes have another sha256.
    """

    def fetch(url: str, output: str, pooch: object) -> None:
        del pooch
        deadline = time.monotonic() + params.timeout_seconds
        size = 0
        request = urllib.request.Request(url, headers={"User-Agent": USER_AGENT})  # noqa: S310 (http and https alone)
        with web().open(request, timeout=params.timeout_seconds) as response, Path(output).open("wb") as file:
            while chunk := response.read(CHUNK_BYTES):
                size += len(chunk)
                if size > params.max_bytes:
                    raise OSError(f"more than {params.max_bytes} bytes")
                if time.monotonic() > deadline:
                    raise TimeoutError(f"not done after {params.timeout_seconds:g} s")
                file.write(chunk)

    pooch.get_logger().setLevel(logging.WARNING)
    name = hashlib.sha256(url.encode()).hexdigest()
    return Path(pooch.retrieve(url, known_hash=sha256 or None, fname=name, path=folder, downloader=fetch))


def web() -> urllib.request.OpenerDirector:
    """Return an opener for http and https, with no way to files or FTP, not even by a redirect."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def store(path: Path, name: str, out: Path) -> tuple[str, str]:
    """Copy a file to OUT/files and return its sha256 and its new path, relative to OUT."""
    digest = sha256_of(path)
    suffix = Path(urlsplit(name).path).suffix.lower()
    file = f"files/{digest[:16]}{suffix if suffix in MEDIA_TYPES else '.bin'}"
    target = out / file
    if not target.is_file() or sha256_of(target) != digest:
        with replacing(target) as beside:
            shutil.copyfile(path, beside)
    return digest, file


def fetch_one(source: Source, name: str, path: Path | None, out: Path, params: FetchParams) -> Entry:
    """Bring one document into OUT; what fails becomes an entry with the reason."""
    entry = Entry(
        doc_id=hashlib.sha256(name.encode()).hexdigest(),
        file="",
        source=name,
        category=source.category,
        licence=source.licence,
        title=source.title,
        authors=tuple(source.authors),
        date=source.date,
        language=source.language,
        media_type=source.media_type or MEDIA_TYPES.get(Path(urlsplit(name).path).suffix.lower(), ""),
    )
    with tempfile.TemporaryDirectory(prefix="longalpaca-") as folder:
        try:
            local = path or download(name, Path(folder), source.sha256, params)
            if local.stat().st_size > params.max_bytes:
                raise OSError(f"more than {params.max_bytes} bytes")
            doc_id, file = store(local, name, out)
        except (OSError, ValueError, http.client.HTTPException) as error:
            return replace(
                entry, error=f"fetch: {' '.join(str(error).replace(folder, '').split()) or type(error).__name__}"
            )
    if source.sha256 not in ("", doc_id):
        return replace(entry, error=f"fetch: sha256 {doc_id}, wanted {source.sha256}")
    return replace(entry, doc_id=doc_id, file=file)


def without_duplicates(entries: list[Entry]) -> list[Entry]:
    """Return the entries; of those with the same bytes only the first keeps its file."""
    first: dict[str, str] = {}
    for entry in entries:
        if entry.file:
            first.setdefault(entry.doc_id, entry.source)
    seen: set[str] = set()
    kept = []
    for entry in entries:
        again = entry.file != "" and entry.doc_id in seen
        seen |= {entry.doc_id} if entry.file else set()
        kept.append(replace(entry, file="", error=f"duplicate of {first[entry.doc_id]}") if again else entry)
    return kept


def run(params: FetchParams, *, sources: Path, out: Path) -> None:
    """Bring the documents of a sources file into OUT."""
    found = list(places(read_sources(sources), sources))
    entries = without_duplicates(
        [
            fetch_one(source, name, path, out, params)
            for source, name, path in tqdm(found, desc="fetch", unit="document", disable=None)
        ]
    )
    wanted = {out / entry.file for entry in entries}
    if not any(entry.file for entry in entries):
        raise InputError(
            sources,
            found=f"nothing that could be had ({entries[0].source}: {entries[0].error})",
            wanted="documents",
            remedy="Check the sources and the network.",
        )
    for path in (out / "files").iterdir():
        if path not in wanted:
            remove(path)
    write_entries(out, entries)
    num_kept = sum(bool(entry.file) for entry in entries)
    refusals = list_refusals(count_refusals(entry.error for entry in entries if entry.error))
    log.info("fetch: %d documents of %d sources in %s, %s", num_kept, len(entries), out, refusals)


if __name__ == "__main__":
    run_stage(run)
