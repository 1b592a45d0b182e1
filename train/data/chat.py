"""Turn questions about documents into tokens and labels in a chat template, each row cut to fit.

Only the document is cut, around its evidence, never the question or the answer. A row that cannot be cut to fit is
refused with a reason. LongLoRA's script (arXiv 2309.12307) cut long rows from the right, and lost their answers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import datasets
from pydantic import Field
from transformers import PreTrainedTokenizerBase

from pipeline.dataset.evidence_window import cut_to_fit
from pipeline.errors import InputError
from pipeline.params import Params
from pipeline.records import MixedExample, Split, Turn
from pipeline.storage.parquet import RowGroup, mixed_groups, read_mixed_groups
from train.data.control_tokens import Piece, TextEncoder
from train.data.templates import Conversations
from train.data.token_cache import IGNORED, TOKENS, Row, as_tokens, generate_rows, prepare_rows

TEXT = datasets.Value("string")
FEATURES = datasets.Features(
    {"example_id": TEXT, "input_ids": TOKENS, "labels": TOKENS, "num_quoted": datasets.Value("int32"), "refused": TEXT}
)
MAX_CUTS = 3  # a template's tokens may merge with the text beside them, so that a first cut can miss by a few

Template = Literal["chat", "llama2"]  # the model's own chat template, or [INST]…[/INST] as in the original


@dataclass(frozen=True)
class FittedSplit:
    """The rows of a split that fit, as tokens and labels on disk, and the refused ones with their reasons."""

    rows: datasets.Dataset
    refused: list[dict[str, str]]
    num_quoted: int  # control tokens that the rows' texts quote


@dataclass(frozen=True)
class EncodedRow:
    """A row as tokens and labels."""

    ids: list[int]
    labels: list[int]
    num_quoted: int = 0  # control tokens that its text quotes, encoded as text
    refused: str = ""  # why it cannot be trained on; it has no tokens then


class PromptParams(Params):
    """The keys of section `sft` that say how a row is written."""

    prompt: Template
    enable_thinking: bool | None  # what the chat template gets under this name; null for nothing
    template_date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")  # what a chat template takes for today
    assistant_only: bool  # every answer of a conversation counts in the loss; false for the last one alone


class Prompter:
    """Writes rows in a chat template, and encodes them."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, params: PromptParams) -> None:
        """Check that the tokenizer can write conversations so.

        Raises:
            InputError: It has no chat template, or one that rows cannot be written in.
        """
        check_template(params.prompt, tokenizer)
        self.template = params.prompt
        self.eos_token = tokenizer.eos_token
        self.encoder = TextEncoder(tokenizer)
        self.conversations = Conversations(
            tokenizer,
            self.encoder,
            enable_thinking=params.enable_thinking,
            day=date.fromisoformat(params.template_date),
            learn_every_answer=params.assistant_only,
        )
        self.encode("", "", ())

    def encode(self, instruction: str, output: str, turns: Sequence[Turn]) -> EncodedRow:
        """Return the tokens of a row, and labels for its answer and what ends it."""
        if self.template == "llama2":
            pieces = [
                Piece("[INST]", is_template=True),
                Piece(instruction),
                Piece("[/INST]", is_template=True),
                Piece(output.removesuffix(self.eos_token), is_labelled=True),
                Piece(self.eos_token, is_template=True, is_labelled=True),
            ]
        else:
            pieces = self.conversations.write(turns or (Turn("user", instruction), Turn("assistant", output)))
        found = self.encoder.encode(pieces, add_special_tokens=self.template == "llama2")
        labels = [token if marked else IGNORED for token, marked in zip(found.ids, found.is_labelled, strict=True)]
        return EncodedRow(found.ids, labels, found.num_quoted)


