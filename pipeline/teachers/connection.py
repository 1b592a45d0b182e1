"""One exchange with a server, within its time."""

import asyncio
import os
import time
from dataclasses import replace
from typing import Any

import openai
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from pipeline.teachers.endpoint_params import PATH, EndpointParams, is_loopback, read_api_key
from pipeline.teachers.reply_cache import Reply
from pipeline.teachers.throttle import Throttle
from pipeline.teachers.wire import ServerError, parse_completion


class Connection:
    """The way to a server."""

    def __init__(self, params: EndpointParams, throttle: Throttle) -> None:
        """Take the parameters; nothing is sent yet.

        Raises:
            InputError: The environment variable for the key is not set, or holds no key.
        """
        self._params = params
        self._throttle = throttle
        self._client = AsyncOpenAI(
            base_url=params.base_url,
            api_key=read_api_key(params.api_key_variable),
            max_retries=0,
            timeout=None,
            http_client=DefaultAsyncHttpxClient(trust_env=not is_loopback(params.base_url), timeout=None),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def exchange(self, request: dict[str, Any]) -> Reply:
        """Send a request once, and return the reply.

        Raises:
            ServerError: The server says an error.
            RefusedError: What it replies is no chat completion.
            TimeoutError: There is no reply in time.
            openai.APIConnectionError: There is no connection.
            ValueError: The body of the reply is no JSON.
        """
        post = asyncio.ensure_future(self._client.post(PATH, cast_to=object, body=request))
        try:
            await self.wait_for(post)
            return replace(parse_completion(post.result()), max_tokens=self._params.max_completion_tokens)
        except openai.APIStatusError as error:
            body = error.body if isinstance(error.body, dict) else {}
            code = f"{body.get('code') or ''} {body.get('type') or ''}"
            raise ServerError(error.status_code, str(error.message), code, error.response.headers) from error
        finally:
            if not post.done():
                post.cancel()
                await asyncio.wait((post,))

    async def wait_for(self, post: "asyncio.Future[object]") -> None:
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


def is_unreached(error: openai.APIConnectionError) -> bool:
    """Say whether a request never got to the server."""
    return type(error.__cause__).__name__ in ("ConnectError", "ConnectTimeout")


def name_proxy(url: str) -> str:
    """Return the proxy that a request goes by, as a message says it."""
    if is_loopback(url):
        return ""
    scheme = url.partition(":")[0].lower()
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    return next((f", by the proxy of {name}" for name in names if os.environ.get(name)), "")
