"""Bring the documents of a sources file into one folder: local files are copied, URLs downloaded.

Reads   SOURCES                a YAML list of {path | glob | url | remote | dataset, category, licence, ...}
        SOURCES.lock           what each URL held when it was first seen, if there is such a file
Writes  OUT/documents.jsonl    one line a source, in the order of the list
        OUT/files/             the bytes, named by their sha256
        SOURCES.lock           with the URLs that are new
"""

import asyncio
import hashlib
import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field

from pipeline.cli import run_stage
from pipeline.downloads.copies import copy_local, copy_remote
from pipeline.downloads.dataset_rows import store_rows
from pipeline.downloads.downloader import Brought, Downloader, Folder
from pipeline.downloads.errors import DownloadError
from pipeline.downloads.http import Web
from pipeline.downloads.lockfile import Journal, Locked, lock_of, open_journal, read_lock, write_lock
from pipeline.downloads.manifest import ENTRIES_FILE, Entry, write_entries
from pipeline.downloads.progress import Progress
from pipeline.downloads.public_addresses import GuardedBackend, Resolve, resolve
from pipeline.downloads.rate_limit import Politeness
from pipeline.downloads.sources_file import Place, Rows, places, read_sources
from pipeline.downloads.transfer import Wanted
from pipeline.errors import InputError
from pipeline.files import remove
from pipeline.params import Params
from pipeline.rejections import Reason, count_reasons, list_rejections

log = logging.getLogger(__name__)

USER_AGENT = "longalpaca/0.1 (reads documents that its user lists{contact})"
SEC = "sec.gov"  # refuses programs that do not say whose they are
SUFFIXES = {
    ".pdf": "application/pdf",
    ".epub": "application/epub+zip",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "application/xhtml+xml",
    ".xml": "application/xml",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".tex": "text/x-tex",
    ".json": "application/json",
}
CHECKED_BY_NAME = (".pdf", ".epub")  # a server that sends anything else for these sends an excuse


class FetchParams(Params):
    """Section `fetch` of params.yaml."""

    sources: str  # for dvc.yaml, which passes it as --sources: what the option says is what is read
    max_bytes: int = Field(gt=0)  # of one document
    timeout_seconds: float = Field(gt=0)  # for one transfer, from first to last byte
    connect_seconds: float = Field(gt=0)
    answer_seconds: float = Field(gt=0)  # that a server may be silent for
    requests_per_second: float = Field(gt=0)  # to one host
    host_rates: dict[str, float]  # the same for the hosts that are named
    connections_per_host: int = Field(gt=0)
    max_connections: int = Field(gt=0)  # to all hosts together
    num_attempts: int = Field(gt=0)  # of what may succeed another time
    max_wait_seconds: float  # a server that wants to be left alone for longer is left alone until the next run
    contact: str  # name and mail address of who fetches, for the User-Agent; the SEC demands both
    robots_exempt: list[str]  # hosts that admit programs by their terms of use, whatever their robots.txt says
    allow_private: list[str]  # hosts that may have an address which is not public
    revalidate: bool  # ask also whether what is here already has changed or gone


async def download_all(
    wanted: list[Wanted],
    folder: Folder,
    locks: dict[str, Locked],
    journal: Journal,
    params: FetchParams,
    resolve: Resolve = resolve,
) -> dict[str, Brought]:
    """Bring the URLs of the web."""
    contact = f"; {params.contact}" if params.contact else ""
    web = Web(
        politeness=Politeness(params.requests_per_second, params.host_rates),
        backend=GuardedBackend(params.allow_private, resolve),
        user_agent=USER_AGENT.format(contact=contact),
        robots_exempt=params.robots_exempt,
        max_connections=params.max_connections,
        connect_seconds=params.connect_seconds,
        answer_seconds=params.answer_seconds,
    )
    downloader = Downloader(
        web=web,
        folder=folder,
        journal=journal,
        locks=locks,
        timeout_seconds=params.timeout_seconds,
        num_attempts=params.num_attempts,
        max_wait_seconds=params.max_wait_seconds,
        connections_per_host=params.connections_per_host,
        revalidate=params.revalidate,
    )
    try:
        with Progress(len(wanted)) as progress:
            return await downloader.bring_all(wanted, progress.report)
    finally:
        await web.close()


def wanted_of(place: Place, params: FetchParams) -> Wanted:
    """Return what is to be found at the URL of a source."""
    source = place.source
    suffix = suffix_of(place)
    media_type = source.media_type or (SUFFIXES[suffix] if suffix in CHECKED_BY_NAME else "")
    max_bytes = min(params.max_bytes, 2 * source.size) if source.size else params.max_bytes
    return Wanted(place.name, media_type, max_bytes, suffix, source.sha256)


