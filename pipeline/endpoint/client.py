"""A client of any server with OpenAI's chat completions: replies follow a schema and are recorded.

Servers send an HTML page with status 200, or half a JSON body. So everything about a reply is checked: status, choices,
model, finish reason, JSON, schema.

Source  https://platform.openai.com/docs/guides/structured-outputs; vLLM, SGLang and llama.cpp offer the same
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from types import TracebackType
from typing import Any, Self, TypeVar
from weakref import WeakValueDictionary

import httpx

from pipeline.endpoint.batch_files import BatchRequests
from pipeline.endpoint.budget import Spending, TokenCount
from pipeline.endpoint.connection import Connection, is_unreached, name_proxy
from pipeline.endpoint.endpoint_params import EndpointParams, check_params
from pipeline.endpoint.errors import BATCHED, ENDPOINT, STOPPED, TOO_LONG, RefusedError, StoppedError
from pipeline.endpoint.replies import ReplyReader, check_prompt, count_charged
from pipeline.endpoint.reply_cache import Reply, ReplyStore
from pipeline.endpoint.request_body import Format, Messages, build_request, estimate_tokens, make_key, show_fields
from pipeline.endpoint.server_check import check_server
from pipeline.endpoint.server_errors import choose_action, read_pause
from pipeline.endpoint.structured import ReplyType, StructuredReply
from pipeline.endpoint.throttle import Throttle
from pipeline.endpoint.wire import CUT_ENDS, ServerError

Result = TypeVar("Result")
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)


class Endpoint:
    """A server, the record of its replies, and the budget for it."""

    def __init__(self, params: EndpointParams, store: ReplyStore, batch: BatchRequests | None = None) -> None:
        """Take the parameters and the record; nothing is sent yet.

        Args:
            params: Of the server.
            store: The record.
            batch: Where requests are written instead of being sent.

        Raises:
            InputError: The address cannot be one, or the environment variable for the key is not set.
        """
        check_params(params)
        self.params = params
        self.stopped: StoppedError | None = None
        self.spending = Spending(params, TokenCount(*store.count_tokens()))
        self._store = store
        self._batch = batch
        self._throttle = Throttle(params.max_in_flight, start=1)
        self._connection = Connection(params, self._throttle)
        self._reader = ReplyReader(params.model)
        self._format: Format | None = None  # found out before the first request
        self._checking = asyncio.Lock()
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by the key of the request

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connection.close()

    async def check(self) -> Format:
        """Make sure, once, that the server answers, has the right model, and follows a schema; return in which way.

        Raises:
            InputError: It does not.
            RefusedError: The budget does not allow the question.
        """
        async with self._checking:
            if self._format is None:
                self._format = await check_server(self)
            return self._format

    async def ask(self, messages: Messages, schema: type[ReplyType]) -> ReplyType:
        """Return the reply to messages; see `ask_for`."""
        return await self.ask_for(messages, schema, lambda reply: reply)

    async def ask_for(
        self, messages: Messages, schema: type[ReplyType], convert: Callable[[ReplyType], Result]
    ) -> Result:
        """Return what is made of the reply to messages, which is from the record if it has one.

        A reply that cannot be used is an attempt, and another sample is drawn, up to `max_samples`. Equal requests are
        sent once, however many ask for them at a time.

        Raises:
            RefusedError: There is no usable reply.
            InputError: The server turns out at the first request to be of no use.
        """
        shown = show_fields(messages, schema)
        refused: RefusedError | None = None
        for sample in range(self.params.max_samples):
            key = make_key(self.params, shown, schema, sample)
            lock = self._asking.setdefault(key, asyncio.Lock())
            try:
                async with lock:
                    reply = self.replay(key, schema) or await self.draw(shown, schema, sample, key)
                return convert(reply)
            except RefusedError as error:
                refused = error
                if not error.again:
                    break
        assert refused is not None
        raise refused

    async def ask_text(self, messages: Messages, fields: Mapping[str, Any]) -> Reply:
        """Return a reply that follows no schema, which is from the record if it has one; it may be cut off.

        Args:
            messages: Of the conversation.
            fields: What the request has beside messages and model: how the reply is drawn.

        Raises:
            RefusedError: There is none.
        """
        request = {"model": self.params.model, "messages": messages, **fields, **self.params.extra_body}
        key = sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        lock = self._asking.setdefault(key, asyncio.Lock())
        async with lock:
            if reply := self._store.get(key):
                self.spending.num_replayed += 1
                return reply
            reply, charged = await self.send(request)
            self._reader.check_text(reply)
            self._store.put(key, reply, (charged.prompt, charged.reply, charged.cached))
            return reply

    def replay(self, key: str, schema: type[ReplyType]) -> ReplyType | None:
        """Return the recorded reply to a request, None if there is none or the server may now do better.

        Raises:
            RefusedError: The recorded reply cannot be used, and it was the model's fault.
        """
        reply = self._store.get(key)
        if reply is None:
            return None
        try:
            parsed = self._reader.parse(reply, schema)
        except RefusedError as error:
            is_raised = reply.finish_reason in CUT_ENDS and self.params.max_completion_tokens > reply.max_tokens
            if not error.final or is_raised:
                return None
            self.spending.num_replayed += 1
            raise
        self.spending.num_replayed += 1
        return parsed

    async def draw(self, shown: Messages, schema: type[ReplyType], sample: int, key: str) -> ReplyType:
        """Ask the server, record what it replies, and return it.

        Raises:
            RefusedError: There is no usable reply.
        """
        if self.stopped:
            raise self.stopped
        if self._batch is not None:
            raise self.put_off(self._batch, shown, schema, sample, key)
        way = await self.check()
        reply, charged = await self.send(build_request(self.params, way, shown, schema, sample))
        self._store.put(key, reply, (charged.prompt, charged.reply, charged.cached))
        return self._reader.parse(reply, schema)

    def put_off(
        self, batch: BatchRequests, shown: Messages, schema: type[StructuredReply], sample: int, key: str
    ) -> RefusedError:
        """Write a request for a later round, and return the error that says so.

        Raises:
            BudgetError: All that were written could exceed the budget with it.
        """
        if key not in batch:
            self.spending.reserve(TokenCount(estimate_tokens(shown), self.params.max_completion_tokens))
            batch.add(key, build_request(self.params, batch.format, shown, schema, sample))
        return RefusedError(BATCHED, "its reply is not there yet")

    async def try_format(self, way: Format, messages: Messages, schema: type[StructuredReply]) -> None:
        """Ask once in a way of holding the server to a schema; the reply is charged and not recorded.

        Raises:
            RefusedError: The reply does not follow the schema.
        """
        reply, charged = await self.send(build_request(self.params, way, messages, schema))
        self.record_charge(charged)
        self._reader.parse(reply, schema)

    async def send(self, request: dict[str, Any]) -> tuple[Reply, TokenCount]:
        """Send a request until it is answered, and return the reply with what it was charged.

        Waiting for a place, for a server that is loading and for a limit to be lifted is no attempt.

        Raises:
            RefusedError: The budget does not allow it, the server rejects it, or no attempt got a reply.
        """
        attempts, failures, failing_since = 0, 0, 0.0
        while True:
            async with self._throttle.slot() as epoch:
                if self.stopped:
                    raise self.stopped
                try:
                    return await self.attempt(request)
                except (ServerError, httpx.RequestError, RefusedError, TimeoutError, ValueError) as error:
                    fault, is_waiting = self.explain_failure(error, epoch)
            attempts, failures = attempts + (not is_waiting), failures + 1
            failing_since = failing_since or time.monotonic()
            self.give_up(fault, attempts, is_waiting, failing_since)
            await asyncio.sleep(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS)) - 1])

    async def attempt(self, request: dict[str, Any]) -> tuple[Reply, TokenCount]:
        """Send a request once within the budget, and return the reply with what it was charged.

        A request that the server may have worked on, but whose usage is not known, is charged what was reserved.
        """
        messages: Messages = request["messages"]
        charged = most = TokenCount(estimate_tokens(messages), self.params.max_completion_tokens)
        is_kept = False
        reservation = self.spending.reserve(most)
        try:
            reply = await self._connection.exchange(request)
            charged = count_charged(reply, most)
            check_prompt(reply, messages)
            self._throttle.succeeded()
            is_kept = True
            return reply, charged
        except ServerError:
            charged = TokenCount()
            raise
        except httpx.RequestError as error:
            charged = TokenCount() if is_unreached(error) else most
            raise
        finally:
            self.spending.settle(reservation, charged)
            self.spending.num_estimated += charged is most
            if not is_kept and charged.prompt:
                self.record_charge(charged)

    def record_charge(self, charged: TokenCount) -> None:
        """Record what a request was charged whose reply is not kept."""
        self._store.charge((charged.prompt, charged.reply, charged.cached))

    def explain_failure(self, error: Exception, epoch: int) -> tuple[str, bool]:
        """Return what went wrong with an attempt, and whether to wait for the server, which is no attempt.

        Raises:
            RefusedError: Asking again would not help.
        """
        if isinstance(error, ServerError):
            return str(error), self.handle_error(error, epoch)
        if isinstance(error, httpx.RequestError):
            has_answered = self._throttle.last_reply_at > 0  # at the start a server that is not there is a mistake
            cause = f"{type(error).__name__}{name_proxy(self.params.base_url)}"
            return f"no connection ({cause})", has_answered and is_unreached(error)
        if isinstance(error, TimeoutError):
            self._throttle.overloaded(epoch)
            return f"no reply within {self.params.deadline_seconds:g} s", False
        if isinstance(error, RefusedError):
            if error.reason.kind != ENDPOINT:
                raise error
            return error.reason.detail, False
        return "the body of the reply is no JSON", False

    def handle_error(self, error: ServerError, epoch: int) -> bool:
        """Return whether to wait for a server that said an error, False for one more attempt.

        Raises:
            RefusedError: Asking again would not help.
        """
        action, pause = choose_action(error), read_pause(error.headers)
        if action == "stop":
            self.stop(str(error))
        if action == "too long":
            raise RefusedError(TOO_LONG, error.message)
        if action == "refuse":
            raise RefusedError(ENDPOINT, str(error))
        if pause > self.params.max_wait_seconds:
            self.stop(f"{error}; it asks to wait {pause:.0f} s, more than endpoint.max_wait_seconds")
        if action == "wait":
            self._throttle.overloaded(epoch, pause)
        return action == "wait"

    def give_up(self, fault: str, attempts: int, is_waiting: bool, failing_since: float) -> None:
        """End a request that has failed too often, and the run if the server has answered none for too long.

        Raises:
            RefusedError: It is so.
        """
        if attempts >= self.params.max_attempts:
            raise RefusedError(ENDPOINT, fault)
        now = time.monotonic()
        if is_waiting and now - failing_since > self.params.max_wait_seconds:
            if now - self._throttle.last_reply_at > self.params.max_wait_seconds:
                self.stop(f"{fault}, for {self.params.max_wait_seconds:g} s")
            raise RefusedError(ENDPOINT, fault)

    def stop(self, fault: str) -> None:
        """End the run: every further request is refused for the same reason.

        Raises:
            StoppedError: Always.
        """
        self.stopped = self.stopped or StoppedError(STOPPED, fault)
        raise self.stopped
