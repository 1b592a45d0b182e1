"""Turn questions about documents into tokens and labels in a chat template, each row cut to fit.

Only the document is cut, around its evidence, never the question or the answer. A row that cannot be cut to fit is
refused with a reason. LongLoRA's script (arXiv 2309.12307) cut long rows from the right, and lost their answers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import datasets
from transformers import PreTrainedTokenizerBase

from pipeline.dataset.evidence_window import cut_to_fit
from pipeline.errors import InputError
from pipeline.records import MixedExample, Split
from pipeline.storage.parquet import RowGroup, mixed_groups, read_mixed_groups
from train.data.token_cache import IGNORED, TOKENS, Row, as_tokens, generate_rows, prepare_rows

TEXT = datasets.Value("string")
FEATURES = datasets.Features({"example_id": TEXT, "input_ids": TOKENS, "labels": TOKENS, "refused": TEXT})
MAX_CUTS = 3  # a template's tokens may merge with the text beside them, so that a first cut can miss by a few

Template = Literal["chat", "llama2"]  # the model's own chat template, or [INST]…[/INST] as in the original


@dataclass(frozen=True)
class FittedSplit:
    """The rows of a split that fit, as tokens and labels on disk, and the refused ones with their reasons."""

    rows: datasets.Dataset
    refused: list[dict[str, str]]


@dataclass(frozen=True)
class Prompt:
    """A row as text: the prompt, and the prompt with its answer."""

    asked: str  # the prompt alone
    whole: str  # the prompt and the answer


@dataclass(frozen=True)
class EncodedRow:
    """A row as tokens and labels."""

    ids: list[int]
    labels: list[int]
    refused: str = ""  # why it cannot be trained on; it has no tokens then


WITHOUT_ANSWER = EncodedRow([], [], "its template leaves out the answer")


def check_template(template: Template, tokenizer: PreTrainedTokenizerBase) -> None:
    """Raise an InputError if `chat` is asked for and the tokenizer has no chat template."""
    if template == "chat" and not tokenizer.chat_template:
        raise InputError(
            "sft.prompt",
            found="chat, for a tokenizer without a chat template",
            expected="a model that has one, or another prompt",
            fix="Set it to llama2, or use the chat model of the family as base.source.",
        )


def fit_split(
    dataset: Path, split: Split, tokenizer: PreTrainedTokenizerBase, template: Template, max_length: int, folder: Path
) -> FittedSplit:
    """Read one split, cut its rows to fit, and store their tokens in FOLDER; every process calls this.

    Raises:
        InputError: No row is left.
    """
    groups = mixed_groups(dataset, f"{split}*.parquet")

    def rows(groups: list[RowGroup]) -> Iterator[Row]:
        return fit_rows(groups, tokenizer, template, max_length)

    if not groups:
        raise no_row_fits(dataset, split, max_length, [])
    found = prepare_rows(folder, split, lambda cache: generate_rows(rows, FEATURES, cache, len(groups), groups=groups))
    reasons = found["refused"][:]
    refused = [number for number, reason in enumerate(reasons) if reason]
    fitting = [number for number, reason in enumerate(reasons) if not reason]
    if not fitting:
        raise no_row_fits(dataset, split, max_length, reasons)
    names = found.select(refused)["example_id"]
    return FittedSplit(
        found.select(fitting).select_columns(["input_ids", "labels"]),
        [
            {"example_id": name, "reason": reasons[number], "split": split}
            for name, number in zip(names, refused, strict=True)
        ],
    )


def no_row_fits(dataset: Path, split: Split, max_length: int, reasons: Sequence[str]) -> InputError:
    """Return the error for a split without a row to train on."""
    said = f"{len(reasons)} refused" + "".join(f", the first because {reason}" for reason in reasons[:1])
    return InputError(
        f"{dataset}/{split}*.parquet",
        found=f"no row that fits ({said})",
        expected=f"at least one row of at most {max_length} tokens with its evidence and its answer",
        fix="Raise sft.max_length, or mix more rows.",
    )


def fit_rows(
    groups: Sequence[RowGroup], tokenizer: PreTrainedTokenizerBase, template: Template, max_length: int
) -> Iterator[Row]:
    """Yield the tokens and labels of each row, or the reason why it is refused."""
    for row in read_mixed_groups(groups):
        fitted = fit_row(row, tokenizer, template, max_length)
        yield {
            "example_id": row.example.example_id,
            "input_ids": as_tokens(fitted.ids),
            "labels": as_tokens(fitted.labels),
            "refused": fitted.refused,
        }


def fit_row(row: MixedExample, tokenizer: PreTrainedTokenizerBase, template: Template, max_length: int) -> EncodedRow:
    """Return a row whose documents are cut so that it has at most `max_length` tokens, or why that cannot be."""
    too_long = EncodedRow([], [], f"with its evidence it does not fit {max_length} tokens")
    max_tokens = max_length - len(encode_prompt(render_prompt("", "", template, tokenizer).whole, template, tokenizer))
    for _ in range(MAX_CUTS):
        cut = cut_to_fit(row, max_tokens, lambda text: len(tokenize(text, tokenizer)))
        if cut is None:
            return too_long
        prompt = render_prompt(cut.instruction, cut.output, template, tokenizer)
        ids = encode_prompt(prompt.whole, template, tokenizer)
        if len(ids) <= max_length:
            labels = make_labels(ids, encode_prompt(prompt.asked, template, tokenizer))
            return WITHOUT_ANSWER if labels[-1:] in ([], [IGNORED]) else EncodedRow(ids, labels)
        max_tokens -= len(ids) - max_length
    return too_long


def render_prompt(instruction: str, output: str, template: Template, tokenizer: PreTrainedTokenizerBase) -> Prompt:
    """Return a row in its template, with the end-of-answer token."""
    if template == "llama2":
        asked = f"[INST]{instruction}[/INST]"
        return Prompt(asked, f"{asked}{output.removesuffix(tokenizer.eos_token)}{tokenizer.eos_token}")
    question, answer = {"role": "user", "content": instruction}, {"role": "assistant", "content": output}
    return Prompt(
        tokenizer.apply_chat_template([question], tokenize=False, add_generation_prompt=True),
        tokenizer.apply_chat_template([question, answer], tokenize=False),
    )


def make_labels(ids: list[int], asked: list[int]) -> list[int]:
    """Return the labels of a row: `IGNORED` for the prompt, the tokens of the answer.

    The prompt's last tokens may merge with the answer's first ones, so the answer starts where `ids` first differ from
    the tokens of the prompt alone: for ids (5, 6, 9) and a prompt (5, 6, 7) at the 9.
    """
    differing = (i for i, (one, other) in enumerate(zip(ids, asked, strict=False)) if one != other)
    num_asked = next(differing, min(len(ids), len(asked)))
    return [IGNORED] * num_asked + ids[num_asked:]


def encode_prompt(text: str, template: Template, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the tokens of a row or its prompt, with special tokens unless a chat template wrote them already."""
    ids: list[int] = tokenizer(text, add_special_tokens=template != "chat", verbose=False)["input_ids"]
    return ids


def tokenize(text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the tokens of a text without special tokens; it may be longer than the model's positions."""
    ids: list[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    return ids
