"""Prompts of questions about documents, as a model is trained on them, each cut to fit.

The document is cut, around its evidence, and never the question or the answer. A row that cannot fit is refused with a
reason. LongLoRA's script (arXiv 2309.12307) cut long rows from the right, and with them their answers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from transformers import PreTrainedTokenizerBase

from pipeline.errors import InputError
from pipeline.fit import cut_to_fit
from pipeline.records import MixedExample, Split, read_mixed

MAX_CUTS = 3  # a template's tokens may merge with the text beside them, so that a first cut can miss by a few

Prompt = dict[str, Any]  # a row as TRL takes it: prompt and completion
Template = Literal["chat", "llama2"]  # the model's own chat template, or [INST]…[/INST] as in the original


@dataclass(frozen=True)
class Fitted:
    """The rows of a split that fit, as TRL takes them, and why the others do not."""

    rows: list[Prompt]
    refused: list[dict[str, str]]


def check_template(template: Template, tokenizer: PreTrainedTokenizerBase) -> None:
    """Raise an InputError where the model has no template of its own."""
    if template == "chat" and not tokenizer.chat_template:
        raise InputError(
            "sft.prompt",
            found="chat, for a tokenizer without a chat template",
            wanted="a model that has one, or another prompt",
            remedy="Set it to llama2, or take the chat model of the family as base.source.",
        )


def fitted_split(
    folder: Path, split: Split, tokenizer: PreTrainedTokenizerBase, template: Template, max_length: int
) -> Fitted:
    """Read one split and cut its rows to fit.

    Raises:
        InputError: No row is left.
    """
    fitted = fit_all(read_mixed(folder, f"{split}*.parquet"), split, tokenizer, template, max_length)
    if not fitted.rows:
        raise InputError(
            f"{folder}/{split}*.parquet",
            found=f"no row that fits ({len(fitted.refused)} refused)",
            wanted=f"at least one row of at most {max_length} tokens with its evidence",
            remedy="Raise sft.max_length, or mix more rows.",
        )
    return fitted


def fit_all(
    rows: Iterable[MixedExample],
    split: Split,
    tokenizer: PreTrainedTokenizerBase,
    template: Template,
    max_length: int,
) -> Fitted:
    """Cut the documents of each row to fit `max_length`, and say which rows cannot."""
    fitted, refused = [], []
    for row in rows:
        cut = cut_to_length(row, tokenizer, template, max_length)
        if cut is None:
            reason = f"with its evidence it does not fit {max_length} tokens"
            refused.append({"example_id": row.example.example_id, "reason": reason, "split": split})
        else:
            fitted.append(prompt_of(cut.instruction, cut.output, template))
    return Fitted(fitted, refused)


def cut_to_length(
    row: MixedExample, tokenizer: PreTrainedTokenizerBase, template: Template, max_length: int
) -> MixedExample | None:
    """Cut a row so that it has at most `max_length` tokens in the prompt's template."""
    max_tokens = max_length - num_prompt_tokens(prompt_of("", "", template), tokenizer)
    for _ in range(MAX_CUTS):
        cut = cut_to_fit(row, max_tokens, lambda text: len(tokenize(text, tokenizer)))
        if cut is None:
            return None
        excess = num_prompt_tokens(prompt_of(cut.instruction, cut.output, template), tokenizer) - max_length
        if excess <= 0:
            return cut
        max_tokens -= excess
    return None


def prompt_of(instruction: str, output: str, template: Template) -> Prompt:
    """Return a row as TRL takes it, so that only the answer is learned."""
    if template == "llama2":
        return {"prompt": f"[INST]{instruction}[/INST]", "completion": output}
    return {
        "prompt": [{"role": "user", "content": instruction}],
        "completion": [{"role": "assistant", "content": output}],
    }


def num_prompt_tokens(row: Prompt, tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the tokens of a whole row, as TRL makes them."""
    if isinstance(row["prompt"], str):
        return len(tokenizer(row["prompt"] + row["completion"] + tokenizer.eos_token, verbose=False)["input_ids"])
    text = tokenizer.apply_chat_template(row["prompt"] + row["completion"], tokenize=False)
    return len(tokenize(text, tokenizer))


def tokenize(text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the tokens of a text without any added; it may be longer than the model's positions."""
    ids: list[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    return ids
