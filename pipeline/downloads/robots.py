"""Obey robots.txt (RFC 9309)."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from urllib.parse import urlsplit

from protego import Protego

from pipeline.downloads.errors import DownloadError, TransientError

AGENT = "longalpaca"
MAX_ROBOTS_BYTES = 512_000  # RFC 9309, section 2.5, asks for 500 kibibytes at least
MAX_CRAWL_DELAY = 60.0  # seconds; longer delays are cut to this

Read = Callable[[str, int], Awaitable[tuple[int, bytes]]]


class Robots:
    """The rules of all hosts, each read once."""

    def __init__(self, read: Read, exempt: Collection[str]) -> None:
        """Read rules with `read`, which returns status and body; hosts in `exempt` allow programs by their terms."""
        self._read = read
        self._exempt = frozenset(exempt)
        self._rules: dict[str, asyncio.Task[Protego]] = {}

    async def check(self, url: str) -> float:
        """Return the crawl delay of a host in seconds, 0 without one.

        Raises:
            DownloadError: robots.txt forbids this URL, or cannot be read.
        """
        parts = urlsplit(url)
        if parts.hostname in self._exempt:
            return 0.0
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._rules:
            self._rules[origin] = asyncio.create_task(self.read(origin))
        try:
            rules = await asyncio.shield(self._rules[origin])
        except DownloadError:
            self._rules.pop(origin, None)  # the next attempt asks again
            raise
        if not rules.can_fetch(url, AGENT):
            raise DownloadError("robots.txt", f"{origin} forbids programs to read this")
        return min(rules.crawl_delay(AGENT) or 0.0, MAX_CRAWL_DELAY)

    async def read(self, origin: str) -> Protego:
        """Read the rules of a host. A host without a file allows everything, one with an error allows nothing."""
        status, body = await self._read(f"{origin}/robots.txt", MAX_ROBOTS_BYTES)
        if 400 <= status < 500 and status != 429:
            return Protego.parse("")
        if status != 200:
            raise TransientError("robots.txt", f"{origin} cannot be asked: HTTP {status}")
        return Protego.parse(body.decode("utf-8", "replace"))
