"""Download or copy the documents of a sources file into one folder.

Reads   SOURCES                a YAML list of {path | glob | url | remote | dataset, category, licence, ...}
        SOURCES.lock           the sha256 of each URL when it was first downloaded, if there is such a file
Writes  OUT/documents.jsonl    one line per source, in the order of the list
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
from pipeline.downloads.downloader import Downloader, Folder, Outcome
from pipeline.downloads.errors import DownloadError
from pipeline.downloads.http import Web
from pipeline.downloads.lockfile import Journal, Locked, lock_path, open_journal, read_lock, write_lock
from pipeline.downloads.manifest import ENTRIES_FILE, Entry, write_entries
from pipeline.downloads.progress import Progress
from pipeline.downloads.public_addresses import GuardedBackend, Resolve, resolve
from pipeline.downloads.rate_limit import RateLimiter
from pipeline.downloads.sources_file import Place, Rows, list_places, read_sources
from pipeline.downloads.transfer import Request
from pipeline.errors import InputError
from pipeline.files import remove
from pipeline.params import Params
from pipeline.rejections import Reason, count_reasons, list_rejections

log = logging.getLogger(__name__)

USER_AGENT = "longalpaca/0.1 (reads documents that its user lists{contact})"
SEC = "sec.gov"  # refuses programs that do not name their user
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
CHECKED_BY_NAME = (".pdf", ".epub")  # anything else that a server sends for these is an error page


class FetchParams(Params):
    """Section `fetch` of params.yaml."""

    sources: str  # for dvc.yaml, which passes it as --sources; the option is what counts
    max_bytes: int = Field(gt=0)  # of one document
    timeout_seconds: float = Field(gt=0)  # for one transfer, from first to last byte
    connect_seconds: float = Field(gt=0)
    answer_seconds: float = Field(gt=0)  # the longest silence of a server
    requests_per_second: float = Field(gt=0)  # to one host
    host_rates: dict[str, float]  # other rates, by host
    connections_per_host: int = Field(gt=0)
    max_connections: int = Field(gt=0)  # to all hosts together
    num_attempts: int = Field(gt=0)  # for transient errors
    max_wait_seconds: float  # longer Retry-After times end the attempts until the next run
    contact: str  # your name and mail address, for the User-Agent; the SEC requires both
    robots_exempt: list[str]  # hosts whose terms of use allow programs, whatever their robots.txt says
    allow_private: list[str]  # hosts whose address need not be public
    revalidate: bool  # ask the server whether documents that are here have changed or gone


async def download_all(
    request: list[Request],
    folder: Folder,
    locks: dict[str, Locked],
    journal: Journal,
    params: FetchParams,
    resolve: Resolve = resolve,
) -> dict[str, Outcome]:
    """Download URLs."""
    contact = f"; {params.contact}" if params.contact else ""
    web = Web(
        rate_limiter=RateLimiter(params.requests_per_second, params.host_rates),
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
        with Progress(len(request)) as progress:
            return await downloader.download_all_hosts(request, progress.report)
    finally:
        await web.close()


def make_request(place: Place, params: FetchParams) -> Request:
    """Return the request for a source: its URL and what is expected there."""
    source = place.source
    suffix = choose_suffix(place)
    media_type = source.media_type or (SUFFIXES[suffix] if suffix in CHECKED_BY_NAME else "")
    max_bytes = min(params.max_bytes, 2 * source.size) if source.size else params.max_bytes
    return Request(place.name, media_type, max_bytes, suffix, source.sha256)


def choose_suffix(place: Place) -> str:
    """Return the suffix for a document's file: that of its name, else that of its media type."""
    suffix = Path(urlsplit(place.name).path).suffix.lower()
    if suffix in SUFFIXES:
        return suffix
    by_type = {media_type: suffix for suffix, media_type in reversed(SUFFIXES.items())}
    return by_type.get(place.source.media_type, ".bin")


def make_entry(place: Place, found: Locked | DownloadError) -> Entry:
    """Return the entry of a source, with its file or with the reason why it has none."""
    source, suffix = place.source, choose_suffix(place)
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
    """Copy a document that is not on the web, or return why that failed."""
    try:
        if place.path is not None:
            return copy_local(place.path, folder, make_request(place, params))
        return copy_remote(folder, make_request(place, params))
    except DownloadError as error:
        return error


def without_duplicates(entries: list[Entry]) -> list[Entry]:
    """Keep only the first file of entries with the same bytes."""
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


def listed_rows(listed: Iterable[Place], params: FetchParams) -> list[tuple[Rows, int, Request]]:
    """Return the rows of data sets among the listed documents."""
    found = []
    for place in listed:
        source = place.source
        if source.dataset is not None and source.row is not None:
            rows = Rows(source.dataset, source.split, source.column)
            found.append((rows, source.row, replace(make_request(place, params), suffix=".txt")))
    return found


def check_contact(places: Iterable[Place], params: FetchParams) -> None:
    """Require a contact if sec.gov will be asked.

    Raises:
        InputError: There is none.
    """
    hosts = {(urlsplit(place.name).hostname or "") for place in places if place.source.url}
    if not params.contact and any(host == SEC or host.endswith(f".{SEC}") for host in hosts):
        raise InputError(
            "fetch.contact",
            found="''",
            expected="your name and mail address, which sec.gov requires of programs",
            fix="Write them into params.yaml.",
        )


def run(params: FetchParams, *, sources: Path, out: Path) -> None:
    """Download the documents of a sources file into OUT."""
    listed = list(list_places(read_sources(sources), sources))
    check_contact(listed, params)
    lock_file, folder = lock_path(sources), Folder(out)
    locks = read_lock(lock_file)
    on_web = [make_request(place, params) for place in listed if place.source.url]
    (out / "files").mkdir(parents=True, exist_ok=True)
    (out / "partial").mkdir(exist_ok=True)
    with open_journal(out / "journal.jsonl") as journal:
        found = asyncio.run(download_all(on_web, folder, locks, journal, params)) if on_web else {}
        outcome = found | store_rows(listed_rows(listed, params), sources.parent, folder)
        entries = without_duplicates(
            [make_entry(place, outcome.get(place.name) or copy(place, folder, params)) for place in listed]
        )
        write_lock(lock_file, {url: each for url, each in found.items() if isinstance(each, Locked)} | locks)
        finish(sources, out, entries)
    num_kept = sum(bool(entry.file) for entry in entries)
    refusals = list_rejections(count_reasons(entry.error.removeprefix("fetch: ") for entry in entries if entry.error))
    log.info("fetch: %d documents of %d sources in %s, %s", num_kept, len(entries), out, refusals)


def finish(sources: Path, out: Path, entries: list[Entry]) -> None:
    """Write the list and delete files that are not in it.

    Raises:
        InputError: Not one document could be downloaded.
    """
    if not any(entry.file for entry in entries):
        raise InputError(
            sources,
            found=f"no document that could be downloaded ({entries[0].source}: {entries[0].error})",
            expected="documents",
            fix="Check the sources and the network.",
        )
    write_entries(out, entries)
    request = {out / ENTRIES_FILE, out / "files", *(out / entry.file for entry in entries if entry.file)}
    for path in [*out.iterdir(), *(out / "files").iterdir()]:
        if path not in request:
            remove(path)


if __name__ == "__main__":
    run_stage(run)
