"""Get an object of a schema out of the text of a reply, and tell a model what the schema asks for.

A server may enforce the schema, may promise JSON alone, or may promise nothing. So a text may have thinking before the
object, fences around it, a second object after it, trailing commas or control characters in it; all of that is read.
What is not whole is never completed.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

import json_repair
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.endpoint.errors import CUT_OFF, NOT_BY_SCHEMA, THINKING, RefusedError

CLOSED_THINKING = re.compile(r".*(?:</think(?:ing)?>|</reasoning>|\[/THINK\]|</seed:think>|◁/think▷)", re.DOTALL)
OPEN_THINKING = re.compile(r"\s*(?:<think(?:ing)?>|<reasoning>|\[THINK\]|<seed:think>|◁think▷)")
CHANNEL = re.compile(r".*<\|channel\|>final.*?<\|message\|>", re.DOTALL)  # gpt-oss, where a server does not parse it
MARKS_OF_THINKING = ("think", "THINK", "reasoning>", "channel|>")
LENIENT = json.JSONDecoder(strict=False)  # takes control characters within texts
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
ENDING = re.compile(r"[.!?…:;。！？।؟)\]}”’\"'»›」』》`|*_\d%‰°€$£¥]\s*$")
TYPES = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}


class StructuredReply(BaseModel):
    """The content of a reply that follows a JSON schema; each subclass is a schema."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def list_sentences(self) -> dict[str, str]:
        """Return the texts that must end as sentences do, by their names."""
        return {}


ReplyType = TypeVar("ReplyType", bound=StructuredReply)


@cache
def json_schema(schema: type[StructuredReply]) -> dict[str, Any]:
    """Return a schema as JSON; every field is required, as strict servers ask for."""
    definition = schema.model_json_schema()
    for part in (definition, *definition.get("$defs", {}).values()):
        part["required"] = list(part["properties"])
    return definition


@cache
def describe_fields(schema: type[StructuredReply]) -> str:
    """Return what to reply, in words: each field in its order with its limits.

    A grammar hides them from the model, and cuts a text in mid-word where it ends.
    """
    definition = json_schema(schema)
    fields = "\n".join(
        f'- "{name}": {describe_type(field, definition)}' for name, field in definition["properties"].items()
    )
    return (
        "Reply with one JSON object and nothing else: no thoughts, no fences. Its fields, in this order:\n"
        f"{fields}\nKeep each text below its limit, and end it as a sentence ends."
    )


def describe_type(field: dict[str, Any], definition: dict[str, Any]) -> str:
    """Return the type and the limits of a field in words."""
    about = f" ({field['description']})" if "description" in field else ""
    if "enum" in field:
        return f"one of {', '.join(map(json.dumps, field['enum']))}{about}"
    if field.get("type") == "array":
        items = describe_type(field["items"], definition)
        return f"a list of {describe_range(field.get('minItems', 0), field.get('maxItems'), '')}, each {items}{about}"
    if "$ref" in field:
        inner = definition["$defs"][field["$ref"].rpartition("/")[2]]["properties"]
        return "an object with " + ", ".join(
            f'"{name}": {describe_type(one, definition)}' for name, one in inner.items()
        )
    limits = describe_range(field.get("minLength", 0), field.get("maxLength"), " characters")
    if field.get("type") == "integer":
        limits = describe_range(field.get("minimum", 0), field.get("maximum"), "")
    return f"{TYPES[field['type']]}{f' of {limits}' if limits else ''}{about}"


def describe_range(least: int, most: int | None, unit: str) -> str:
    """Return '3 to 8', 'at least 3', or '' if there are no limits."""
    if most is not None:
        return f"{least} to {most}{unit}"
    return f"at least {least}{unit}" if least else ""


