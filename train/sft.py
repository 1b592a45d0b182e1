"""Supervised fine-tuning on questions about long documents, with the loss on the answers only.

Reads   MODEL      a plain model, of stage `extend`
        DATASET    train*.parquet and test*.parquet, of stage `mix`
Writes  OUT        the trained weights with the tokenizer: adapter_model.safetensors, or the whole model
        OUT/metrics.json, OUT/log.jsonl, OUT/refused.jsonl, OUT/training.json
Source  LongLoRA (arXiv 2309.12307), section 4.3. Its script cut long rows from the right and lost their answers;
        here the document is cut to fit, and a row that cannot be cut to fit is refused and counted.
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import datasets
import pyarrow.compute as pc
from pydantic import Field
from transformers import PreTrainedTokenizerBase, set_seed

from pipeline.cli import run_stage
from pipeline.files import replacing, write_json
from pipeline.records import Split
from train.data.chat import FittedSplit, Prompter, PromptParams, fit_split
from train.data.token_cache import BATCH_ROWS, IGNORED, count_row_tokens
from train.recipe import TrainingParams
from train.trainer.activations import return_freed_memory_to_os
from train.trainer.answer_loss import AnswerLoss
from train.trainer.checkpoints import CheckpointTrainer, checkpoint_folder, remove_intermediate_files, train_or_resume
from train.trainer.licence_files import copy_licence_files
from train.trainer.lora import count_trainable, make_trainable
from train.trainer.loss import LossWeighting
from train.trainer.model import (
    build_trainer,
    load_model,
    load_model_config,
    load_tokenizer,
    make_readable,
    make_trl_config,
    write_log,
)
from train.trainer.precision import with_dtype_here
from train.trainer.preflight import check_before_loading
from train.trainer.quiet import quiet_libraries
from train.trainer.saving import replacing_on_main, save_trained, write_training_settings

log = logging.getLogger(__name__)


class SftParams(TrainingParams, PromptParams):
    """Section `sft` of the recipe."""

    packing: bool  # pack short rows into one of `max_length`; they do not attend to each other
    loss_weighting: LossWeighting  # whether each answer token counts the same, or each answer
    eval_steps: int = Field(ge=0)  # steps from one evaluation on the test rows to the next; 0 for before and after only
    num_epochs: int = Field(ge=1)


@dataclass(frozen=True)
class Splits:
    """The rows to train on, and the held-out ones."""

    train: FittedSplit
    test: FittedSplit


def run(params: SftParams, *, model: Path, dataset: Path, out: Path, resume_anyway: bool = False) -> None:
    """Train MODEL on the answers of DATASET and write the trained weights to OUT."""
    quiet_libraries()
    return_freed_memory_to_os()
    recipe, params = params, with_dtype_here(params)
    set_seed(params.seed)
    config = load_model_config(model)
    check_before_loading(params, config, out, "sft", is_packed=params.packing)
    tokenizer = load_tokenizer(model)
    splits = fit_splits(params, dataset, tokenizer, checkpoint_folder(out))
    loaded = load_model(model, params, config, "sft", is_packed=params.packing)
    adapted = make_trainable(loaded, params, "sft")
    trainable = count_trainable(adapted)
    arguments = make_trl_config(
        params,
        out,
        max_steps=-1,
        num_epochs=params.num_epochs,
        packing=params.packing,
        eval_steps=params.eval_steps if len(splits.test.rows) else 0,
    )
    trainer = build_trainer(
        adapted,
        tokenizer,
        arguments,
        params,
        params.loss_weighting,
        train_dataset=splits.train.rows,
        eval_dataset=splits.test.rows if len(splits.test.rows) else None,
    )
    check_nothing_dropped(trainer, splits)
    answers = AnswerLoss(trainer, params)
    trainer.add_callback(answers)
    train_or_resume(trainer, recipe, model, resume_anyway=resume_anyway)
    write_outputs(trainer, recipe, splits, trainable, answers, model, out)
    remove_intermediate_files(trainer)


def fit_splits(params: SftParams, dataset: Path, tokenizer: PreTrainedTokenizerBase, folder: Path) -> Splits:
    """Return both splits; their tokens are on disk, in FOLDER."""
    prompter = Prompter(tokenizer, params)
    if prompter.template == "chat" and (unprompted := prompter.conversations.unprompted):
        log.warning(
            "sft: the chat template writes %r before an answer, but not when it asks for one. It does not count in the "
            "loss; sft.enable_thinking may make both equal",
            unprompted,
        )

    def fitted(split: Split) -> FittedSplit:
        return fit_split(dataset, split, prompter, params.max_length, folder)

    return Splits(fitted("train"), fitted("test"))


def write_outputs(
    trainer: CheckpointTrainer,
    recipe: SftParams,
    splits: Splits,
    trainable: dict[str, int],
    answers: AnswerLoss,
    model: Path,
    out: Path,
) -> None:
    """Write the trained weights, log, metrics and refused rows; every process calls this, the first writes."""
    after = answers.measure()
    with replacing_on_main(trainer, out) as beside:
        save_trained(trainer, beside)
        if not trainer.accelerator.is_main_process:
            return
        trainer.processing_class.save_pretrained(beside)
        copy_licence_files(model, beside)
        losses = write_log(beside / "log.jsonl", trainer.state.log_history)
        refused = {"train": splits.train.refused, "test": splits.test.refused}
        write_refused(beside / "refused.jsonl", [*refused["train"], *refused["test"]])
        metrics = {
            "answer_nll": {"before": answers.before, "after": after},
            "control_tokens_quoted": {"train": splits.train.num_quoted, "test": splits.test.num_quoted},
            "first_loss": losses[0],
            "last_loss": losses[-1],
            "refused": {name: len(rows) for name, rows in refused.items()},
            "steps": trainer.state.global_step,
            "test": summarise_rows(splits.test.rows),
            "train": summarise_rows(trainer.train_dataset),
            "trainable_parameters": trainable,
        }
        write_json(beside / "metrics.json", metrics)
        write_training_settings(recipe, beside)
        make_readable(beside)
    log.info(
        "sft: %d steps on %d rows, %d refused, %s, in %s",
        trainer.state.global_step,
        len(splits.train.rows),
        len(refused["train"]) + len(refused["test"]),
        describe_answer_loss(len(splits.test.rows), answers.before, after),
        out,
    )


def describe_answer_loss(num_rows: int, before: float | None, after: float | None) -> str:
    """Return the loss of the answers on held-out rows, for the closing line."""
    if after is None:
        return "no held-out row"
    start = "unknown" if before is None else f"{before:.3f}"
    return f"answer NLL on {num_rows} held-out rows {start} -> {after:.3f} nats a token"


def check_nothing_dropped(trainer: CheckpointTrainer, splits: Splits) -> None:
    """Raise a RuntimeError unless TRL kept every row; it silently drops rows without a label."""
    for name, rows, fitted in (
        ("train", trainer.train_dataset, splits.train),
        ("test", trainer.eval_dataset, splits.test),
    ):
        num_kept = 0 if rows is None else count_unpacked_rows(rows)
        if num_kept != len(fitted.rows):
            raise RuntimeError(f"TRL kept {num_kept} of {len(fitted.rows)} {name} rows")


def count_unpacked_rows(rows: datasets.Dataset) -> int:
    """Return the number of rows before packing."""
    if "seq_lengths" not in rows.column_names:
        return len(rows)
    return sum(len(packed) for packed in rows["seq_lengths"])


def summarise_rows(rows: datasets.Dataset) -> dict[str, int]:
    """Return the numbers of rows before packing, of tokens, and of answer tokens."""
    answer_tokens = 0
    for batch in rows.select_columns(["labels"]).with_format("arrow").iter(batch_size=BATCH_ROWS):
        answer_tokens += pc.sum(pc.not_equal(pc.list_flatten(batch["labels"]), IGNORED)).as_py() or 0
    return {"rows": count_unpacked_rows(rows), "tokens": sum(count_row_tokens(rows)), "answer_tokens": answer_tokens}


def write_refused(path: Path, refused: list[dict[str, str]]) -> None:
    """Write the refused rows with their reasons as JSON lines."""
    with replacing(path) as beside:
        beside.write_text("".join(json.dumps(row, sort_keys=True) + "\n" for row in refused), encoding="utf-8")


if __name__ == "__main__":
    run_stage(run)
