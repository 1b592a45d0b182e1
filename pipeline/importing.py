"""Turn rows from elsewhere (Alpaca, ShareGPT, messages) into a dataset to train on.

Reads   a file, a folder, a URL, or a dataset of the Hub: see pipeline/dataset/row_files.py for where rows may be, and
        instruction_formats.py for how they may look
Writes  OUT/train-*.parquet, test-*.parquet   rows as those of `mix`, with the licence of the source
        OUT/LongAlpaca-12k.json               the training rows as the original's loader reads them
        OUT/refused.jsonl                     one object a row that cannot be used: row, reason
        OUT/report.json                       the counts
        OUT/README.md                         a card, for the Hub
Source  LongAlpaca-12k.json and LongAlpaca-16k-length.json (arXiv 2309.12307), LongAlign-10k (2401.18058), LongCite-45k
        (2409.02897)

The documents are within the instructions already: no row has material or evidence. Rows that have the same
instruction are on the same side of the split, and so are those whose first question has the same beginning, which is
their document.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from pipeline.cli import run_stage
from pipeline.curation.licences import is_unknown
from pipeline.dataset.editions import length_bucket
from pipeline.dataset.instruction_formats import Row, parse_row
from pipeline.dataset.row_files import read_rows
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from pipeline.records import Example, MixedExample, Split, make_example_id
from pipeline.rejections import count_reasons, list_rejections
from pipeline.stable_order import hash_fraction
from pipeline.storage.row_writers import JsonWriter, RowWriter
from pipeline.tokenization.token_grid import count_tokens
from pipeline.tokenization.tokenizers import load_tokenizer

CLOSING = "Now the material ends."  # between document and question in the original's rows
BEGINNING = 2_000  # characters that identify a document
log = logging.getLogger(__name__)


class ImportingParams(Params):
    """Section `importing` of params.yaml."""

    source: str  # a path, a URL, or 'hub:owner/name', also with ':split' or ':config:split'
    columns: dict[str, str] = Field(default_factory=dict)  # names of the source, and what they are called here
    licence: str  # of rows without one of their own; '' or 'unknown' if unknown
    teacher: str  # who wrote the answers, if known
    test_fraction: float = Field(ge=0, lt=1)  # share of the documents whose rows are for testing
    max_tokens: int = Field(ge=1)  # longer rows are refused, not cut: where their evidence is, is unknown
    tokenizer: str  # counts num_tokens; see pipeline.tokenization.tokenizers.load_tokenizer
    seed: int


def find_fraction(row: MixedExample, seed: int) -> float:
    """Return a number in [0, 1) that is equal for rows about one document; the smallest are for testing."""
    asked = next((turn.content for turn in row.turns if turn.role == "user"), row.instruction)
    return hash_fraction(seed, asked[:BEGINNING])


def convert_row(row: Row, params: ImportingParams) -> MixedExample:
    """Convert a row to our dataset's; an unusable one has a reason."""
    _, closing, question = row.instruction.rpartition(CLOSING)
    licence = row.licence or params.licence
    example = Example(
        example_id=make_example_id("imported", row.instruction, row.output, ()),
        task=f"imported {row.format}",
        question=question.strip() if closing else row.instruction,
        answer=row.output,
        teacher=params.teacher,
        licence="" if is_unknown(licence) else licence,
        reason=row.fault,
    )
    return MixedExample(row.instruction, row.output, 0, (), example, row.turns)


class Importer:
    """Reads rows once, and keeps counts and reasons."""

    def __init__(self, params: ImportingParams, test_fraction: float) -> None:
        """Load the tokenizer."""
        self.params, self.test_fraction = params, test_fraction
        self.fractions: set[float] = set()  # one for each document
        self.num_unanswered = 0  # turns after the last answer of a conversation
        self.tokenizer = load_tokenizer(params.tokenizer)
        self.refused: list[dict[str, Any]] = []
        self.counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("formats", "licences", "lengths", "splits")
        }
        self._seen: set[str] = set()

    def rows(self) -> Iterator[tuple[Split, MixedExample]]:
        """Yield the rows that can be used, each with its side."""
        for number, given in enumerate(read_rows(self.params.source, "section 'importing', key 'source'")):
            parsed = parse_row(given, self.params.columns)
            row = self.counted(convert_row(parsed, self.params))
            if row.example.reason:
                self.refused.append({"row": number, "reason": row.example.reason})
                continue
            fraction = find_fraction(row, self.params.seed)
            split: Split = "test" if fraction < self.test_fraction else "train"
            self.fractions.add(fraction)
            self.num_unanswered += parsed.num_unanswered
            self._seen.add(row.example.example_id)
            self.counts["formats"][row.example.task.removeprefix("imported ")] += 1
            self.counts["licences"][row.example.licence or "unknown"] += 1
            self.counts["lengths"][length_bucket(row.num_tokens)] += 1
            self.counts["splits"][split] += 1
            yield split, row

    def counted(self, row: MixedExample) -> MixedExample:
        """Count the tokens of a row; a repeated or too long one gets a reason."""
        if row.example.reason:
            return row
        reason = "repeated row" if row.example.example_id in self._seen else ""
        num_tokens = 0 if reason else sum(count_tokens(self.tokenizer, text) for text in (row.instruction, row.output))
        if num_tokens > self.params.max_tokens:
            reason = f"long: more than {self.params.max_tokens} tokens"
        return replace(row, num_tokens=num_tokens, example=replace(row.example, reason=reason))


