"""A model behind an OpenAI-compatible endpoint, by the teacher's own client: replies are recorded, cost is capped."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

from eval.models.records import Progress, Prompt, Reply, Sampling, ignore_progress, never
from pipeline.endpoint import reply_cache
from pipeline.endpoint.client import Endpoint
from pipeline.endpoint.connection import read_error
from pipeline.endpoint.endpoint_params import PATH, EndpointParams, check_params, is_loopback, read_api_key
from pipeline.endpoint.errors import RefusedError
from pipeline.endpoint.request_body import Messages, estimate_text_tokens
from pipeline.endpoint.structured import without_thinking
from pipeline.endpoint.wire import find_error, read_text
from pipeline.errors import InputError
from pipeline.records import Turn

ENDS = ("stop", "")  # reasons that a reply is whole by


class EndpointModel:
    """A model that a server runs."""

    def __init__(self, params: EndpointParams, store: Path) -> None:
        """Take the parameters, and the folder of the record of replies; nothing is sent yet.

        Raises:
            InputError: The address cannot be one.
        """
        check_params(params)
        self.name = params.model
        self.max_context_tokens = params.max_context_tokens
        self._params, self._store = params, store

    def count_tokens(self, text: str) -> int:
        """Estimate the tokens of a text, on the high side: the server's tokenizer is not known."""
        return estimate_text_tokens(text)

    def respond(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Reply]:
        """Return the reply to each prompt; one that the server refuses has the reason."""
        return asyncio.run(self.respond_all(prompts, sampling))

    async def respond_all(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Reply]:
        """Ask for all replies at once, as far as the server takes them."""
        with reply_cache.ReplyStore(self._store / reply_cache.FILE) as store:
            async with Endpoint(self._params, store) as endpoint:
                return await asyncio.gather(*(self.ask(endpoint, prompt, sampling) for prompt in prompts))

    async def ask(self, endpoint: Endpoint, prompt: Prompt, sampling: Sampling) -> Reply:
        """Return the reply to a prompt; the first words of the answer follow the question, as RULER does it."""
        content = f"{prompt.document}{prompt.question}"
        messages = [{"role": "user", "content": f"{content} {prompt.answer_start}" if prompt.answer_start else content}]
        try:
            found = await endpoint.ask_text(messages, self.write_fields(sampling))
            text = without_thinking(found.content).strip()
        except RefusedError as error:
            return Reply("", 0, 0, is_complete=False, refused=str(error))
        return Reply(text, found.prompt_tokens, found.reply_tokens, is_complete=found.finish_reason in ENDS)

    def write_fields(self, sampling: Sampling) -> dict[str, Any]:
        """Return what a request says about how the reply is drawn."""
        fields: dict[str, Any] = {
            self._params.reply_limit_field: sampling.max_tokens + self._params.max_thinking_tokens,
            "seed": sampling.seed,
        }
        if self._params.temperature is not None:
            fields |= {"temperature": sampling.temperature, "top_p": sampling.top_p}
        return fields

    def stream(
        self,
        turns: Sequence[Turn],
        sampling: Sampling,
        *,
        progress: Progress = ignore_progress,
        is_stopped: Callable[[], bool] = never,
    ) -> Iterator[str]:
        """Yield the reply to a conversation in pieces; nothing is recorded. A server does not say how far it has read.

        Raises:
            InputError: The server cannot be reached, or says an error.
        """
        del progress
        messages = [asdict(turn) for turn in turns]
        fields = self.write_fields(sampling) | {"stream": True} | self._params.extra_body
        try:
            yield from self.exchange(messages, fields, is_stopped)
        except httpx.HTTPError as error:
            raise self.explain(f"no reply ({type(error).__name__}: {error})") from error

    def exchange(self, messages: Messages, fields: dict[str, Any], is_stopped: Callable[[], bool]) -> Iterator[str]:
        """Send a request, and yield the text of the events that come back."""
        headers = {"Authorization": f"Bearer {read_api_key(self._params.api_key_variable)}"}
        url, timeout = f"{self._params.base_url.rstrip('/')}{PATH}", httpx.Timeout(self._params.deadline_seconds)
        body = {"model": self.name, "messages": messages, **fields}
        with (
            httpx.Client(headers=headers, timeout=timeout, trust_env=not is_loopback(url)) as client,
            client.stream("POST", url, json=body) as response,
        ):
            if not response.is_success:
                response.read()
                raise self.explain(str(read_error(response)))
            for line in response.iter_lines():
                if text := self.read_line(line):
                    yield text
                if is_stopped():
                    return

    def read_line(self, line: str) -> str:
        """Return the text in a line of a stream of events.

        Raises:
            InputError: It is an error.
        """
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or not data or data == "[DONE]":
            return ""
        try:
            event = json.loads(data)
        except ValueError as error:
            raise self.explain("a stream with an event that is no JSON") from error
        if found := find_error(event):
            raise self.explain(str(found))
        choices = event.get("choices") or [{}]
        return read_text((choices[0].get("delta") or {}).get("content"))

    def explain(self, found: str) -> InputError:
        """Return the error for a server that does not answer."""
        return InputError(
            self._params.base_url,
            found=found,
            expected="a reply of an OpenAI-compatible server",
            fix="See that the server runs and has the model; its log may say more.",
        )
