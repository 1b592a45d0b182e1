"""Bring very many URLs into one folder: a queue for each host, so that a slow or dead one holds up nobody else."""

import asyncio
import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.downloads.errors import DownloadError, HostDownError, PassingError
from pipeline.downloads.http import Web, refusal_of
from pipeline.downloads.lockfile import Journal, Locked
from pipeline.downloads.transfer import Partial, Wanted, write_body
from pipeline.files import hash_file

FIRST_BACKOFF_SECONDS = 1.0  # doubled at each attempt

Brought = Locked | DownloadError
Report = Callable[[str, Brought], None]


@dataclass(frozen=True)
class Folder:
    """Where documents are: whole ones by their sha256, others in a folder of their own."""

    path: Path

    def file_of(self, sha256: str, suffix: str) -> Path:
        """Return where the document with a sha256 stands."""
        return self.path / "files" / f"{sha256[:16]}{suffix}"

    def partial_of(self, url: str) -> Partial:
        """Return where a URL is written before it is whole."""
        return Partial(self.path / "partial" / hashlib.sha256(url.encode()).hexdigest()[:32])

    def has(self, locked: Locked | None, suffix: str) -> bool:
        """Say whether a document is here with the very bytes that it must have."""
        if locked is None:
            return False
        file = self.file_of(locked.sha256, suffix)
        return file.is_file() and file.stat().st_size == locked.size and hash_file(file) == locked.sha256

    def settle(self, partial: Partial, target: Path) -> None:
        """Give a whole document its final name; what stands there then is whole on the disk too."""
        with partial.path.open("rb") as file:
            os.fsync(file.fileno())
        partial.path.replace(target)
        partial.about.unlink(missing_ok=True)


@dataclass
class Downloader:
    """Brings URLs; what fails is returned, not raised."""

    web: Web
    folder: Folder
    journal: Journal
    locks: dict[str, Locked]  # what each URL must hold
    timeout_seconds: float  # for one transfer, from first to last byte
    num_attempts: int
    max_wait_seconds: float  # that a server may ask to be left alone for
    connections_per_host: int
    revalidate: bool  # ask also for what is here already
    down: dict[str, HostDownError] = field(default_factory=dict)  # hosts that could not be connected to

    async def bring_all(self, wanted: Iterable[Wanted], report: Report) -> dict[str, Brought]:
        """Bring URLs, and report each as it is done."""
        results: dict[str, Brought] = {}
        queues: dict[str, deque[Wanted]] = {}
        for each in {each.url: each for each in wanted}.values():
            queues.setdefault(urlsplit(each.url).netloc, deque()).append(each)

        async def work(queue: deque[Wanted]) -> None:
            while queue:
                each = queue.popleft()
                results[each.url] = await self.bring(each)
                report(each.url, results[each.url])

        async with asyncio.TaskGroup() as tasks:
            for queue in queues.values():
                for _ in range(min(self.connections_per_host, len(queue))):
                    tasks.create_task(work(queue))
        return results

    async def bring(self, wanted: Wanted) -> Brought:
        """Bring one URL, or say why not."""
        known = self.journal.done.get(wanted.url) or self.locks.get(wanted.url)
        here = known is not None and await asyncio.to_thread(self.folder.has, known, wanted.suffix)
        if known and here and (not self.revalidate or wanted.url in self.journal.done):
            return known if wanted.sha256 in ("", known.sha256) else other_sha256(known, wanted)
        try:
            locked = await self.attempt(wanted, known if here else None)
        except PassingError as error:
            return known if known and here else error  # it could not be asked, which says nothing of the document
        except DownloadError as error:
            return error
        self.journal.add(wanted.url, locked)
        return locked

    async def attempt(self, wanted: Wanted, known: Locked | None) -> Locked:
        """Try several times where a fault may pass.

        Raises:
            DownloadError: It did not.
        """
        host = urlsplit(wanted.url).netloc
        for attempt in range(self.num_attempts):
            if host in self.down:
                raise self.down[host]
            try:
                return await self.once(wanted, known)
            except PassingError as error:
                wait = FIRST_BACKOFF_SECONDS * 2**attempt if error.wait is None else error.wait
                last = attempt + 1 == self.num_attempts or wait > self.max_wait_seconds
                if last and isinstance(error, HostDownError) and error.reason.startswith(f"{host} "):
                    self.down[host] = error
                if last:
                    raise said_when(error, self.max_wait_seconds) from error
                await self.wait(host, wait, alone=error.wait is not None or error.kind == "HTTP 429")
        raise AssertionError("num_attempts is at least 1")

    async def wait(self, host: str, seconds: float, *, alone: bool) -> None:
        """Wait before the next attempt; a host that wants to be left alone is so by everyone."""
        if alone:
            self.web.politeness.hold(host, seconds)
        else:
            await self.web.politeness.clock.sleep(seconds)

    async def once(self, wanted: Wanted, known: Locked | None) -> Locked:
        """Ask once, and check what comes against what is known.

        Raises:
            DownloadError: It is not what is wanted.
        """
        partial = self.folder.partial_of(wanted.url)
        headers = conditions_of(known) if known else partial.resume_headers()
        async with self.web.get(wanted.url, headers) as answer:
            if refusal := refusal_of(answer):
                raise refusal
            if answer.status == 304 and known:
                return known
            try:
                async with asyncio.timeout(self.timeout_seconds):
                    locked = await write_body(answer, wanted, partial)
            except TimeoutError as error:
                raise DownloadError("slow", f"more than {self.timeout_seconds:g} seconds") from error
        self.check(wanted, locked, partial)
        await asyncio.to_thread(self.folder.settle, partial, self.folder.file_of(locked.sha256, wanted.suffix))
        return locked

    def check(self, wanted: Wanted, locked: Locked, partial: Partial) -> None:
        """Refuse other bytes than those that were seen first, or that the sources file names.

        Raises:
            DownloadError: They are others.
        """
        before = self.locks.get(wanted.url)
        if wanted.sha256 not in ("", locked.sha256):
            partial.remove()
            raise other_sha256(locked, wanted)
        if before and before.sha256 != locked.sha256:
            partial.remove()
            raise DownloadError("changed", f"sha256 {locked.sha256}, the lock file has {before.sha256}")


def other_sha256(locked: Locked, wanted: Wanted) -> DownloadError:
    """Return the fault of other bytes than the sources file names."""
    return DownloadError("sha256", f"{locked.sha256}, expected {wanted.sha256}")


def conditions_of(known: Locked) -> dict[str, str]:
    """Return the headers that ask for a document only if it has changed."""
    headers = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in headers.items() if value}


def said_when(error: PassingError, max_wait_seconds: float) -> DownloadError:
    """Return an error that says also how long a server wants to be left alone, where that is too long."""
    if error.wait is not None and error.wait > max_wait_seconds:
        return PassingError(error.kind, f"wants to be left alone for {error.wait:g} seconds", error.wait)
    return error