def run(params: ImportingParams, *, out: Path) -> None:
    """Write the usable rows, and the reasons for the others.

    A set in which no document happens to be for testing is read again, with its first one for testing.
    """
    with replacing(out) as beside:
        beside.mkdir()
        importer = import_rows(params, params.test_fraction, beside)
        if params.test_fraction and not importer.counts["splits"]["test"] and len(importer.fractions) > 1:
            importer = import_rows(params, sorted(importer.fractions)[1], beside)
        reasons = count_reasons(row["reason"] for row in importer.refused)
        with (beside / "refused.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in importer.refused)
        counts = {"refused_by_reason": reasons, "unanswered_turns_left_out": importer.num_unanswered}
        write_json(beside / "report.json", {**importer.counts, **counts})
        (beside / "README.md").write_text(make_card(params, importer.counts, reasons), encoding="utf-8")
    splits = importer.counts["splits"]
    log.info(
        "import: %d train and %d test rows in %s, %s", splits["train"], splits["test"], out, list_rejections(reasons)
    )


def make_card(params: ImportingParams, counts: dict[str, Counter[str]], reasons: dict[str, int]) -> str:
    """Return the card of imported rows, from their counts."""
    licences = sorted(counts["licences"])
    files = [{"split": split, "path": f"{split}-*.parquet"} for split in ("train", "test") if counts["splits"][split]]
    header = {
        "license": licences[0].lower() if len(licences) == 1 and licences != ["unknown"] else "other",
        "task_categories": ["question-answering"],
        "configs": [{"config_name": "default", "data_files": files}],
    }
    rows = [("source", params.source), ("teacher", params.teacher)]
    rows += [(f"{split} rows", f"{counts['splits'][split]:,}") for split in ("train", "test")]
    rows += [(f"licence {name}", f"{number:,}") for name, number in sorted(counts["licences"].items())]
    rows += [(f"format {name}", f"{number:,}") for name, number in sorted(counts["formats"].items())]
    rows += [(f"refused: {name}", f"{number:,}") for name, number in reasons.items()]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    head = yaml.safe_dump(header, sort_keys=False)
    title = "# Imported rows\n\nRows of others, in the columns of longalpaca."
    return f"---\n{head}---\n{title}\n\n| | |\n|---|---|\n{table}\n"


def import_rows(params: ImportingParams, test_fraction: float, folder: Path) -> Importer:
    """Write the usable rows to a folder and return what was counted.

    Raises:
        InputError: No row can be used.
    """
    importer = Importer(params, test_fraction)
    rows = importer.rows()
    first = next(rows, None)
    if first is None:
        reasons = count_reasons(row["reason"] for row in importer.refused)
        raise InputError(
            "section 'importing', key 'source'",
            found=f"{params.source}, with no row that can be used: {list_rejections(reasons)}",
            expected="rows of Alpaca, ShareGPT, messages, or prompt and answer",
            fix="Name another file, or the columns that hold question and answer in importing.columns.",
        )
    write_all(folder, chain([first], rows))
    return importer


def write_all(folder: Path, rows: Iterator[tuple[Split, MixedExample]]) -> None:
    """Write rows to the files of their side, and the training rows as JSON, too."""
    with ExitStack() as stack:
        files = {split: stack.enter_context(RowWriter(folder, split)) for split in ("train", "test")}
        original = stack.enter_context(JsonWriter(folder / "LongAlpaca-12k.json"))
        for split, row in rows:
            files[split].write(row)
            if split == "train":
                original.write(row)


if __name__ == "__main__":
    run_stage(run)
