"""Read rows of instructions from anywhere, in any of the formats in which they are given.

Formats  Alpaca              instruction, input, output (LongAlpaca-12k.json and -16k-length.json have no input)
         messages            messages: [{role, content}] (LongAlign-10k, LongWriter, the chat format of TRL)
         ShareGPT            conversations: [{from, value}]
         prompt and answer   prompt or question or query, then response, completion, answer or output (LongCite-45k)

A list of several turns becomes one row: the instruction has the earlier turns, and the output is the last answer.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pooch
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError

PROMPTS = ("instruction", "prompt", "question", "query")
ANSWERS = ("output", "response", "completion", "answer")
TURNS = ("messages", "conversations", "conversation")
ROLES = {"human": "user", "user": "user", "prompter": "user", "gpt": "assistant", "assistant": "assistant"}
ROLES |= {"chatgpt": "assistant", "bing": "assistant", "bard": "assistant", "model": "assistant", "system": "system"}
NAMES = {"user": "User", "assistant": "Assistant"}
BATCH_ROWS = 64


@dataclass(frozen=True)
class Row:
    """An instruction and its output, or why there are none."""

    instruction: str
    output: str
    format: str = ""
    fault: str = ""
    licence: str = ""  # as the row says, '' if it does not
    num_turns: int = 1


def read_rows(source: str, where: str) -> Iterator[Any]:
    """Yield the rows of a JSON, JSON Lines or Parquet file, a folder of such, a URL, or a Hub dataset's train split.

    Args:
        source: A path, a URL, or 'hub:owner/name'.
        where: What to name in an error, as "section 'short', key 'source'".

    Raises:
        InputError: It cannot be read, or has another format.
    """
    if source.startswith("hub:"):
        yield from read_hub_rows(source.removeprefix("hub:"), where)
        return
    path = download(source, where) if source.startswith(("http://", "https://")) else Path(source)
    files = (
        sorted(p for p in path.rglob("*") if p.suffix in (".json", ".jsonl", ".parquet")) if path.is_dir() else [path]
    )
    if not files or not files[0].is_file():
        raise InputError(
            where,
            found=f"{source}, which does not exist",
            expected="a path, a URL, or 'hub:owner/name'",
            fix="Correct the name.",
        )
    for file in files:
        yield from read_file_rows(file)


def read_file_rows(path: Path) -> Iterator[Any]:
    """Yield the rows of one file; its first bytes tell the format."""
    try:
        with path.open("rb") as file:
            start = file.read(4_096).lstrip(b"\xef\xbb\xbf \t\r\n")
        if start.startswith(b"PAR1"):
            with pq.ParquetFile(path) as parquet:
                for batch in parquet.iter_batches(BATCH_ROWS):
                    yield from batch.to_pylist()
        elif start.startswith(b"["):
            yield from json.loads(path.read_text(encoding="utf-8-sig"))
        else:
            with path.open(encoding="utf-8-sig", newline="\n") as lines:
                yield from (json.loads(line) for line in lines if line.strip())
    except (UnicodeDecodeError, json.JSONDecodeError, pa.ArrowInvalid) as error:
        raise InputError(
            path, found=f"broken JSON ({error})", expected="a list of objects, or an object per line", fix="Correct it."
        ) from error


def read_hub_rows(name: str, where: str) -> Iterator[Any]:
    """Yield the train split of a Hub dataset, streamed."""
    import datasets  # it takes a second to import, and only this source needs it

    try:
        yield from datasets.load_dataset(name, split="train", streaming=True)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise InputError(
            where,
            found=f"hub:{name}, which cannot be loaded ({str(error).splitlines()[0]})",
            expected="a dataset of the Hub with a train split",
            fix="Check the name and the connection, or name a local file.",
        ) from error


def download(url: str, where: str) -> Path:
    """Return the local copy of a URL, made once."""
    try:
        return Path(pooch.retrieve(url, known_hash=None, progressbar=False))
    except (OSError, ValueError) as error:
        raise InputError(
            where,
            found=f"{url}, which cannot be downloaded ({error})",
            expected="a URL that responds",
            fix="Check the address and the connection, or name a local file.",
        ) from error


def parse_row(row: object) -> Row:
    """Return the instruction and output of a row in any of the formats, or what is wrong with it."""
    fields = row if isinstance(row, dict) else {}
    licence = str(fields.get("licence") or fields.get("license") or "").strip()
    turns = next((fields[key] for key in TURNS if isinstance(fields.get(key), list)), None)
    if turns is not None:
        return join_turns(turns, licence)
    prompt = next((words for key in PROMPTS if (words := as_text(fields.get(key)))), "")
    answer = next((words for key in ANSWERS if (words := as_text(fields.get(key)))), "")
    context = as_text(fields.get("input"))
    kind = "alpaca" if "instruction" in fields else "prompt and answer"
    fault = "no instruction" if not prompt else "" if answer else "no output"
    return Row(f"{prompt}\n\n{context}" if context else prompt, answer, kind, fault, licence)


def as_text(value: object) -> str:
    """Return a value as text; a list of messages, as TRL's prompt may be, as the content of the last."""
    if isinstance(value, list) and value and isinstance(value[-1], dict):
        return as_text(value[-1].get("content"))
    return "" if value is None else str(value).strip()


def join_turns(turns: list[Any], licence: str) -> Row:
    """Return the row of a list of turns: the last answer, and all before it."""
    said = [turn for turn in map(parse_turn, turns) if turn]
    kind = "sharegpt" if any(isinstance(turn, dict) and "from" in turn for turn in turns) else "messages"
    while said and said[-1][0] != "assistant":
        said.pop()  # a question that nobody answered
    if not said or not said[-1][1]:
        return Row("", "", kind, "no output", licence)
    before = said[:-1]
    users = [text for role, text in before if role == "user"]
    if not users:
        return Row("", said[-1][1], kind, "no instruction", licence)
    if any(not role for role, _ in said):
        return Row("", "", kind, "unknown role", licence)
    return Row(write_turns(before), said[-1][1], kind, "", licence, len(users))


def parse_turn(turn: object) -> tuple[str, str] | None:
    """Return the role and words of a turn; an unknown role is ''."""
    if not isinstance(turn, dict):
        return None
    role = str(turn.get("role") or turn.get("from") or "").lower()
    return ROLES.get(role, ""), as_text(turn.get("content") if "content" in turn else turn.get("value"))


def write_turns(turns: Iterable[tuple[str, str]]) -> str:
    """Return turns as one text: as they are where there is one question, else with who says what."""
    held = list(turns)
    system = [text for role, text in held if role == "system" and text]
    rest = [(role, text) for role, text in held if role != "system"]
    words = [rest[0][1]] if len(rest) == 1 else [f"{NAMES.get(role, role)}: {text}" for role, text in rest]
    return "\n\n".join([*system, *words])