def check_template(template: Template, tokenizer: PreTrainedTokenizerBase) -> None:
    """Raise an InputError if the tokenizer lacks what the prompt needs: a chat template, or an end-of-text token."""
    if template == "chat" and not tokenizer.chat_template:
        raise InputError(
            "sft.prompt",
            found="chat, for a tokenizer without a chat template",
            expected="a model that has one, or another prompt",
            fix="Set it to llama2, or use the chat model of the family as base.source.",
        )
    if template == "llama2" and not tokenizer.eos_token:
        raise InputError(
            "sft.prompt",
            found="llama2, for a tokenizer without an end-of-text token",
            expected="a token that ends an answer",
            fix="Set it to chat, or use another model.",
        )


def fit_split(dataset: Path, split: Split, prompter: Prompter, max_length: int, folder: Path) -> FittedSplit:
    """Read one split, cut its rows to fit, and store their tokens in FOLDER; every process calls this.

    Raises:
        InputError: No row is left to train on; a split to test with may be empty.
    """
    groups = mixed_groups(dataset, f"{split}*.parquet")

    def rows(groups: list[RowGroup]) -> Iterator[Row]:
        return fit_rows(groups, prompter, max_length)

    if not groups:
        if split == "train":
            raise no_row_fits(dataset, split, max_length, [])
        empty = datasets.Dataset.from_dict({"input_ids": [], "labels": []})
        return FittedSplit(empty, [], 0)
    found = prepare_rows(folder, split, lambda cache: generate_rows(rows, FEATURES, cache, len(groups), groups=groups))
    reasons = found["refused"][:]
    refused = [number for number, reason in enumerate(reasons) if reason]
    fitting = [number for number, reason in enumerate(reasons) if not reason]
    if not fitting and split == "train":
        raise no_row_fits(dataset, split, max_length, reasons)
    names = found.select(refused)["example_id"]
    return FittedSplit(
        found.select(fitting).select_columns(["input_ids", "labels"]),
        [
            {"example_id": name, "reason": reasons[number], "split": split}
            for name, number in zip(names, refused, strict=True)
        ],
        sum(found["num_quoted"][:]),
    )


def no_row_fits(dataset: Path, split: Split, max_length: int, reasons: Sequence[str]) -> InputError:
    """Return the error for a split without a row to train on."""
    said = f"{len(reasons)} refused" + "".join(f", the first because {reason}" for reason in reasons[:1])
    return InputError(
        f"{dataset}/{split}*.parquet",
        found=f"no row that fits ({said})" if reasons else "no row",
        expected=f"at least one row of at most {max_length} tokens with its evidence and its answer",
        fix="Raise sft.max_length, or mix more rows." if reasons else "Mix or import rows to train on.",
    )


def fit_rows(groups: Sequence[RowGroup], prompter: Prompter, max_length: int) -> Iterator[Row]:
    """Yield the tokens and labels of each row, or the reason why it is refused."""
    for row in read_mixed_groups(groups):
        fitted = fit_row(row, prompter, max_length)
        yield {
            "example_id": row.example.example_id,
            "input_ids": as_tokens(fitted.ids),
            "labels": as_tokens(fitted.labels),
            "num_quoted": fitted.num_quoted,
            "refused": fitted.refused,
        }


def fit_row(row: MixedExample, prompter: Prompter, max_length: int) -> EncodedRow:
    """Return a row whose documents are cut so that it has at most `max_length` tokens, or why that cannot be."""
    too_long = refuse(f"with its evidence it does not fit {max_length} tokens")
    if not row.output.strip():
        return refuse("it has no answer")
    try:
        max_tokens = max_length - len(prompter.encode("", "", ()).ids)
        for _ in range(MAX_CUTS):
            cut = cut_to_fit(row, max_tokens, prompter.encoder.count)
            if cut is None:
                return too_long
            encoded = prompter.encode(cut.instruction, cut.output, row.turns)
            if len(encoded.ids) <= max_length:
                return encoded
            max_tokens -= len(encoded.ids) - max_length
    except InputError as error:  # the template cannot write the row's turns
        return refuse(str(error))
    return too_long


def refuse(reason: str) -> EncodedRow:
    """Return a row that cannot be trained on."""
    return EncodedRow([], [], refused=reason)
