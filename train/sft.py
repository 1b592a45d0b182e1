"""Supervised fine-tuning on questions about long documents: the loss is on the answers alone.

Reads   MODEL      a plain model, of stage `extend`
        DATASET    train*.parquet and test*.parquet, of stage `mix`
Writes  OUT/adapter_model.safetensors, adapter_config.json and the tokenizer: all that was trained
        OUT/metrics.json, OUT/log.jsonl, OUT/refused.jsonl
Source  LongLoRA (arXiv 2309.12307), section 4.3. Its script cut long rows from the right and lost their answers;
        here the document is cut to fit, and a row that cannot fit is refused and counted.
"""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import datasets
from transformers import PreTrainedTokenizerBase, set_seed

from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.fit import cut_to_fit
from pipeline.records import MixedExample, Split, read_mixed
from train.lora import count_trainable, save_adapter, with_lora
from train.loss import IGNORED, LongTrainer, answer_nll
from train.progress import quiet
from train.recipe import TrainingParams
from train.trainer import (
    load_config,
    load_model,
    load_tokenizer,
    make_readable,
    trainer_of,
    training_config,
    write_log,
)

MAX_CUTS = 3  # a template's tokens may merge with the text beside them, so that a first cut can miss by a few

log = logging.getLogger(__name__)

Prompt = dict[str, Any]  # a row as TRL takes it: prompt and completion


class SftParams(TrainingParams):
    """Section `sft` of the recipe."""

    prompt: Literal["chat", "llama2"]  # the model's own chat template, or [INST]…[/INST] as in the original
    num_epochs: int


@dataclass(frozen=True)
class Fitted:
    """The rows of a split that fit, as TRL takes them, and why the others do not."""

    rows: list[Prompt]
    refused: list[dict[str, str]]


def run(params: SftParams, *, model: Path, dataset: Path, out: Path) -> None:
    """Train MODEL on the answers of DATASET and write the adapter to OUT."""
    quiet()
    set_seed(params.seed)
    config = load_config(model)
    tokenizer = load_tokenizer(model)
    train_set, test_set = (fitted_split(dataset, split, tokenizer, params) for split in ("train", "test"))
    adapted = with_lora(load_model(model, params, config), params, "sft")
    trainable = count_trainable(adapted)
    with replacing(out) as beside:
        arguments = training_config(params, beside, max_steps=-1, num_epochs=params.num_epochs, packing=False)
        trainer = trainer_of(
            adapted,
            tokenizer,
            arguments,
            train_dataset=datasets.Dataset.from_list(train_set.rows),
            eval_dataset=datasets.Dataset.from_list(test_set.rows),
        )
        check_nothing_dropped(trainer, train_set, test_set)
        before = answer_nll(adapted, trainer.eval_dataset, params)
        trainer.train()
        after = answer_nll(adapted, trainer.eval_dataset, params)
        save_adapter(adapted, beside)
        tokenizer.save_pretrained(beside)
        losses = write_log(beside / "log.jsonl", trainer.state.log_history)
        write_refused(beside / "refused.jsonl", [*train_set.refused, *test_set.refused])
        metrics = {
            "answer_nll": {"before": before, "after": after},
            "first_loss": losses[0],
            "last_loss": losses[-1],
            "refused": {"train": len(train_set.refused), "test": len(test_set.refused)},
            "steps": trainer.state.global_step,
            "test": counts(trainer.eval_dataset),
            "train": counts(trainer.train_dataset),
            "trainable_parameters": trainable,
        }
        write_json(beside / "metrics.json", metrics)
        make_readable(beside)
    log.info(
        "sft: %d steps on %d rows, %d refused, answer NLL on %d held-out rows %.3f -> %.3f nats a token, in %s",
        trainer.state.global_step,
        len(train_set.rows),
        len(train_set.refused) + len(test_set.refused),
        len(test_set.rows),
        before,
        after,
        out,
    )


def fitted_split(folder: Path, split: Split, tokenizer: PreTrainedTokenizerBase, params: SftParams) -> Fitted:
    """Read one split and cut its rows to fit.

    Raises:
        InputError: No row is left.
    """
    fitted = fit_all(read_mixed(folder, f"{split}*.parquet"), split, tokenizer, params)
    if not fitted.rows:
        raise InputError(
            f"{folder}/{split}*.parquet",
            found=f"no row that fits ({len(fitted.refused)} refused)",
            wanted=f"at least one row of at most {params.max_length} tokens with its evidence",
            remedy="Raise sft.max_length, or mix more rows.",
        )
    return fitted


def fit_all(
    rows: Iterable[MixedExample], split: Split, tokenizer: PreTrainedTokenizerBase, params: SftParams
) -> Fitted:
    """Cut the documents of each row to fit `max_length`, and say which rows cannot."""
    fitted, refused = [], []
    for row in rows:
        cut = cut_to_length(row, params.max_length, tokenizer, params)
        if cut is None:
            reason = f"with its evidence it does not fit {params.max_length} tokens"
            refused.append({"example_id": row.example.example_id, "reason": reason, "split": split})
        else:
            fitted.append(prompt_of(cut.instruction, cut.output, params))
    return Fitted(fitted, refused)


def cut_to_length(
    row: MixedExample, max_length: int, tokenizer: PreTrainedTokenizerBase, params: SftParams
) -> MixedExample | None:
    """Cut a row so that it has at most `max_length` tokens in the prompt's template."""
    max_tokens = max_length - num_prompt_tokens(prompt_of("", "", params), tokenizer)
    for _ in range(MAX_CUTS):
        cut = cut_to_fit(row, max_tokens, lambda text: len(tokenize(text, tokenizer)))
        if cut is None:
            return None
        excess = num_prompt_tokens(prompt_of(cut.instruction, cut.output, params), tokenizer) - max_length
        if excess <= 0:
            return cut
        max_tokens -= excess
    return None


def prompt_of(instruction: str, output: str, params: SftParams) -> Prompt:
    """Return a row as TRL takes it, so that only the answer is learned."""
    if params.prompt == "llama2":
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


def check_nothing_dropped(trainer: LongTrainer, train_set: Fitted, test_set: Fitted) -> None:
    """Raise a RuntimeError unless TRL trains on every row handed in: it drops rows without a label silently."""
    for name, rows, fitted in (
        ("train", trainer.train_dataset, train_set),
        ("test", trainer.eval_dataset, test_set),
    ):
        if len(rows) != len(fitted.rows):
            raise RuntimeError(f"TRL kept {len(rows)} of {len(fitted.rows)} {name} rows")


def counts(rows: datasets.Dataset) -> dict[str, int]:
    """Return rows, tokens, and tokens of answers."""
    return {
        "rows": len(rows),
        "tokens": sum(len(row["input_ids"]) for row in rows),
        "answer_tokens": sum(label != IGNORED for row in rows for label in row["labels"]),
    }


def write_refused(path: Path, refused: list[dict[str, str]]) -> None:
    """Write the refused rows with their reasons as JSON lines."""
    with replacing(path) as beside:
        beside.write_text("".join(json.dumps(row, sort_keys=True) + "\n" for row in refused), encoding="utf-8")


if __name__ == "__main__":
    run_stage(run)
