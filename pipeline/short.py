"""Choose diverse short instructions, so that training on long ones keeps short abilities.

Reads   a file, a URL, or a dataset of the Hub: see pipeline/dataset/row_files.py and instruction_formats.py
Writes  OUT/examples-00000.parquet   short examples; each differs as much as can be from those before it
        OUT/rejected-00000.parquet   the rows that were not used, each with its reason
        OUT/report.json              the counts
Source  LongLoRA (arXiv 2309.12307) section 3.3: 3k of Stanford Alpaca beside 9k long ones, chosen for variety
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.cli import run_stage
from pipeline.dataset.diversity import choose_diverse
from pipeline.dataset.instruction_formats import Row, parse_row
from pipeline.dataset.row_files import read_rows
from pipeline.decontamination.evaluation_sets import read_sets
from pipeline.decontamination.ngram_index import build_index
from pipeline.decontamination.ngrams import normalise_words
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from pipeline.records import Example, make_example_id
from pipeline.rejections import Reason, count_reasons, list_rejections
from pipeline.storage.parquet import write_examples

TASK = "short"
log = logging.getLogger(__name__)


class ShortParams(Params):
    """Section `short` of params.yaml."""

    source: str  # a path, a URL, or 'hub:owner/name'
    licence: str  # of rows that do not name their own
    teacher: str  # who wrote the answers: a model, or 'human' with its venue
    num_examples: int = Field(ge=0)  # chosen at most
    repeated_similarity: float = Field(gt=0, le=1)  # cosine; from here on two instructions are repeats
    evaluation_sets: str  # a folder of evaluation sets; '' for none
    overlap_words: int = Field(ge=1)  # a row that shares a run of so many words with one is refused


class EvaluationSets:
    """The evaluation sets that no row may overlap with."""

    def __init__(self, params: ShortParams) -> None:
        """Read and index them."""
        pieces = list(read_sets(Path(params.evaluation_sets), "short")) if params.evaluation_sets else []
        self.questions = {normalise_words(piece.text) for piece in pieces if piece.is_question} - {""}
        self.index = build_index(pieces, params.overlap_words)

    def overlap_reason(self, row: Row) -> str:
        """Return the reason to refuse a row, '' without one."""
        if normalise_words(row.instruction) in self.questions:
            return "question of an evaluation set"
        places = self.index.look_up(f"{row.instruction}\n{row.output}")
        overlap = self.index.longest_overlap(places, places >= 0)
        return str(overlap) if overlap.num_words else ""


def make_examples(rows: Iterable[Any], params: ShortParams) -> Iterator[Example]:
    """Yield an example for each row; unusable ones have a reason."""
    tested = EvaluationSets(params)
    seen: set[str] = set()
    for number, given in enumerate(rows):
        row = parse_row(given)
        asked_twice = "instruction asked twice" if row.instruction in seen else ""
        reason = row.fault or asked_twice or tested.overlap_reason(row)
        seen.add(row.instruction)
        yield Example(
            example_id=make_example_id(TASK, row.instruction, row.output, ()),
            task=TASK,
            question=row.instruction,
            answer=row.output,
            teacher=params.teacher,
            licence=row.licence or params.licence,
            reason=f"{reason}: row {number}" if reason else "",
        )


def choose_examples(usable: list[Example], params: ShortParams) -> tuple[list[Example], list[Example]]:
    """Return the chosen examples in their order, and the others with their reasons."""
    by_text = sorted(usable, key=lambda example: example.example_id)
    texts = [example.question for example in by_text]
    chosen, repeats = choose_diverse(texts, params.num_examples, params.repeated_similarity)
    taken = set(chosen)
    left = [
        replace(
            example,
            reason=str(Reason("repeats an instruction", by_text[repeats[number]].example_id))
            if number in repeats
            else "not needed for variety",
        )
        for number, example in enumerate(by_text)
        if number not in taken
    ]
    return [by_text[number] for number in chosen], left


def run(params: ShortParams, *, out: Path) -> None:
    """Write the chosen examples, and the rejected ones with their reasons."""
    examples = list(make_examples(read_rows(params.source, "section 'short', key 'source'"), params))
    rejected = [example for example in examples if example.reason]
    accepted, left = choose_examples([example for example in examples if not example.reason], params)
    if not accepted:
        raise InputError(
            params.source,
            found=f"{len(rejected)} rows, none with an instruction and an output",
            expected="rows of Alpaca, ShareGPT or messages",
            fix="Name another file in short.source of params.yaml.",
        )
    refused = count_reasons(example.reason for example in [*rejected, *left])
    with replacing(out) as beside:
        beside.mkdir()
        write_examples(beside / "examples-00000.parquet", accepted)
        write_examples(beside / "rejected-00000.parquet", [*rejected, *left])
        write_json(beside / "report.json", {"accepted": len(accepted), "refused_by_reason": refused})
    log.info("short: %d examples in %s, %s", len(accepted), out, list_rejections(refused))


if __name__ == "__main__":
    run_stage(run)
