"""A client for catalogue services: rate-limited, with retries, and a limit on the size of a response."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from lxml import etree

from pipeline.downloads.rate_limit import retry_after
from pipeline.errors import InputError

AGENT = "longalpaca/0.1 (lists documents for its user{contact})"
TRUST = httpx.create_ssl_context()  # loading the certificates takes longer than most responses
PASSING = (429, 500, 502, 503, 504)
MAX_ANSWER_BYTES = 200_000_000  # the largest catalogue is one file of some 20 MB
MAX_WAIT_SECONDS = 600.0
PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


@dataclass
class Service:
    """A service by its base URL; no other host is asked."""

    base: str
    requests_per_second: float
    contact: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    num_attempts: int = 5
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    _next: float = float("-inf")

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> httpx.Response | None:
        """Request a path of the service, or a URL that it gave; None for 404.

        Raises:
            InputError: The service cannot be reached, refuses, or redirects to another host.
        """
        url = self.resolve(path)
        for attempt in range(self.num_attempts):
            self.wait()
            response = self.ask(url, params)
            if response is not None and response.status_code not in PASSING:
                return self.checked(url, response)
            self.sleep(self.patience(url, response, attempt))
        raise self.fault(url, f"no answer in {self.num_attempts} attempts", "Try again later.")

    def json(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON of a response, None for 404.

        Raises:
            InputError: It cannot be downloaded, or is not JSON.
        """
        response = self.get(path, params)
        try:
            return None if response is None else response.json()
        except ValueError as error:
            raise self.fault(self.resolve(path), "no JSON", "Compare it with the service's documentation.") from error

    def xml(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Return the root of an XML response, None for 404.

        Raises:
            InputError: It cannot be downloaded, or is not XML.
        """
        response = self.get(path, params)
        try:
            return None if response is None else etree.fromstring(response.content, PARSER)
        except etree.XMLSyntaxError as error:
            raise self.fault(self.resolve(path), "no XML", "Compare it with the service's documentation.") from error

    def resolve(self, path: str) -> str:
        """Return the URL of a path.

        Raises:
            InputError: The URL has another host, which must not see the key.
        """
        url = str(httpx.URL(f"{self.base.rstrip('/')}/").join(path)) if "://" not in path else path
        if urlsplit(url).netloc != urlsplit(self.base).netloc:
            raise self.fault(url, "a page of another host", "Compare it with the service's documentation.")
        return url

    def wait(self) -> None:
        """Wait for the rate limit."""
        if (delay := self._next - self.now()) > 0:
            self.sleep(delay)
        self._next = self.now() + 1 / self.requests_per_second

    def ask(self, url: str, params: Mapping[str, Any] | None) -> httpx.Response | None:
        """Send one request; None if there is no response.

        Raises:
            InputError: The response is too large for a catalogue.
        """
        agent = AGENT.format(contact=f"; {self.contact}" if self.contact else "")
        try:
            headers = {"User-Agent": agent, **self.headers}
            with httpx.stream("GET", url, params=params, headers=headers, timeout=60, verify=TRUST) as response:
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > MAX_ANSWER_BYTES:
                        raise self.fault(url, f"more than {MAX_ANSWER_BYTES} bytes", "Ask for less.")
        except httpx.TransportError:
            return None
        given = {name: value for name, value in response.headers.items() if name.lower() != "content-encoding"}
        return httpx.Response(response.status_code, headers=given, content=bytes(content), request=response.request)

    def patience(self, url: str, response: httpx.Response | None, attempt: int) -> float:
        """Return the seconds to wait before the next attempt.

        Raises:
            InputError: The service asks to wait too long.
        """
        headers = {} if response is None else response.headers
        expected = retry_after(headers.get("retry-after", ""), headers.get("date", ""))
        seconds = 2.0**attempt if expected is None else expected
        if seconds > MAX_WAIT_SECONDS:
            raise self.fault(url, f"a wish to be left alone for {seconds:g} seconds", "Try again then.")
        return seconds

    def checked(self, url: str, response: httpx.Response) -> httpx.Response | None:
        """Return a response, None for 404.

        Raises:
            InputError: The service refuses.
        """
        if response.status_code == 404:
            return None
        if response.status_code != 200:
            said = " ".join(response.text[:200].split())
            raise self.fault(
                url, f"HTTP {response.status_code} ({said})", "Check the options, and a key if it needs one."
            )
        return response

    def fault(self, url: str, found: str, advice: str) -> InputError:
        """Return the error of a request, without the query string, which may have a key."""
        return InputError(url.split("?")[0], found=found, expected="its catalogue", fix=advice)
