"""What is sent to a server, and what decides its reply."""

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from pipeline.endpoint.endpoint_params import EndpointParams, StructuredMode
from pipeline.endpoint.structured import StructuredReply, describe_fields, json_schema, without_limits

BYTES_PER_TOKEN = 3.0  # English has about 4, so estimates are on the high side
WARMER = 0.3  # the temperature rises by this with each further sample of a request
MAX_TEMPERATURE = 1.0
Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Format:
    """How a server is held to a schema."""

    mode: StructuredMode
    has_limits: bool = True  # whether it takes schemas with limits


def build_request(
    params: EndpointParams, way: Format, messages: Messages, schema: type[StructuredReply], sample: int = 0
) -> dict[str, Any]:
    """Return the body of a request."""
    body: dict[str, Any] = {"model": params.model, "messages": messages}
    body[params.reply_limit_field] = params.max_completion_tokens
    if params.temperature is not None:
        warm = max(params.temperature, MAX_TEMPERATURE)
        body["temperature"] = min(warm, round(params.temperature + sample * WARMER, 3))
    if way.mode == "json_schema":
        definition = json_schema(schema) if way.has_limits else without_limits(schema)
        named = {"name": schema.__name__, "strict": True, "schema": definition}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    elif way.mode == "json_object":
        body["response_format"] = {"type": "json_object"}
    if params.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body | params.extra_body


def make_key(params: EndpointParams, messages: Messages, schema: type[StructuredReply], sample: int) -> str:
    """Return the key of a request: the hash of what decides the reply, without limits and without how it is sent."""
    settings = [params.model, params.temperature, params.extra_body, sample, *(len(m["content"]) for m in messages)]
    digest = sha256(json.dumps(settings, sort_keys=True).encode())
    digest.update(write_schema(schema))
    for message in messages:  # as they are: to quote the documents as JSON would take as long as all else
        digest.update(f"{message['role']}:{message['content']}".encode(errors="replace"))
    return digest.hexdigest()


@cache
def write_schema(schema: type[StructuredReply]) -> bytes:
    """Return a schema as the bytes of its JSON."""
    return json.dumps(json_schema(schema), sort_keys=True).encode()


def show_fields(messages: Messages, schema: type[StructuredReply]) -> Messages:
    """Return messages whose last says what the reply must have."""
    last = messages[-1]
    return [*messages[:-1], {**last, "content": f"{last['content']}\n\n{describe_fields(schema)}"}]


def estimate_tokens(messages: Messages) -> int:
    """Return about how many tokens messages have, on the high side."""
    return sum(estimate_text_tokens(message["content"]) for message in messages) + 16 * len(messages)


def estimate_text_tokens(text: str) -> int:
    """Return about how many tokens a text has, on the high side: one a digit, one for three bytes of the rest."""
    num_digits = sum(map(text.count, "0123456789"))
    return int((len(text.encode(errors="replace")) - num_digits) / BYTES_PER_TOKEN) + num_digits + 1
