"""Download many URLs into one folder, with one queue per host: a slow or dead host delays no other."""

import asyncio
import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.downloads.errors import DownloadError, HostDownError, TransientError
from pipeline.downloads.http import Web, check_status
from pipeline.downloads.lockfile import Journal, Locked
from pipeline.downloads.transfer import Partial, Request, write_body
from pipeline.files import hash_file

FIRST_BACKOFF_SECONDS = 1.0  # doubled at each attempt

Outcome = Locked | DownloadError
Report = Callable[[str, Outcome], None]


@dataclass(frozen=True)
class Folder:
    """Where downloads are kept: complete documents by their sha256, partial ones in a folder of their own."""

    path: Path

    def final_path(self, sha256: str, suffix: str) -> Path:
        """Return the path of the complete document with a sha256."""
        return self.path / "files" / f"{sha256[:16]}{suffix}"

    def partial_path(self, url: str) -> Partial:
        """Return where a URL is written until it is complete."""
        return Partial(self.path / "partial" / hashlib.sha256(url.encode()).hexdigest()[:32])

    def has(self, locked: Locked | None, suffix: str) -> bool:
        """Tell whether a document is here with exactly the bytes that it should have."""
        if locked is None:
            return False
        file = self.final_path(locked.sha256, suffix)
        return file.is_file() and file.stat().st_size == locked.size and hash_file(file) == locked.sha256

    def finalize(self, partial: Partial, target: Path) -> None:
        """Flush a complete document to the disk and give it its final name."""
        with partial.path.open("rb") as file:
            os.fsync(file.fileno())
        partial.path.replace(target)
        partial.about.unlink(missing_ok=True)


@dataclass
class Downloader:
    """Downloads URLs. Failures are returned, not raised."""

    web: Web
    folder: Folder
    journal: Journal
    locks: dict[str, Locked]  # what each URL must hold
    timeout_seconds: float  # for one transfer, from first to last byte
    num_attempts: int
    max_wait_seconds: float  # the longest Retry-After that is obeyed
    connections_per_host: int
    revalidate: bool  # ask the server again about documents that are here already
    down: dict[str, HostDownError] = field(default_factory=dict)  # hosts that could not be connected to

    async def download_all_hosts(self, request: Iterable[Request], report: Report) -> dict[str, Outcome]:
        """Download URLs and report each as it is done."""
        results: dict[str, Outcome] = {}
        queues: dict[str, deque[Request]] = {}
        for each in {each.url: each for each in request}.values():
            queues.setdefault(urlsplit(each.url).netloc, deque()).append(each)

        async def work(queue: deque[Request]) -> None:
            while queue:
                each = queue.popleft()
                results[each.url] = await self.download(each)
                report(each.url, results[each.url])

        async with asyncio.TaskGroup() as tasks:
            for queue in queues.values():
                for _ in range(min(self.connections_per_host, len(queue))):
                    tasks.create_task(work(queue))
        return results

    async def download(self, request: Request) -> Outcome:
        """Download one URL, or return why that failed."""
        known = self.journal.done.get(request.url) or self.locks.get(request.url)
        here = known is not None and await asyncio.to_thread(self.folder.has, known, request.suffix)
        if known and here and (not self.revalidate or request.url in self.journal.done):
            return known if request.sha256 in ("", known.sha256) else other_sha256(known, request)
        try:
            locked = await self.attempt(request, known if here else None)
        except TransientError as error:
            return known if known and here else error  # the server was not reached
        except DownloadError as error:
            return error
        self.journal.add(request.url, locked)
        return locked

    async def attempt(self, request: Request, known: Locked | None) -> Locked:
        """Try a URL several times, as long as its errors are transient.

        Raises:
            DownloadError: No attempt succeeded.
        """
        host = urlsplit(request.url).netloc
        for attempt in range(self.num_attempts):
            if host in self.down:
                raise self.down[host]
            try:
                return await self.once(request, known)
            except TransientError as error:
                wait = FIRST_BACKOFF_SECONDS * 2**attempt if error.wait is None else error.wait
                last = attempt + 1 == self.num_attempts or wait > self.max_wait_seconds
                if last and isinstance(error, HostDownError) and error.reason.startswith(f"{host} "):
                    self.down[host] = error
                if last:
                    raise with_wait(error, self.max_wait_seconds) from error
                await self.wait(host, wait, alone=error.wait is not None or error.kind == "HTTP 429")
        raise AssertionError("num_attempts is at least 1")

    async def wait(self, host: str, seconds: float, *, alone: bool) -> None:
        """Wait before the next attempt. With `alone`, every request to the host waits."""
        if alone:
            self.web.rate_limiter.pause(host, seconds)
        else:
            await self.web.rate_limiter.clock.sleep(seconds)

    async def once(self, request: Request, known: Locked | None) -> Locked:
        """Send one request and check the body against what is known of the document.

        Raises:
            DownloadError: The answer is not the document that was asked for.
        """
        partial = self.folder.partial_path(request.url)
        headers = conditional_headers(known) if known else partial.resume_headers()
        async with self.web.get(request.url, headers) as answer:
            if refusal := check_status(answer):
                raise refusal
            if answer.status == 304 and known:
                return known
            try:
                async with asyncio.timeout(self.timeout_seconds):
                    locked = await write_body(answer, request, partial)
            except TimeoutError as error:
                raise DownloadError("slow", f"more than {self.timeout_seconds:g} seconds") from error
        self.check(request, locked, partial)
        await asyncio.to_thread(self.folder.finalize, partial, self.folder.final_path(locked.sha256, request.suffix))
        return locked

    def check(self, request: Request, locked: Locked, partial: Partial) -> None:
        """Refuse bytes that differ from the lock file, or from the sha256 in the sources file.

        Raises:
            DownloadError: They differ.
        """
        before = self.locks.get(request.url)
        if request.sha256 not in ("", locked.sha256):
            partial.remove()
            raise other_sha256(locked, request)
        if before and before.sha256 != locked.sha256:
            partial.remove()
            raise DownloadError("changed", f"sha256 {locked.sha256}, the lock file has {before.sha256}")


def other_sha256(locked: Locked, request: Request) -> DownloadError:
    """Return the error for bytes whose sha256 is not the one in the sources file."""
    return DownloadError("sha256", f"{locked.sha256}, expected {request.sha256}")


def conditional_headers(known: Locked) -> dict[str, str]:
    """Return the headers that ask for a document only if it has changed since."""
    headers = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in headers.items() if value}


def with_wait(error: TransientError, max_wait_seconds: float) -> DownloadError:
    """Return the error with the wait that the server asked for, if that is longer than the limit."""
    if error.wait is not None and error.wait > max_wait_seconds:
        return TransientError(error.kind, f"the server asks to wait {error.wait:g} seconds", error.wait)
    return error
