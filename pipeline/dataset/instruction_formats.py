"""Understand rows of instructions in any of the formats in which they are given.

Formats  Alpaca              instruction, input or context, output; system, history ([[question, answer], …])
         messages            messages: [{role, content}] (LongAlign-10k, LongWriter, the chat format of TRL)
         ShareGPT            conversations: [{from, value}], system
         prompt and answer   prompt or question or query, then response, completion, answer or output (LongCite-45k);
                             both may be lists of messages, as in TRL

A conversation becomes one row: `turns` has all of it, the instruction has the earlier turns as text for whoever reads
no turns, and the output is the last answer. What a row has no place for, tools, reasoning and images, is a reason to
refuse it.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.records import Turn
from pipeline.rejections import Reason

PROMPTS = ("instruction", "prompt", "question", "query")
ANSWERS = ("output", "response", "completion", "answer")
CONTEXTS = ("input", "context")
TURNS = ("messages", "conversations", "conversation")
ROLES: dict[str, Literal["system", "user", "assistant"]] = {
    **dict.fromkeys(("human", "user", "prompter"), "user"),
    **dict.fromkeys(("gpt", "assistant", "chatgpt", "bing", "bard", "model"), "assistant"),
    "system": "system",
}
TOOLS = ("tools", "tool_calls", "functions", "function_call")
REASONING = ("reasoning_content", "reasoning", "thinking")
MEDIA = ("images", "image", "audios", "audio", "videos", "video")
NAMES = {"user": "User", "assistant": "Assistant"}
BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Row:
    """An instruction and its output, or why there are none."""

    instruction: str
    output: str
    format: str = ""
    fault: str = ""
    licence: str = ""  # as the row says, '' if it does not
    num_turns: int = 1
    turns: tuple[Turn, ...] = ()  # of a conversation with more than a question and an answer
    num_unanswered: int = 0  # turns after the last answer, which are left out


class RefusedError(Exception):
    """A row cannot be used; its text is the reason."""

    def __init__(self, kind: str, detail: str = "") -> None:
        """Take the reason's kind and detail."""
        super().__init__(str(Reason(kind, detail)))


def parse_row(row: object, columns: Mapping[str, str] | None = None) -> Row:
    """Return the instruction and output of a row in any of the formats, or what is wrong with it.

    `columns` maps a row's own names to those of a format: {'ctx': 'context'}.
    """
    given = row if isinstance(row, dict) else {}
    fields = {(columns or {}).get(name, name): value for name, value in given.items()}
    kind = name_format(fields)
    try:
        licence = read_text(fields, "licence").strip() or read_text(fields, "license").strip()
        refuse_unusable(fields)
        return join_turns(read_turns(fields), kind, licence)
    except RefusedError as refused:
        return Row("", "", kind, str(refused))


def name_format(fields: Mapping[str, Any]) -> str:
    """Return the name of a row's format."""
    turns = next((fields[key] for key in TURNS if isinstance(fields.get(key), list)), None)
    if turns is not None:
        return "sharegpt" if any(isinstance(turn, dict) and "from" in turn for turn in turns) else "messages"
    return "alpaca" if "instruction" in fields else "prompt and answer"


def refuse_unusable(fields: Mapping[str, Any]) -> None:
    """Raise RefusedError for what a row has no place for."""
    for kind, names in (("tools", TOOLS), ("reasoning", REASONING), ("media", MEDIA)):
        for name in names:
            if has_content(fields.get(name)):
                raise RefusedError(kind, f"'{name}', which a row has no place for")


def has_content(value: object) -> bool:
    """Whether a field says anything; NaN is how tables write that it does not."""
    is_missing = value is None or (isinstance(value, float) and math.isnan(value))
    return not is_missing and value not in ("", [], {}, "[]")


def read_turns(fields: Mapping[str, Any]) -> list[Turn]:
    """Return a row as turns."""
    turns: list[Turn] = []
    if system := read_text(fields, "system"):
        turns.append(Turn("system", system))
    for key in TURNS:
        if isinstance(fields.get(key), list):
            return [*turns, *parse_turns(fields[key], key)]
    turns += read_history(fields.get("history"))
    prompt, answer = (find_field(fields, names) for names in (PROMPTS, ANSWERS))
    turns += read_side(fields, prompt, "user")
    context = next((text for name in CONTEXTS if (text := read_text(fields, name))), "")
    if context and turns and turns[-1].role == "user":
        turns[-1] = Turn("user", f"{turns[-1].content}\n\n{context}")
    return [*turns, *read_side(fields, answer, "assistant")]


