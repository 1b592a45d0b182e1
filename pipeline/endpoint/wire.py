"""Read what servers send as a chat completion: whole or streamed, with thinking beside it, or an error.

Source  the fields as vLLM 0.26 (`reasoning`, earlier `reasoning_content`), SGLang, llama.cpp, Ollama, TGI
        (`eos_token`), OpenRouter (errors with status 200) and OpenAI's reference of chat completions name them
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.endpoint.errors import ENDPOINT, RefusedError
from pipeline.endpoint.reply_cache import Reply

GOOD_ENDS = {"", "stop", "eos", "eos_token", "end_turn", "stop_sequence", "end_of_text", "complete", "completed"}
CUT_ENDS = {"length", "max_tokens", "max_length", "model_length", "max_output_tokens", "max_completion_tokens"}
FILTER_ENDS = {"content_filter", "safety", "recitation", "blocklist", "prohibited_content"}
THINKING_FIELDS = ("reasoning_content", "reasoning", "thinking")


class ServerError(Exception):
    """What a server says instead of a reply: a status of HTTP, or an error in a body with status 200."""

    def __init__(self, status: int, message: str, code: str = "", headers: Mapping[str, str] | None = None) -> None:
        """Take the status, 0 if there is none, and the server's own words."""
        self.status, self.code, self.headers = status, code, headers or {}
        self.message = " ".join(message.split())[:300]
        super().__init__(f"status {status}: {self.message}" if status else self.message)


def parse_completion(body: Any) -> Reply:
    """Return the reply in the body of a chat completion.

    Raises:
        ServerError: The body is an error.
        RefusedError: The body is no chat completion.
    """
    if isinstance(body, str):
        if not body.lstrip().startswith(("data:", "event:", ":")):
            raise RefusedError(ENDPOINT, f"text that is no JSON: {' '.join(body.split())[:80]}")
        body = join_stream(body)
    if isinstance(body, dict) and (error := find_error(body)):
        raise error
    try:
        choice = body["choices"][0]
        if error := find_error(choice):
            raise error
        return read_choice(choice, body)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise RefusedError(ENDPOINT, "a reply without choices") from error


def read_choice(choice: dict[str, Any], body: dict[str, Any]) -> Reply:
    """Return the reply in a choice of a completion."""
    message, usage = choice["message"], body.get("usage") or {}
    finish = str(choice.get("finish_reason") or "").lower()
    if finish == "error":
        raise ServerError(0, "the server ended the reply with an error")
    content, thinking = read_text(message.get("content")), read_thinking(message)
    if message.get("refusal"):
        content, finish = "", "refusal"
    details = usage.get("prompt_tokens_details") or {}
    return Reply(
        content=content,
        finish_reason="stop" if finish in GOOD_ENDS else finish,
        model=str(body.get("model") or ""),
        prompt_tokens=int(usage.get("prompt_tokens") or 0),
        reply_tokens=int(usage.get("completion_tokens") or 0),
        cached_tokens=int(details.get("cached_tokens") or usage.get("prompt_cache_hit_tokens") or 0),
        thinking=thinking,
    )


def read_text(content: Any) -> str:
    """Return the text of a message whose content is a string, a list of parts, or nothing."""
    if isinstance(content, list):
        return "".join(
            str(part.get("text") or "") if isinstance(part, dict) else str(part)
            for part in content
            if not isinstance(part, dict) or part.get("type", "text") in ("text", "output_text")
        )
    return str(content or "")


def read_thinking(message: Mapping[str, Any]) -> str:
    """Return what a model thought, where the server keeps it apart from the content."""
    return next((str(message[name]) for name in THINKING_FIELDS if message.get(name)), "")


def find_error(body: Mapping[str, Any]) -> ServerError | None:
    """Return the error that a body is, None if it is none."""
    error: Any = body.get("error")
    if not error and body.get("object") == "error":
        error = body  # vLLM before 0.10
    if not error and "choices" not in body and "message" not in body and body.get("detail"):
        error = {"message": json.dumps(body["detail"])}  # FastAPI
    if not error:
        return None
    if not isinstance(error, dict):
        return ServerError(0, str(error))
    code = error.get("code") or error.get("status") or ""
    status = int(code) if str(code).isdigit() and 400 <= int(code) < 600 else 0
    message = str(error.get("message") or json.dumps(error))
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else ""
    return ServerError(status, f"{message} {raw or ''}", f"{code} {error.get('type') or ''}")


def join_stream(text: str) -> dict[str, Any]:
    """Return the completion that the events of a stream add up to.

    Raises:
        ServerError: An event is an error.
        RefusedError: The stream ends before the reply does.
    """
    content, thinking, finish, is_done = "", "", None, False
    top: dict[str, Any] = {}
    for event in read_events(text):
        if event is None:
            is_done = True
            continue
        if error := find_error(event):
            raise error
        top |= {name: event[name] for name in ("model", "usage") if event.get(name)}
        for choice in (event.get("choices") or [])[:1]:
            delta = choice.get("delta") or choice.get("message") or {}
            content += read_text(delta.get("content"))
            thinking += read_thinking(delta)
            finish = choice.get("finish_reason") or finish
    if not is_done and finish is None:
        raise RefusedError(ENDPOINT, "a stream that ends before the reply does")
    message = {"content": content, "reasoning": thinking}
    return {**top, "choices": [{"message": message, "finish_reason": finish}]}


def read_events(text: str) -> Iterator[dict[str, Any] | None]:
    """Yield the data of server-sent events, and None for the mark of their end.

    Raises:
        RefusedError: An event is no JSON.
    """
    for line in text.splitlines():
        data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
        if data == "[DONE]":
            yield None
        elif data:
            try:
                event = json.loads(data)
            except ValueError as error:
                raise RefusedError(ENDPOINT, "a stream with an event that is no JSON") from error
            if isinstance(event, dict):
                yield event
