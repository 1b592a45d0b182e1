"""Turn rows from elsewhere (Alpaca, ShareGPT, messages) into a dataset to train on.

Reads   a file, a folder, a URL, or a dataset of the Hub: see pipeline/dataset/instruction_formats.py for the formats
Writes  OUT/train-*.parquet, test-*.parquet   rows as those of `mix`, with the licence of the source
        OUT/LongAlpaca-12k.json               the training rows as the original's loader reads them
        OUT/refused.jsonl                     one object a row that cannot be used: row, reason
        OUT/report.json                       the counts
Source  LongAlpaca-12k.json and LongAlpaca-16k-length.json (arXiv 2309.12307), LongAlign-10k (2401.18058), LongCite-45k
        (2409.02897)

The documents are within the instructions already: no row has material or evidence. Rows that have the same
instruction are on the same side of the split, and so are those that have the same beginning, which is their document.
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

from pydantic import Field

from pipeline.cli import run_stage
from pipeline.curation.licences import is_unknown
from pipeline.dataset.editions import length_bucket
from pipeline.dataset.instruction_formats import parse_row, read_rows
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

    source: str  # a path, a URL, or 'hub:owner/name'
    licence: str  # of rows without one of their own; '' or 'unknown' if unknown
    teacher: str  # who wrote the answers, if known
    test_fraction: float = Field(ge=0, lt=1)  # share of the documents whose rows are for testing
    max_tokens: int = Field(ge=1)  # longer rows are refused, not cut: where their evidence is, is unknown
    tokenizer: str  # counts num_tokens; see pipeline.tokenization.tokenizers.load_tokenizer
    seed: int


def assign_split(instruction: str, params: ImportingParams) -> Split:
    """Assign a row to train or test by a hash of the beginning of its instruction."""
    return "test" if hash_fraction(params.seed, instruction[:BEGINNING]) < params.test_fraction else "train"


def convert_row(given: object, params: ImportingParams) -> MixedExample:
    """Convert a row to our dataset's; an unusable one has a reason."""
    row = parse_row(given)
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
    return MixedExample(row.instruction, row.output, 0, (), example)


class Importer:
    """Reads rows once, and keeps counts and reasons."""

    def __init__(self, params: ImportingParams) -> None:
        """Load the tokenizer."""
        self.params = params
        self.tokenizer = load_tokenizer(params.tokenizer)
        self.refused: list[dict[str, Any]] = []
        self.counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("formats", "licences", "lengths", "splits")
        }
        self._seen: set[str] = set()

    def rows(self) -> Iterator[tuple[Split, MixedExample]]:
        """Yield the rows that can be used, each with its side."""
        for number, given in enumerate(read_rows(self.params.source, "section 'importing', key 'source'")):
            row = self.counted(convert_row(given, self.params))
            if row.example.reason:
                self.refused.append({"row": number, "reason": row.example.reason})
                continue
            split = assign_split(row.instruction, self.params)
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
    """Write the usable rows, and the reasons for the others."""
    importer = Importer(params)
    rows = importer.rows()
    first = next(rows, None)
    reasons = count_reasons(row["reason"] for row in importer.refused)
    if first is None:
        raise InputError(
            params.source,
            found=f"no row that can be used: {list_rejections(reasons)}",
            expected="rows of Alpaca, ShareGPT, messages, or prompt and answer",
            fix="Name another file in importing.source of params.yaml.",
        )
    with replacing(out) as beside:
        beside.mkdir()
        write_all(beside, chain([first], rows))
        reasons = count_reasons(row["reason"] for row in importer.refused)
        with (beside / "refused.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in importer.refused)
        write_json(beside / "report.json", {**importer.counts, "refused_by_reason": reasons})
    splits = importer.counts["splits"]
    log.info(
        "import: %d train and %d test rows in %s, %s", splits["train"], splits["test"], out, list_rejections(reasons)
    )


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