@cache
def without_limits(schema: type[StructuredReply]) -> dict[str, Any]:
    """Return a schema as JSON without limits, for servers that refuse them; they are in the prompt too."""
    limits = {"minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "pattern"}

    def strip(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: strip(value) for name, value in part.items() if name not in limits}
        return [strip(one) for one in part] if isinstance(part, list) else part

    stripped: dict[str, Any] = strip(json_schema(schema))
    return stripped


def parse_content(text: str, schema: type[ReplyType]) -> ReplyType:
    """Return the object of a schema in a text.

    Raises:
        RefusedError: There is none, it breaks the schema, or it was cut off.
    """
    fault = "json_invalid"
    for found in find_objects(without_thinking(text)):
        known = {name: value for name, value in found.items() if name in schema.model_fields}
        try:
            parsed = schema.model_validate(known)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            fault = f"{first['type']} at {where}" if where else first["type"]
        else:
            check_whole(parsed)
            return parsed
    raise RefusedError(NOT_BY_SCHEMA, fault, again=True)


def without_thinking(text: str) -> str:
    """Return a text without the thinking before its content.

    Raises:
        RefusedError: The thinking has no end.
    """
    if not any(mark in text for mark in MARKS_OF_THINKING):  # most replies: the patterns would read each of them thrice
        return text
    text = CHANNEL.sub("", text, count=1)
    content = CLOSED_THINKING.sub("", text, count=1)
    if OPEN_THINKING.match(content):
        raise RefusedError(THINKING, "the thinking has no end")
    return content


def find_objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects in a text, repaired where they are whole but wrong.

    Raises:
        RefusedError: The last one has no end.
    """
    position = 0
    if isinstance(whole := read_strictly(text), dict):  # most replies are an object and nothing else
        yield {name: clean(value) for name, value in whole.items()}
        return
    while (start := text.find("{", position)) >= 0:
        end = find_end(text, start)
        if end < 0:
            end = text.rfind("}") + 1  # a quotation mark too many hides the end: 'a 7" pipe'
            if end <= start or text[end:].strip().strip("`"):
                raise RefusedError(CUT_OFF, "in the middle of its JSON", again=True)
        found = read_object(text[start:end])
        if isinstance(found, dict):
            yield {name: clean(value) for name, value in found.items()}
        position = end


def find_end(text: str, start: int) -> int:
    """Return where the object that starts with the brace at `start` ends, -1 if it has no end."""
    depth, in_string, escaped = 0, False, False
    for position in range(start, len(text)):
        character = text[position]
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "{[":
            depth += 1
        elif character in "}]":
            depth -= 1
            if depth == 0:
                return position + 1
    return -1


def read_strictly(text: str) -> Any:
    """Return the value of a text that is JSON but for control characters, None if it is not."""
    try:
        return LENIENT.decode(text)
    except (ValueError, RecursionError):
        return None


def read_object(text: str) -> Any:
    """Return the value of a text in braces, by the standard if it keeps to it, else repaired."""
    if (found := read_strictly(text)) is not None:
        return found
    try:
        return json_repair.loads(text)
    except (ValueError, RecursionError):
        return None


def clean(value: Any) -> Any:
    """Return a value without characters that no text should have: controls, marks of direction, lone surrogates."""
    if isinstance(value, str):
        return UNPRINTABLE.sub("", value)
    if isinstance(value, list):
        return [clean(one) for one in value]
    return {name: clean(one) for name, one in value.items()} if isinstance(value, dict) else value


def check_whole(reply: StructuredReply) -> None:
    """Make sure that no text of a reply ends at its limit, or in the middle of a sentence that must be whole.

    Raises:
        RefusedError: One does.
    """
    for name, text, limit in list_texts(reply):
        if limit and len(text) >= limit:
            raise RefusedError(CUT_OFF, f"{name} ends at its limit of {limit} characters", again=True, final=True)
    for name, text in reply.list_sentences().items():
        if not ENDING.search(text):
            raise RefusedError(CUT_OFF, f"{name} ends with {text.strip()[-20:]!r}", again=True, final=True)


def list_texts(reply: BaseModel) -> Iterator[tuple[str, str, int]]:
    """Yield each text of a reply with its name and its limit, 0 for none."""
    for name, field in type(reply).model_fields.items():
        value = getattr(reply, name)
        if isinstance(value, str):
            limits = [one.max_length for one in field.metadata if hasattr(one, "max_length")]
            yield name, value, next(iter(limits), 0) or 0
        for one in value if isinstance(value, list) else ():
            if isinstance(one, BaseModel):
                yield from list_texts(one)
