"""Any server that speaks OpenAI's chat completions, with its replies held to a JSON schema and recorded.

The client library retries, but knows no total deadline, takes HTML with status 200 for text and half a JSON for a whole
one; so every reply is checked here: status, choices, model, finish reason, JSON, schema.

Source  https://platform.openai.com/docs/guides/structured-outputs; vLLM, SGLang and llama.cpp serve the same
"""

import asyncio
import json
import os
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any, Self, TypeVar

import openai
from openai import AsyncOpenAI
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import InputError
from pipeline.params import Part
from pipeline.teachers.reply_cache import Reply, ReplyStore, key_of_request
from pipeline.teachers.throttle import Throttle

CHARACTERS_PER_TOKEN = 3.0  # fewer than English has, so that an estimate is rather too high
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
PATH = "/chat/completions"  # by the client's general call: its typed one costs a millisecond of typing a request
RETRIED = (408, 409, 425, 429, 500, 502, 503, 504)
OVERLOAD = (429, 503)
Messages = list[dict[str, str]]


class EndpointParams(Part):
    """An OpenAI-compatible server, and what may be spent on it."""

    base_url: str  # like http://localhost:8000/v1
    model: str  # as the server calls it; a reply of another is refused
    api_key_variable: str  # the environment variable that holds the key; '' for a server that wants none
    max_context_tokens: int = Field(ge=512)  # of prompt and reply together, that the model takes
    max_reply_tokens: int = Field(ge=16)
    temperature: float = Field(ge=0)
    deadline_seconds: float = Field(gt=0)  # for a request, all its attempts and pauses included
    max_attempts: int = Field(ge=1)
    max_in_flight: int = Field(ge=1)
    max_tokens: int = Field(ge=0)  # of all requests of a stage, those of earlier runs included
    max_cost: float = Field(ge=0)  # likewise, in the currency of the prices
    price_per_million_prompt_tokens: float = Field(ge=0)
    price_per_million_reply_tokens: float = Field(ge=0)


class RefusedError(Exception):
    """A request that gave nothing; the message is the reason that is recorded."""


class BudgetError(RefusedError):
    """A request that was not sent because it might cost more than is allowed."""


class Answer(BaseModel):
    """A reply by its schema; a subclass a kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")


AnswerType = TypeVar("AnswerType", bound=Answer)


class Probe(Answer):
    """What the server is asked at the start; prose, or another word, shows that it does not hold to schemas."""

    word: str = Field(pattern="^kestrel$", max_length=7, json_schema_extra={"enum": ["kestrel"]})


@dataclass
class Spending:
    """What was spent, and what is reserved for requests under way."""

    params: EndpointParams
    prompt_tokens: int = 0
    reply_tokens: int = 0
    num_sent: int = 0
    num_replayed: int = 0
    num_unsent: int = 0  # for want of budget
    reserved: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def cost(self) -> float:
        """Return the money that is spent."""
        return self.cost_of(self.prompt_tokens, self.reply_tokens)

    def cost_of(self, prompt_tokens: int, reply_tokens: int) -> float:
        """Return what tokens cost."""
        prices = self.params.price_per_million_prompt_tokens, self.params.price_per_million_reply_tokens
        return (prompt_tokens * prices[0] + reply_tokens * prices[1]) / 1e6

    def reserve(self, prompt_tokens: int, reply_tokens: int) -> int:
        """Set aside what a request may take at most, and return the number under which it is.

        Raises:
            BudgetError: That is more than is left.
        """
        prompt = self.prompt_tokens + prompt_tokens + sum(tokens for tokens, _ in self.reserved.values())
        reply = self.reply_tokens + reply_tokens + sum(tokens for _, tokens in self.reserved.values())
        if prompt + reply > self.params.max_tokens or self.cost_of(prompt, reply) > self.params.max_cost:
            self.num_unsent += 1
            raise BudgetError("budget: the request was not sent")
        self.num_sent += 1
        self.reserved[self.num_sent] = (prompt_tokens, reply_tokens)
        return self.num_sent

    def settle(self, number: int, reply: Reply | None) -> None:
        """Replace what was set aside by what was charged; nothing, if no reply came."""
        del self.reserved[number]
        if reply:
            self.prompt_tokens += reply.prompt_tokens
            self.reply_tokens += reply.reply_tokens

    def as_dict(self, num_sound: int) -> dict[str, float]:
        """Return the figures of a report."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "reply_tokens": self.reply_tokens,
            "cost": self.cost,
            "cost_per_example": self.cost / num_sound if num_sound else 0.0,
            "requests_not_sent_for_want_of_budget": self.num_unsent,
        }