def find_field(fields: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return the first of some names that a row has content under, '' if none."""
    return next((name for name in names if has_content(fields.get(name))), "")


def read_side(fields: Mapping[str, Any], name: str, role: Literal["user", "assistant"]) -> list[Turn]:
    """Return a prompt or an answer as turns: a text is one, a list of messages is several."""
    value = fields.get(name)
    if isinstance(value, list) and value and all(isinstance(turn, dict) for turn in value):
        return parse_turns(value, name)
    text = read_text(fields, name)
    return [Turn(role, text)] if text else []


def read_history(history: object) -> list[Turn]:
    """Return LLaMA-Factory's history: pairs of question and answer, oldest first."""
    turns: list[Turn] = []
    if not has_content(history):
        return turns
    if not isinstance(history, list):
        raise RefusedError("not text", "'history' is no list of pairs")
    for pair in history:
        if not isinstance(pair, list | tuple) or len(pair) != len(NAMES):
            raise RefusedError("not text", "'history' is no list of pairs")
        turns += [Turn("user", as_text(pair[0], "history")), Turn("assistant", as_text(pair[1], "history"))]
    return turns


def parse_turns(turns: Iterable[object], name: str) -> list[Turn]:
    """Return messages as turns."""
    return [parse_turn(turn, name) for turn in turns if turn is not None]


def parse_turn(turn: object, name: str) -> Turn:
    """Return one message as a turn."""
    if not isinstance(turn, dict):
        raise RefusedError("not text", f"a {type(turn).__name__} in '{name}'")
    given = str(turn.get("role") or turn.get("from") or "").lower()
    if given not in ROLES:  # tools' answers, for example
        raise RefusedError("unknown role")
    refuse_unusable(turn)
    return Turn(ROLES[given], as_text(turn.get("content") if "content" in turn else turn.get("value"), name))


def read_text(fields: Mapping[str, Any], name: str) -> str:
    """Return the text of a field, '' if there is none."""
    return as_text(fields.get(name), name)


def as_text(value: object, name: str) -> str:
    """Return a value as text, without blank lines before it and blanks after it; the indent of code stays.

    Raises:
        RefusedError: It is no text: NaN, a list or object, or a text with half a character.
    """
    if value is None:
        return ""
    if isinstance(value, list) and value and all(isinstance(part, dict) and "text" in part for part in value):
        value = "".join(str(part["text"]) for part in value)
    if isinstance(value, float) and not math.isfinite(value):
        raise RefusedError("not text", f"{value} in '{name}'")
    if not isinstance(value, str | int | float):
        raise RefusedError("not text", f"a {type(value).__name__} in '{name}'")
    text = str(value)
    if SURROGATE.search(text):
        raise RefusedError("lone surrogate", f"in '{name}'")
    return BLANK_LINES.sub("", text).rstrip()


def join_turns(turns: list[Turn], kind: str, licence: str) -> Row:
    """Return the row of a conversation: the last answer, and all before it."""
    said = list(turns)
    while said and said[-1].role != "assistant":
        said.pop()  # a question that nobody answered
    users = [turn for turn in said if turn.role == "user"]
    if not said or not said[-1].content:
        fault = "no output" if any(turn.role == "user" for turn in turns) else "no instruction"
        return Row("", "", kind, fault, licence)
    if not any(turn.content for turn in users):
        return Row("", said[-1].content, kind, "no instruction", licence)
    is_single = [turn.role for turn in said] == ["user", "assistant"]
    return Row(
        write_turns(said[:-1]),
        said[-1].content,
        kind,
        "",
        licence,
        len(users),
        () if is_single else tuple(said),
        len(turns) - len(said),
    )


def write_turns(turns: Iterable[Turn]) -> str:
    """Return turns as one text: as they are where there is one question, else with who says what."""
    held = list(turns)
    system = [turn.content for turn in held if turn.role == "system" and turn.content]
    rest = [turn for turn in held if turn.role != "system"]
    words = [rest[0].content] if len(rest) == 1 else [f"{NAMES[turn.role]}: {turn.content}" for turn in rest]
    return "\n\n".join([*system, *words])
