"""Find out at the start whether a server answers, with which model, and how it can be held to a schema.

The ways are tried from the strictest: a schema that it enforces, one without limits, JSON, and text. Prose is asked for
where a schema is enforced, so that only a server that does so can reply with JSON.
"""

import logging
from collections.abc import Iterator
from typing import Protocol

from pydantic import Field

from pipeline.endpoint.endpoint_params import EndpointParams, StructuredMode
from pipeline.endpoint.errors import (
    BUDGET,
    ENDPOINT,
    NOT_BY_SCHEMA,
    OTHER_MODEL,
    STOPPED,
    THINKING,
    RefusedError,
    find_fix,
)
from pipeline.endpoint.request_body import Format, Messages
from pipeline.endpoint.structured import StructuredReply, describe_fields
from pipeline.errors import InputError

log = logging.getLogger(__name__)

PROSE = "Write two sentences about the sea, in plain prose, without any JSON."
PLAIN = "Reply with the word kestrel."
HINTS = {  # what a server's complaint names -> what to do
    "max_completion_tokens": "Set endpoint.reply_limit_field to max_completion_tokens.",
    "max_tokens": "Set endpoint.reply_limit_field to max_completion_tokens, or lower endpoint.max_reply_tokens.",
    "temperature": "Set endpoint.temperature to null, so that it is left out, or to the value that it names.",
    "stream": "Set endpoint.stream to true.",
}


class SchemaCheck(StructuredReply):
    """What the server must reply at the start; prose or another word shows that it ignores schemas."""

    word: str = Field(pattern="^kestrel$", min_length=1, max_length=32, json_schema_extra={"enum": ["kestrel"]})


class Server(Protocol):
    """What can be asked in one way or another."""

    params: EndpointParams

    async def try_format(self, way: Format, messages: Messages, schema: type[StructuredReply]) -> None:
        """Ask once in a way of holding the server to a schema; a reply that does not follow it is refused."""


async def check_server(endpoint: Server) -> Format:
    """Return the way in which a server follows a schema.

    Raises:
        InputError: There is none, or the server does not answer as it should.
        RefusedError: The budget does not allow the question.
    """
    faults: dict[str, RefusedError] = {}
    for way in list_formats(endpoint.params):
        text = PROSE if way.mode == "json_schema" else f"{PLAIN}\n\n{describe_fields(SchemaCheck)}"
        try:
            await endpoint.try_format(way, [{"role": "user", "content": text}], SchemaCheck)
        except RefusedError as error:
            if error.reason.kind == BUDGET:
                raise
            faults[f"{way.mode}{'' if way.has_limits else ' without limits'}"] = error
            if is_hopeless(error):
                break
        else:
            if faults:
                said = "; ".join(f"not by {name}: {error}" for name, error in faults.items())
                log.info("the endpoint follows schemas by %s; %s", way.mode, said)
            return way
    raise explain_faults(faults, endpoint.params)


def list_formats(params: EndpointParams) -> Iterator[Format]:
    """Yield the ways to try, the strictest first."""
    modes: tuple[StructuredMode, ...] = ("json_schema", "json_object", "none")
    for mode in modes:
        if params.structured_output in ("auto", mode):
            yield Format(mode)
            if mode == "json_schema":
                yield Format(mode, has_limits=False)


def is_hopeless(error: RefusedError) -> bool:
    """Say whether no other way can help."""
    kind, detail = error.reason.kind, error.reason.detail
    return kind in (STOPPED, OTHER_MODEL, THINKING) or (kind == ENDPOINT and not detail.startswith("status 4"))


def explain_faults(faults: dict[str, RefusedError], params: EndpointParams) -> InputError:
    """Return the error that says what the server replied, and what to do about it."""
    first = next(iter(faults.values()))
    said = {str(error): way for way, error in reversed(faults.items())}
    found = str(first) if len(said) == 1 else "; ".join(f"{error} (by {way})" for error, way in reversed(said.items()))
    return InputError(
        f"the endpoint {params.base_url}",
        found=found,
        expected=f"the model {params.model}, whose replies follow the schema that they are asked for",
        fix=suggest_fix(faults, params),
    )


def suggest_fix(faults: dict[str, RefusedError], params: EndpointParams) -> str:
    """Return what to do, by what the server complains of."""
    said = " ".join(str(error) for error in faults.values())
    kinds = [error.reason.kind for error in faults.values()]
    for name in params.extra_body:
        if name in said:
            return f"Remove {name} from endpoint.extra_body: the server does not know it (docs/teachers.md)."
    if "status 4" in said and kinds[0] != STOPPED:
        for name, fix in HINTS.items():
            if name in said:
                return fix
    if "status 404" in said:
        ends = "" if params.base_url.rstrip("/").endswith("/v1") else f", and try {params.base_url.rstrip('/')}/v1"
        return f"Check endpoint.base_url and endpoint.model{ends}."
    if "status 401" in said or "status 403" in said:
        return "Name the variable with the right key in endpoint.api_key_variable."
    if "status 402" in said:
        return find_fix(STOPPED)
    if "no connection" in said:
        return "Start the server, or fix endpoint.base_url."
    if kinds[0] == NOT_BY_SCHEMA:
        return "Start a server with structured output (response_format json_schema), or fix the parameters."
    return find_fix(kinds[0])