class Endpoint:
    """A server, the record of its replies, and the budget."""

    def __init__(self, params: EndpointParams, store: ReplyStore) -> None:
        """Take the parameters; nothing is sent before the first question.

        Raises:
            InputError: The key is not in the environment.
        """
        self.params = params
        self._store = store
        prompt, reply = store.tokens()
        self.spending = Spending(params, prompt, reply)
        self._throttle = Throttle(params.max_in_flight)
        self._client = AsyncOpenAI(
            base_url=params.base_url,
            api_key=key_of(params.api_key_variable),
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
        """Make sure that the server is there, is the right one, and holds to a JSON schema.

        Raises:
            InputError: It is not so.
        """
        messages = [{"role": "user", "content": "Write two sentences about the sea, in plain prose, without any JSON."}]
        try:
            await self.ask(messages, Probe)
        except BudgetError:
            return  # nothing can be sent, so nothing is: the run ends with what is recorded
        except RefusedError as error:
            raise InputError(
                f"the endpoint {self.params.base_url}",
                found=str(error),
                expected=f"the model {self.params.model}, which replies by the schema that it is given",
                fix="Start a server with structured output (response_format json_schema), or mend the parameters.",
            ) from error

    async def ask(self, messages: Messages, kind: type[AnswerType]) -> AnswerType:
        """Return the reply to messages, from the record if it is there.

        Raises:
            RefusedError: There is no reply that can be used; the message says why.
        """
        request = self.request_of(messages, kind)
        key = key_of_request(request)
        reply = self._store.get(key)
        if reply:
            self.spending.num_replayed += 1
        else:
            reply = await self.send(request, messages)
            self._store.put(key, reply)
        return parse(reply, kind, self.params.model)

    def request_of(self, messages: Messages, kind: type[Answer]) -> dict[str, Any]:
        """Return everything that decides a reply."""
        schema = {"name": kind.__name__, "strict": True, "schema": schema_of(kind)}
        return {
            "model": self.params.model,
            "messages": messages,
            "temperature": self.params.temperature,
            "max_tokens": self.params.max_reply_tokens,
            "response_format": {"type": "json_schema", "json_schema": schema},
        }

    async def send(self, request: dict[str, Any], messages: Messages) -> Reply:
        """Send a request until it is answered, at most so often and so long as the parameters allow.

        Raises:
            RefusedError: It was not answered.
        """
        reserved = self.spending.reserve(tokens_of(messages), self.params.max_reply_tokens)
        reply = None
        try:
            async with asyncio.timeout(self.params.deadline_seconds):
                reply = await self.attempts(request)
            return reply
        except TimeoutError as error:
            raise RefusedError(f"endpoint: no reply within {self.params.deadline_seconds:g} s") from error
        finally:
            self.spending.settle(reserved, reply)

    async def attempts(self, request: dict[str, Any]) -> Reply:
        """Return the first reply of several attempts.

        Raises:
            RefusedError: The server says no, or none of the attempts came to anything.
        """
        reason = ""
        for attempt in range(self.params.max_attempts):
            if attempt:
                await asyncio.sleep(BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS)) - 1])
            async with self._throttle.slot() as epoch:
                try:
                    reply = reply_of(await self._client.post(PATH, cast_to=object, body=request))
                except openai.APIStatusError as error:
                    reason = f"endpoint: status {error.status_code}"
                    if error.status_code not in RETRIED:
                        raise RefusedError(f"{reason}: {words_of(error)}") from error
                    if error.status_code in OVERLOAD:
                        self._throttle.overloaded(epoch, seconds_of(error.response.headers.get("retry-after", "")))
                except openai.APITimeoutError:
                    reason = "endpoint: timeout"
                    self._throttle.overloaded(epoch)
                except openai.APIConnectionError as error:
                    reason = f"endpoint: no connection ({type(error.__cause__).__name__})"
                except (json.JSONDecodeError, openai.APIResponseValidationError):
                    reason = "endpoint: the body of the reply is no JSON"
                except RefusedError as error:
                    reason = str(error)
                else:
                    self._throttle.succeeded()
                    return reply
        raise RefusedError(reason)


@cache
def schema_of(kind: type[Answer]) -> dict[str, Any]:
    """Return the JSON schema of a kind of reply."""
    return kind.model_json_schema()


def key_of(variable: str) -> str:
    """Return the key that an environment variable holds; a server that wants none gets a word.

    Raises:
        InputError: It is not set.
    """
    if not variable:
        return "none"
    if not os.environ.get(variable):
        raise InputError(
            "endpoint.api_key_variable",
            found=f"no environment variable {variable}",
            expected="the key of the endpoint in it",
            fix=f"Set it: export {variable}=…, or leave the parameter empty for a server without keys.",
        )
    return os.environ[variable]


def reply_of(body: Any) -> Reply:
    """Return what the body of a response says.

    Raises:
        RefusedError: It is no chat completion.
    """
    if isinstance(body, str):
        raise RefusedError("endpoint: text that is no JSON")
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
        raise RefusedError("endpoint: a reply without choices") from error


def parse(reply: Reply, kind: type[AnswerType], model: str) -> AnswerType:
    """Return a reply by its schema.

    Raises:
        RefusedError: Another model answered, it refused, it was cut off, or it is not what the schema says.
    """
    if reply.model and model and reply.model != model:
        raise RefusedError(f"reply: of another model, {reply.model}")
    if reply.finish_reason == "refusal":
        raise RefusedError("reply: the model refused")
    if reply.finish_reason != "stop":
        raise RefusedError(f"reply: ended by {reply.finish_reason or 'nothing'}")
    try:
        return kind.model_validate_json(reply.content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RefusedError(f"reply: not by the schema ({first['type']}{f' at {where}' if where else ''})") from error


def tokens_of(messages: Messages) -> int:
    """Return about how many tokens messages have, rather too many."""
    return int(sum(len(message["content"]) for message in messages) / CHARACTERS_PER_TOKEN) + 16 * len(messages)


def words_of(error: openai.APIStatusError) -> str:
    """Return the beginning of what a server says about a fault, on one line."""
    return " ".join(str(error.message).split())[:200]


def seconds_of(retry_after: str) -> float:
    """Return the seconds that a Retry-After header asks for; dates and nonsense ask for none."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        return 0.0
