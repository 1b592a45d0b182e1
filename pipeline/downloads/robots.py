"""Keep to robots.txt (RFC 9309): what a host does not want programs to read is not read."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from urllib.parse import urlsplit

from protego import Protego

from pipeline.downloads.errors import DownloadError, PassingError

AGENT = "longalpaca"
MAX_ROBOTS_BYTES = 512_000  # RFC 9309, section 2.5, asks for 500 kibibytes at least
MAX_CRAWL_DELAY = 60.0  # seconds; more is taken as this much

Read = Callable[[str, int], Awaitable[tuple[int, bytes]]]


class Robots:
    """The rules of all hosts, each read once."""

    def __init__(self, read: Read, exempt: Collection[str]) -> None:
        """Read rules with `read`, which returns status and body; `exempt` hosts have admitted programs elsewhere."""
        self._read = read
        self._exempt = frozenset(exempt)
        self._rules: dict[str, asyncio.Task[Protego]] = {}

    async def check(self, url: str) -> float:
        """Return the seconds that a host wants between requests, 0 if it does not say.

        Raises:
            DownloadError: The host does not want this URL to be read, or does not say what it wants.
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
            raise DownloadError("robots.txt", f"{origin} does not want programs to read this")
        return min(rules.crawl_delay(AGENT) or 0.0, MAX_CRAWL_DELAY)

    async def read(self, origin: str) -> Protego:
        """Read the rules of a host; one that has none allows everything, one that cannot say allows nothing."""
        status, body = await self._read(f"{origin}/robots.txt", MAX_ROBOTS_BYTES)
        if 400 <= status < 500 and status != 429:
            return Protego.parse("")
        if status != 200:
            raise PassingError("robots.txt", f"{origin} does not say what it allows: HTTP {status}")
        return Protego.parse(body.decode("utf-8", "replace"))