def suffix_of(place: Place) -> str:
    """Return the suffix that a document's file gets: that of its name, else that of its media type."""
    suffix = Path(urlsplit(place.name).path).suffix.lower()
    if suffix in SUFFIXES:
        return suffix
    by_type = {media_type: suffix for suffix, media_type in reversed(SUFFIXES.items())}
    return by_type.get(place.source.media_type, ".bin")


def entry_of(place: Place, found: Locked | DownloadError) -> Entry:
    """Return the entry of a source, with its file or with the reason why there is none."""
    source, suffix = place.source, suffix_of(place)
    entry = Entry(
        doc_id=hashlib.sha256(place.name.encode()).hexdigest(),
        file="",
        source=place.name,
        category=source.category,
        licence=source.licence,
        title=source.title,
        authors=tuple(source.authors),
        date=source.date,
        language=source.language,
        media_type=source.media_type or SUFFIXES.get(suffix, ""),
        group=source.group,
    )
    if isinstance(found, DownloadError):
        return replace(entry, error=f"fetch: {' '.join(str(found).split())}")
    return replace(entry, doc_id=found.sha256, file=f"files/{found.sha256[:16]}{suffix}")


def copy(place: Place, folder: Folder, params: FetchParams) -> Locked | DownloadError:
    """Copy a document that is not on the web, or say why not."""
    try:
        if place.path is not None:
            return copy_local(place.path, folder, wanted_of(place, params))
        return copy_remote(folder, wanted_of(place, params))
    except DownloadError as error:
        return error


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
        kept.append(replace(entry, file="", error=str(Reason("duplicate", first[entry.doc_id]))) if again else entry)
    return kept


def rows_of(listed: Iterable[Place], params: FetchParams) -> list[tuple[Rows, int, Wanted]]:
    """Return the rows of data sets that are listed."""
    found = []
    for place in listed:
        source = place.source
        if source.dataset is not None and source.row is not None:
            rows = Rows(source.dataset, source.split, source.column)
            found.append((rows, source.row, replace(wanted_of(place, params), suffix=".txt")))
    return found


def check_contact(places: Iterable[Place], params: FetchParams) -> None:
    """See to it that the SEC is told who asks.

    Raises:
        InputError: It would not be.
    """
    hosts = {(urlsplit(place.name).hostname or "") for place in places if place.source.url}
    if not params.contact and any(host == SEC or host.endswith(f".{SEC}") for host in hosts):
        raise InputError(
            "fetch.contact",
            found="''",
            expected="your name and mail address, which sec.gov demands of programs",
            fix="Write them into params.yaml.",
        )


def run(params: FetchParams, *, sources: Path, out: Path) -> None:
    """Bring the documents of a sources file into OUT."""
    listed = list(places(read_sources(sources), sources))
    check_contact(listed, params)
    lock_file, folder = lock_of(sources), Folder(out)
    locks = read_lock(lock_file)
    on_web = [wanted_of(place, params) for place in listed if place.source.url]
    (out / "files").mkdir(parents=True, exist_ok=True)
    (out / "partial").mkdir(exist_ok=True)
    with open_journal(out / "journal.jsonl") as journal:
        found = asyncio.run(download_all(on_web, folder, locks, journal, params)) if on_web else {}
        brought = found | store_rows(rows_of(listed, params), sources.parent, folder)
        entries = without_duplicates(
            [entry_of(place, brought.get(place.name) or copy(place, folder, params)) for place in listed]
        )
        write_lock(lock_file, {url: each for url, each in found.items() if isinstance(each, Locked)} | locks)
        finish(sources, out, entries)
    num_kept = sum(bool(entry.file) for entry in entries)
    refusals = list_rejections(count_reasons(entry.error.removeprefix("fetch: ") for entry in entries if entry.error))
    log.info("fetch: %d documents of %d sources in %s, %s", num_kept, len(entries), out, refusals)


def finish(sources: Path, out: Path, entries: list[Entry]) -> None:
    """Write the list, and remove what is not in it.

    Raises:
        InputError: There is nothing in it.
    """
    if not any(entry.file for entry in entries):
        raise InputError(
            sources,
            found=f"nothing that could be had ({entries[0].source}: {entries[0].error})",
            expected="documents",
            fix="Check the sources and the network.",
        )
    write_entries(out, entries)
    wanted = {out / ENTRIES_FILE, out / "files", *(out / entry.file for entry in entries if entry.file)}
    for path in [*out.iterdir(), *(out / "files").iterdir()]:
        if path not in wanted:
            remove(path)


if __name__ == "__main__":
    run_stage(run)
