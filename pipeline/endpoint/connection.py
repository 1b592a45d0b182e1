"""One exchange with a server, within its time."""

import asyncio
import os
import time
from dataclasses import replace
from typing import Any

import httpx

from pipeline.endpoint.endpoint_params import PATH, EndpointParams, is_loopback, read_api_key
from pipeline.endpoint.reply_cache import Reply
from pipeline.endpoint.throttle import Throttle
from pipeline.endpoint.wire import ServerError, find_error, parse_completion


class Connection:
    """The way to a server."""

    def __init__(self, params: EndpointParams, throttle: Throttle) -> None:
        """Take the parameters; nothing is sent yet.

        Raises:
            InputError: The environment variable for the key is not set, or holds no key.
        """
        self._params = params
        self._throttle = throttle
        self._url = f"{params.base_url.rstrip('/')}{PATH}"
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {read_api_key(params.api_key_variable)}"},
            follow_redirects=True,
            timeout=None,  # noqa: S113  a deadline of our own, which knows how long a server has been silent
            trust_env=not is_loopback(params.base_url),
            limits=httpx.Limits(),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def exchange(self, request: dict[str, Any]) -> Reply:
        """Send a request once, and return the reply.

        Raises:
            ServerError: The server says an error.
            RefusedError: What it replies is no chat completion.
            TimeoutError: There is no reply in time.
            httpx.RequestError: There is no connection.
            ValueError: The body of the reply is no JSON.
        """
        post = asyncio.ensure_future(self._client.post(self._url, json=request))
        try:
            await self.wait_for(post)
            response = post.result()
            if not response.is_success:
                raise read_error(response)
            return replace(parse_completion(read_body(response)), max_tokens=self._params.max_completion_tokens)
        finally:
            if not post.done():
                post.cancel()
                await asyncio.wait((post,))

    async def wait_for(self, post: "asyncio.Future[httpx.Response]") -> None:
        """Wait until a request is answered.

        Its time runs while the server works for it. A server that takes one request at a time answers those before
        it first: as long as replies come, it is not late, up to a deadline for each request in flight.

        Raises:
            TimeoutError: It is late.
        """
        deadline, sent, num_ahead = self._params.deadline_seconds, time.monotonic(), max(1, self._throttle.in_flight)
        while not post.done():
            now = time.monotonic()
            quiet = now - max(sent, self._throttle.last_reply_at)
            left = min(deadline - quiet, deadline * num_ahead - (now - sent))
            if left <= 0:
                raise TimeoutError
            await asyncio.wait((post,), timeout=left)


def read_body(response: httpx.Response) -> Any:
    """Return the JSON of a response, or its text where it does not say that it is JSON and is none.

    Raises:
        ValueError: It says that it is JSON, and is none.
    """
    try:
        return response.json()
    except ValueError:
        if "json" in response.headers.get("content-type", ""):
            raise
        return response.text


def read_error(response: httpx.Response) -> ServerError:
    """Return what a server says with a status that is no success, in its own words as far as it has any."""
    try:
        body = response.json()
    except ValueError:
        body = None
    found = find_error(body) if isinstance(body, dict) else None
    said = found.message if found else response.text or response.reason_phrase
    return ServerError(response.status_code, said, found.code if found else "", response.headers)


def is_unreached(error: httpx.RequestError) -> bool:
    """Say whether a request never got to the server."""
    return isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))


def name_proxy(url: str) -> str:
    """Return the proxy that a request goes by, as a message says it."""
    if is_loopback(url):
        return ""
    scheme = url.partition(":")[0].lower()
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    return next((f", by the proxy of {name}" for name in names if os.environ.get(name)), "")
