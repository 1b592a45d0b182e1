"""Request one URL: rate-limited, over checked addresses, redirects followed one by one."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpcore
import httpx

from pipeline.downloads.errors import DownloadError, HostDownError, TransientError
from pipeline.downloads.public_addresses import ForbiddenAddressError, GuardedBackend
from pipeline.downloads.rate_limit import RateLimiter, retry_after
from pipeline.downloads.robots import Robots

MAX_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
BUSY = (429, 503)  # the server asks for a pause
TRANSIENT = (408, 425, 500, 502, 504, *BUSY)
GONE = (404, 410)


@dataclass(frozen=True)
class Answer:
    """A response: its status, its headers, and the body as it arrives."""

    url: str  # after redirects
    status: int
    headers: dict[str, str]  # names in lower case
    body: AsyncIterator[bytes]


class Web:
    """A connection pool with rate limits, robots.txt rules and checked addresses, for one run."""

    def __init__(
        self,
        *,
        rate_limiter: RateLimiter,
        backend: GuardedBackend,
        user_agent: str,
        robots_exempt: list[str],
        max_connections: int,
        connect_seconds: float,
        answer_seconds: float,
    ) -> None:
        """Open at most `max_connections` at a time; a server has `answer_seconds` to begin its response."""
        self.rate_limiter = rate_limiter
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
        """Request a URL and follow its redirects, each with the checks of the first.

        Raises:
            DownloadError: The URL is not allowed, or its server cannot be reached or refuses.
        """
        for _ in range(MAX_REDIRECTS + 1):
            host = urlsplit(url).netloc
            if robots and (delay := await self._robots.check(url)):
                self.rate_limiter.pace(host).raise_interval(delay)
            async with self._slots:
                await self.rate_limiter.turn(host)
                async with self.ask(url, headers) as answer:
                    if answer.status not in REDIRECTS:
                        yield answer
                        return
                    url = redirect_target(url, answer)
        raise DownloadError("redirects", f"more than {MAX_REDIRECTS}")

    @asynccontextmanager
    async def ask(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[Answer]:
        """Send one request.

        Raises:
            DownloadError: The server does not respond, or the response breaks off.
        """
        host = ("Host", httpx.URL(url).netloc)
        sent: list[tuple[bytes | str, bytes | str]] = [host, *self._headers.items(), *headers.items()]
        request = httpcore.Request("GET", encode_url(url), headers=sent, extensions={"timeout": self._timeouts})
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
            DownloadError: It cannot be downloaded.
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
    """Turn network errors into `DownloadError`.

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
        raise TransientError("timed out", f"{host} sends nothing") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise TransientError("broken off", first_words(error)) from error


def first_words(error: Exception) -> str:
    """Return the message of an error in one line, or the name of its type."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def encode_url(url: str) -> httpcore.URL:
    """Return a URL as the bytes to send: punycode for the host, percent signs in the path."""
    parts = httpx.URL(url)
    return httpcore.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path)


def redirect_target(url: str, answer: Answer) -> str:
    """Return the target of a redirect.

    Raises:
        DownloadError: The target is no URL, or not http or https.
    """
    try:
        target = httpx.URL(url).join(answer.headers.get("location", ""))
    except httpx.InvalidURL as error:
        raise DownloadError("redirects", "to no URL") from error
    if target.scheme not in ("http", "https") or not target.host:
        raise DownloadError("redirects", f"to {target}, which is not http or https")
    return str(target.copy_with(fragment=None))


def check_status(answer: Answer) -> DownloadError | None:
    """Return the error that a status stands for, None for a document."""
    status = answer.status
    if status in (200, 206, 304):
        return None
    if status in TRANSIENT:
        wait = retry_after(answer.headers.get("retry-after", ""), answer.headers.get("date", ""))
        return TransientError(f"HTTP {status}", "", wait)
    return DownloadError("gone" if status in GONE else "refused by the server", f"HTTP {status}")
