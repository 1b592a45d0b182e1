"""A client of any server with OpenAI's chat completions: replies follow a JSON schema and are recorded.

The openai library retries but has no total deadline, and accepts an HTML page with status 200 or half a JSON body. So
everything about a reply is checked here: status, choices, model, finish reason, JSON, schema.

Source  https://platform.openai.com/docs/guides/structured-outputs; vLLM, SGLang and llama.cpp offer the same
"""

import asyncio
import json
import os
from functools import cache
from types import TracebackType
from typing import Any, Self, TypeVar

import openai
from openai import AsyncOpenAI
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import InputError
from pipeline.teachers.budget import BudgetError, BudgetParams, Spending, TokenCount
from pipeline.teachers.errors import RefusedError
from pipeline.teachers.reply_cache import Reply, ReplyStore, hash_request
from pipeline.teachers.throttle import Throttle

CHARACTERS_PER_TOKEN = 3.0  # English has about 4, so estimates are on the high side
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
PATH = "/chat/completions"  # posted untyped: building typed objects takes a millisecond a request
RETRIED_STATUSES = (408, 409, 425, 429, 500, 502, 503, 504)
OVERLOAD_STATUSES = (429, 503)
Messages = list[dict[str, str]]


class EndpointParams(BudgetParams):
    """An OpenAI-compatible server, and what may be spent on it."""

    base_url: str  # like http://localhost:8000/v1
    model: str  # the server's name for it; replies of another model are refused
    api_key_variable: str  # the environment variable with the key; '' for a server without keys
    max_context_tokens: int = Field(ge=512)  # of prompt and reply together
    max_reply_tokens: int = Field(ge=16)
    temperature: float = Field(ge=0)
    deadline_seconds: float = Field(gt=0)  # of a request, with all its attempts and pauses
    max_attempts: int = Field(ge=1)
    max_in_flight: int = Field(ge=1)


class StructuredReply(BaseModel):
    """The content of a reply that follows a JSON schema; each subclass is a schema."""

    model_config = ConfigDict(frozen=True, extra="forbid")


ReplyType = TypeVar("ReplyType", bound=StructuredReply)


class SchemaCheck(StructuredReply):
    """What the server must reply at the start; prose or another word shows that it ignores schemas."""

    word: str = Field(pattern="^kestrel$", max_length=7, json_schema_extra={"enum": ["kestrel"]})


class Endpoint:
    """A server, the record of its replies, and the budget for it."""

    def __init__(self, params: EndpointParams, store: ReplyStore) -> None:
        """Take the parameters and the record; nothing is sent yet.

        Raises:
            InputError: The environment variable for the key is not set.
        """
        self.params = params
        self._store = store
        self.spending = Spending(params, TokenCount(*store.count_tokens()))
        self._throttle = Throttle(params.max_in_flight)
        self._client = AsyncOpenAI(
            base_url=params.base_url,
            api_key=read_api_key(params.api_key_variable),
            max_retries=0,
            timeout=params.deadline_seconds,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def check(self) -> None:
        """Make sure that the server answers, has the right model, and follows a JSON schema.

        Raises:
            InputError: It does not.
        """
        messages = [{"role": "user", "content": "Write two sentences about the sea, in plain prose, without any JSON."}]
        try:
            await self.ask(messages, SchemaCheck)
        except BudgetError:
            return  # the run can still replay what is recorded
        except RefusedError as error:
            raise InputError(
                f"the endpoint {self.params.base_url}",
                found=str(error),
                expected=f"the model {self.params.model}, whose replies follow the schema that they are asked for",
                fix="Start a server with structured output (response_format json_schema), or fix the parameters.",
            ) from error

    async def ask(self, messages: Messages, schema: type[ReplyType]) -> ReplyType:
        """Return the reply to messages, from the record if it has one.

        Raises:
            RefusedError: There is no usable reply.
        """
        request = self.build_request(messages, schema)
        key = hash_request(request)
        reply = self._store.get(key)
        if reply:
            self.spending.num_replayed += 1
        else:
            reply = await self.send(request, messages)
            self._store.put(key, reply)
        return parse_reply(reply, schema, self.params.model)

    def build_request(self, messages: Messages, schema: type[StructuredReply]) -> dict[str, Any]:
        """Return the body of a request: everything that decides the reply."""
        named_schema = {"name": schema.__name__, "strict": True, "schema": json_schema(schema)}
        return {
            "model": self.params.model,
            "messages": messages,
            "temperature": self.params.temperature,
            "max_tokens": self.params.max_reply_tokens,
            "response_format": {"type": "json_schema", "json_schema": named_schema},
        }

    async def send(self, request: dict[str, Any], messages: Messages) -> Reply:
        """Send a request within the budget and the deadline, and return the reply.

        Raises:
            RefusedError: It was not sent or not answered.
        """
        most = TokenCount(estimate_tokens(messages), self.params.max_reply_tokens)
        reservation = self.spending.reserve(most)
        charged = TokenCount()
        try:
            async with asyncio.timeout(self.params.deadline_seconds):
                reply = await self.send_with_retries(request)
            charged = TokenCount(reply.prompt_tokens, reply.reply_tokens)
            return reply
        except TimeoutError as error:
            raise RefusedError("endpoint", f"no reply within {self.params.deadline_seconds:g} s") from error
        finally:
            self.spending.settle(reservation, charged)

    async def send_with_retries(self, request: dict[str, Any]) -> Reply:
        """Send a request until it is answered or has been tried `max_attempts` times.

        Raises:
            RefusedError: The server rejects it, or no attempt got a reply.
        """
        fault = ""
        for attempt in range(self.params.max_attempts):
            if attempt:
                await asyncio.sleep(BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS)) - 1])
            async with self._throttle.slot() as epoch:
                try:
                    reply = parse_completion(await self._client.post(PATH, cast_to=object, body=request))
                except openai.APIStatusError as error:
                    fault = f"status {error.status_code}"
                    if error.status_code not in RETRIED_STATUSES:
                        raise RefusedError("endpoint", f"{fault}: {describe_error(error)}") from error
                    if error.status_code in OVERLOAD_STATUSES:
                        self._throttle.overloaded(
                            epoch, parse_retry_after(error.response.headers.get("retry-after", ""))
                        )
                except openai.APITimeoutError:
                    fault = "timeout"
                    self._throttle.overloaded(epoch)
                except openai.APIConnectionError as error:
                    fault = f"no connection ({type(error.__cause__).__name__})"
                except (json.JSONDecodeError, openai.APIResponseValidationError):
                    fault = "the body of the reply is no JSON"
                except RefusedError as error:
                    fault = error.reason.detail
                else:
                    self._throttle.succeeded()
                    return reply
        raise RefusedError("endpoint", fault)


