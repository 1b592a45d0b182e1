"""Ask the web for one URL: politely, over checked addresses, redirects one by one."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpcore
import httpx

from pipeline.downloads.errors import DownloadError, HostDownError, PassingError
from pipeline.downloads.public_addresses import ForbiddenAddressError, GuardedBackend
from pipeline.downloads.rate_limit import Politeness, retry_after
from pipeline.downloads.robots import Robots

MAX_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
BUSY = (429, 503)  # a server says by these that it wants to be left alone for a while
PASSING = (408, 425, 500, 502, 504, *BUSY)
GONE = (404, 410)


@dataclass(frozen=True)
class Answer:
    """What a server says before the body, and the body as it comes."""

    url: str  # after redirects
    status: int
    headers: dict[str, str]  # names in lower case
    body: AsyncIterator[bytes]


class Web:
    """The web as one run sees it."""

    def __init__(
        self,
        *,
        politeness: Politeness,
        backend: GuardedBackend,
        user_agent: str,
        robots_exempt: list[str],
        max_connections: int,
        connect_seconds: float,
        answer_seconds: float,
    ) -> None:
        """Ask `max_connections` URLs at a time; a server has `answer_seconds` to begin its answer."""
        self.politeness = politeness
        self._robots = Robots(self.read, robots_exempt)
        self._slots = asyncio.Semaphore(max_connections)
        self._headers = {"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}
        self._timeouts = {"connect": connect_seconds, "read": answer_seconds, "write": answer_seconds}
        self._answer_seconds = connect_seconds + answer_seconds
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=None, max_keepalive_connections=max_connections, network_backend=backend
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    @asynccontextmanager
    async def get(self, url: str, headers: Mapping[str, str], *, robots: bool = True) -> AsyncIterator[Answer]:
        """Ask for a URL and follow its redirects, each as carefully as the first.

        Raises:
            DownloadError: The URL may not be asked for, or its server cannot be reached or answers no.
        """
        for _ in range(MAX_REDIRECTS + 1):
            host = urlsplit(url).netloc
            if robots and (delay := await self._robots.check(url)):
                self.politeness.pace(host).slow_down(delay)
            async with self._slots:
                await self.politeness.turn(host)
                async with self.ask(url, headers) as answer:
                    if answer.status not in REDIRECTS:
                        yield answer
                        return
                    url = moved(url, answer)
        raise DownloadError("redirects", f"more than {MAX_REDIRECTS}")

    @asynccontextmanager
    async def ask(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[Answer]:
        """Send one request.

        Raises:
            DownloadError: There is no answer, or it breaks off.
        """
        host = ("Host", httpx.URL(url).netloc)
        sent: list[tuple[bytes | str, bytes | str]] = [host, *self._headers.items(), *headers.items()]
        request = httpcore.Request("GET", url_of(url), headers=sent, extensions={"timeout": self._timeouts})
        with as_download_errors(url):
            async with asyncio.timeout(self._answer_seconds):
                response = await self._pool.handle_async_request(request)
            try:
                given = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                yield Answer(url, response.status, given, response.aiter_stream())
            finally:
                await response.aclose()

    async def read(self, url: str, max_bytes: int) -> tuple[int, bytes]:
        """Return status and body of a short text, of which no more than `max_bytes` are read.

        Raises:
            DownloadError: It cannot be had.
        """
        found = bytearray()
        async with self.get(url, {}, robots=False) as answer, asyncio.timeout(self._answer_seconds):
            async for chunk in answer.body:
                found += chunk
                if len(found) >= max_bytes:
                    break
            return answer.status, bytes(found[:max_bytes])


@contextmanager
def as_download_errors(url: str) -> Iterator[None]:
    """Turn the errors of the network into ours.

    Raises:
        DownloadError: In place of any of them.
    """
    host = urlsplit(url).netloc
    try:
        yield
    except ForbiddenAddressError as error:
        raise DownloadError("forbidden address", str(error)) from error
    except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
        raise HostDownError("no connection", f"{host} ({first_words(error)})") from error
    except (httpcore.TimeoutException, TimeoutError) as error:
        raise PassingError("timed out", f"{host} sends nothing") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise PassingError("broken off", first_words(error)) from error


def first_words(error: Exception) -> str:
    """Return what an error says, in one line, or its name."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def url_of(url: str) -> httpcore.URL:
    """Return a URL in the bytes that are sent: punycode and percent signs."""
    parts = httpx.URL(url)
    return httpcore.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path)


def moved(url: str, answer: Answer) -> str:
    """Return where a redirect leads.

    Raises:
        DownloadError: Nowhere, or out of the web.
    """
    try:
        target = httpx.URL(url).join(answer.headers.get("location", ""))
    except httpx.InvalidURL as error:
        raise DownloadError("redirects", "to no URL") from error
    if target.scheme not in ("http", "https") or not target.host:
        raise DownloadError("redirects", f"to {target}, which is not of the web")
    return str(target.copy_with(fragment=None))


def refusal_of(answer: Answer) -> DownloadError | None:
    """Return why an answer is no document, None if it is one."""
    status = answer.status
    if status in (200, 206, 304):
        return None
    if status in PASSING:
        wait = retry_after(answer.headers.get("retry-after", ""), answer.headers.get("date", ""))
        return PassingError(f"HTTP {status}", "", wait)
    return DownloadError("gone" if status in GONE else "refused by the server", f"HTTP {status}")
