"""Take short instructions and answers from an Alpaca-format file, so that training on long ones forgets nothing.

Reads   a file, a URL, or a dataset of the Hub: objects with `instruction`, `input` and `output`
Writes  OUT/examples-00000.parquet   short examples
        OUT/rejected-00000.parquet   the rows that could not be used, each with its reason
Source  LongLoRA (arXiv 2309.12307) section 3.3: 3k short examples from Stanford Alpaca beside 9k long ones
"""

import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pooch

from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import replacing
from pipeline.params import Params
from pipeline.records import Example, example_id_of, write_examples
from pipeline.refusals import count_refusals, list_refusals

TASK = "short"
log = logging.getLogger(__name__)


class ShortParams(Params):
    """Section `short` of params.yaml."""

    source: str  # a path, a URL, or 'hub:owner/name'
    licence: str
    teacher: str  # who wrote the answers: a model, or 'human' with its venue


def read_alpaca(source: str) -> list[Any]:
    """Return the rows of an Alpaca-format JSON or JSON Lines file, or of the train split of a Hub dataset.

    Raises:
        InputError: It cannot be had, or it is not such a file.
    """
    if source.startswith("hub:"):
        return read_hub(source.removeprefix("hub:"))
    path = download(source) if source.startswith(("http://", "https://")) else Path(source)
    if not path.is_file():
        raise InputError(
            "section 'short', key 'source'",
            found=f"{source}, which is no file",
            wanted="a path, a URL, or 'hub:owner/name'",
            remedy="Mend short.source in params.yaml.",
        )
    try:
        text = path.read_text(encoding="utf-8")
        is_list = text.lstrip().startswith("[")
        rows = json.loads(text) if is_list else [json.loads(line) for line in text.split("\n") if line.strip()]
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(
            path, found=f"broken JSON ({error})", wanted="a list of objects, or an object a line", remedy="Mend it."
        ) from error
    return list(rows)


def read_hub(name: str) -> list[Any]:
    """Return the train split of a Hub dataset."""
    import datasets  # it takes a second to import, and only this source needs it

    try:
        return list(datasets.load_dataset(name, split="train"))
    except (OSError, ValueError) as error:
        raise InputError(
            "section 'short', key 'source'",
            found=f"hub:{name}, which cannot be loaded ({str(error).splitlines()[0]})",
            wanted="a dataset of the Hub with a train split",
            remedy="Check the name and the connection, or name a local file.",
        ) from error


def download(url: str) -> Path:
    """Return the local copy of a URL, made once."""
    try:
        return Path(pooch.retrieve(url, known_hash=None, progressbar=False))
    except (OSError, ValueError) as error:
        raise InputError(
            "section 'short', key 'source'",
            found=f"{url}, which cannot be had ({error})",
            wanted="a URL that answers",
            remedy="Check the address and the connection, or name a local file.",
        ) from error


def examples_of(rows: Iterable[Any], params: ShortParams) -> Iterator[Example]:
    """Yield an example for each row, those that cannot be used with a reason."""
    seen: set[str] = set()
    for number, row in enumerate(rows):
        question, answer = question_and_answer(row)
        reason = fault_of(question, answer, seen)
        seen.add(question)
        yield Example(
            example_id=example_id_of(TASK, question, answer, ()),
            task=TASK,
            question=question,
            answer=answer,
            teacher=params.teacher,
            licence=params.licence,
            reason=f"{reason}: row {number}" if reason else "",
        )


def question_and_answer(row: object) -> tuple[str, str]:
    """Return a row's instruction with its input below it, and its output; '' for what is missing."""
    fields = row if isinstance(row, dict) else {}
    instruction, context, output = (str(fields.get(key) or "").strip() for key in ("instruction", "input", "output"))
    return f"{instruction}\n\n{context}" if context else instruction, output


def fault_of(question: str, answer: str, seen: set[str]) -> str:
    """Return why a row cannot be used, '' if it can."""
    if not question:
        return "no instruction"
    if not answer:
        return "no output"
    return "instruction asked twice" if question in seen else ""


def run(params: ShortParams, *, out: Path) -> None:
    """Write the short examples, and the rows that could not be used."""
    examples = list(examples_of(read_alpaca(params.source), params))
    accepted = [example for example in examples if not example.reason]
    rejected = [example for example in examples if example.reason]
    if not accepted:
        raise InputError(
            params.source,
            found=f"{len(rejected)} rows, none with an instruction and an output",
            wanted="objects with 'instruction', 'input' and 'output'",
            remedy="Name an Alpaca-format file in short.source of params.yaml.",
        )
    with replacing(out) as beside:
        beside.mkdir()
        write_examples(beside / "examples-00000.parquet", accepted)
        write_examples(beside / "rejected-00000.parquet", rejected)
    refusals = list_refusals(count_refusals(example.reason for example in rejected))
    log.info("short: %d examples in %s, %s", len(accepted), out, refusals)


if __name__ == "__main__":
    run_stage(run)