@cache
def json_schema(schema: type[StructuredReply]) -> dict[str, Any]:
    """Return a schema as JSON."""
    return schema.model_json_schema()


def read_api_key(variable: str) -> str:
    """Return the key in an environment variable, or 'none' for a server without keys.

    Raises:
        InputError: The variable is not set.
    """
    if not variable:
        return "none"
    if not os.environ.get(variable):
        raise InputError(
            "endpoint.api_key_variable",
            found=f"no environment variable {variable}",
            expected="one with the key of the endpoint",
            fix=f"Set it: export {variable}=…, or leave the parameter empty for a server without keys.",
        )
    return os.environ[variable]


def parse_completion(body: Any) -> Reply:
    """Return the reply in the body of a chat completion.

    Raises:
        RefusedError: The body is no chat completion.
    """
    if isinstance(body, str):
        raise RefusedError("endpoint", "text that is no JSON")
    try:
        choice, usage = body["choices"][0], body.get("usage") or {}
        message = choice["message"]
        refused = bool(message.get("refusal"))
        return Reply(
            content="" if refused else str(message.get("content") or ""),
            finish_reason="refusal" if refused else str(choice.get("finish_reason") or ""),
            model=str(body.get("model") or ""),
            prompt_tokens=int(usage.get("prompt_tokens") or 0),
            reply_tokens=int(usage.get("completion_tokens") or 0),
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise RefusedError("endpoint", "a reply without choices") from error


def parse_reply(reply: Reply, schema: type[ReplyType], model: str) -> ReplyType:
    """Return the content of a reply by its schema.

    Raises:
        RefusedError: Another model answered, it refused, it was cut off, or the content breaks the schema.
    """
    if reply.model and model and reply.model != model:
        raise RefusedError("reply", f"of another model, {reply.model}")
    if reply.finish_reason == "refusal":
        raise RefusedError("reply", "the model refused")
    if reply.finish_reason != "stop":
        raise RefusedError("reply", f"ended by {reply.finish_reason or 'nothing'}")
    try:
        return schema.model_validate_json(reply.content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        fault = f"{first['type']} at {where}" if where else first["type"]
        raise RefusedError("reply", f"not by the schema ({fault})") from error


def estimate_tokens(messages: Messages) -> int:
    """Return about how many tokens messages have, on the high side."""
    return int(sum(len(message["content"]) for message in messages) / CHARACTERS_PER_TOKEN) + 16 * len(messages)


def describe_error(error: openai.APIStatusError) -> str:
    """Return the start of a server's error message, on one line."""
    return " ".join(str(error.message).split())[:200]


def parse_retry_after(value: str) -> float:
    """Return the seconds of a Retry-After header, 0 for a date or anything else."""
    try:
        return max(0.0, float(value))
    except ValueError:
        return 0.0
