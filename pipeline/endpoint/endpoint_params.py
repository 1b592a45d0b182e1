"""The parameters of an OpenAI-compatible server, and the slips that people make in them."""

import os
import re
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from pipeline.endpoint.budget import BudgetParams
from pipeline.errors import InputError

StructuredMode = Literal["json_schema", "json_object", "none"]
LOOPBACK = re.compile(r"^(?:localhost|.*\.localhost|127(?:\.\d+){3}|::1|0\.0\.0\.0)$")
PATH = "/chat/completions"
MIN_TOKENS_FOR_EXAMPLES = 8_000  # of a prompt


class EndpointParams(BudgetParams):
    """An OpenAI-compatible server, and what may be spent on it."""

    base_url: str  # like http://localhost:8000/v1
    model: str  # the server's name for it; replies of another model are refused
    api_key_variable: str  # the environment variable with the key; '' for a server without keys
    max_context_tokens: int = Field(ge=512)  # of prompt, thinking and reply together
    max_reply_tokens: int = Field(ge=16)  # without thinking
    max_thinking_tokens: int = Field(ge=0)  # beside those of the reply, for a model that thinks first
    reply_limit_field: Literal["max_tokens", "max_completion_tokens"]  # the field that tells the server both of them
    temperature: float | None = Field(ge=0)  # null: the field is left out
    extra_body: dict[str, Any]  # further fields of each request, like chat_template_kwargs or reasoning_effort
    structured_output: Literal["auto", "json_schema", "json_object", "none"]  # auto: the best that the server has
    stream: bool  # whether replies come in pieces; for servers that know no other way
    max_samples: int = Field(ge=1)  # of a request whose reply cannot be used
    deadline_seconds: float = Field(gt=0)  # from when the server can start on a request to its reply
    max_wait_seconds: float = Field(gt=0)  # for a server that is loading, busy or away
    max_attempts: int = Field(ge=1)  # of a request that fails on the way
    max_in_flight: int = Field(ge=1)

    @property
    def max_completion_tokens(self) -> int:
        """The tokens that thinking and reply may have together."""
        return self.max_reply_tokens + self.max_thinking_tokens

    @property
    def max_prompt_tokens(self) -> int:
        """The tokens that are left for the prompt."""
        return self.max_context_tokens - self.max_completion_tokens

    @property
    def has_room_for_examples(self) -> bool:
        """Whether prompts are long enough for worked examples beside the documents."""
        return self.max_prompt_tokens >= MIN_TOKENS_FOR_EXAMPLES


def check_params(params: EndpointParams) -> None:
    """Make sure that the address is one, and that there is room for a prompt.

    Raises:
        InputError: It is not, or there is none.
    """
    url, where = params.base_url, "endpoint.base_url"
    expected = "the address before /chat/completions, like http://localhost:8000/v1"
    if url != url.strip() or re.search(r"[\s“”‘’\"'<>]", url) or not url.isascii():
        raise InputError(where, found=repr(url), expected=expected, fix="Remove white space and quotation marks.")
    bare = url.rstrip("/")
    if bare.endswith((PATH, "/completions", "/responses", "/models")):
        right = re.sub(r"/(?:chat/completions|completions|responses|models)$", "", bare)
        raise InputError(where, found=url, expected=expected, fix=f"Write {right}.")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise InputError(where, found=repr(url), expected=expected, fix="Begin it with http:// or https://.")
    if params.max_prompt_tokens < params.max_context_tokens // 4:
        raise InputError(
            "endpoint.max_context_tokens",
            found=f"{params.max_context_tokens}, of which thinking and reply may take {params.max_completion_tokens}",
            expected="at least a quarter of it for the prompt",
            fix="Lower max_reply_tokens or max_thinking_tokens, or use a model with a longer context.",
        )


def is_loopback(url: str) -> bool:
    """Say whether an address is of this machine, which no proxy can reach."""
    return bool(LOOPBACK.match(urlsplit(url).hostname or ""))


def read_api_key(variable: str) -> str:
    """Return the key in an environment variable, or 'none' for a server without keys.

    White space around the key is removed: a file read with $(cat FILE) often ends with a line end.

    Raises:
        InputError: The variable is not set, or no key looks like its value.
    """
    if not variable:
        return "none"
    key = os.environ.get(variable, "").strip()
    if not key:
        raise InputError(
            "endpoint.api_key_variable",
            found=f"no environment variable {variable}",
            expected="one with the key of the endpoint",
            fix=f"Set it: export {variable}=…, or leave the parameter empty for a server without keys.",
        )
    if not key.isascii() or re.search(r"[\s\"'`]", key) or not key.isprintable():
        raise InputError(
            f"the environment variable {variable}",
            found="a key with white space, quotation marks or letters beyond ASCII",
            expected="the key alone",
            fix=f"Copy it again, between plain quotes: export {variable}='…'.",
        )
    return key
