"""Extend the context: continue pre-training on long documents with S2-Attn and scaled positions.

Reads   MODEL         a plain model, of stage `base`
        DOCUMENTS     documents; those whose split is 'train' are used, unless `text_dataset` names other texts
Writes  OUT           a plain model with its tokenizer; config.json holds the scaled positions
        OUT/metrics.json, OUT/log.jsonl, OUT/training.json
Source  LongLoRA (arXiv 2309.12307), section 3 and appendix B.1. Unlike there, documents in a row do not attend to each
        other.
"""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from pydantic import Field
from transformers import PretrainedConfig, set_seed

from pipeline.cli import run_stage
from pipeline.files import replacing, write_json
from train.attention.context_parallel import count_processes
from train.data.documents import TextDatasetParams, load_token_rows
from train.recipe import TrainingParams
from train.rope import RopeParams, count_positions, scale_rope
from train.trainer.activations import return_freed_memory_to_os
from train.trainer.checkpoints import checkpoint_folder, remove_intermediate_files, train_or_resume
from train.trainer.licence_files import copy_licence_files
from train.trainer.lora import count_trainable, make_trainable
from train.trainer.loss import LongTrainer
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
from train.trainer.saving import load_plain_model, save_trained, write_training_settings

log = logging.getLogger(__name__)


class ExtendParams(TrainingParams):
    """Section `extend` of the recipe."""

    rope: RopeParams
    text_dataset: TextDatasetParams | None  # null for DOCUMENTS
    num_steps: int = Field(ge=1)  # of the optimizer


def run(params: ExtendParams, *, model: Path, documents: Path, out: Path, resume_anyway: bool = False) -> None:
    """Train MODEL on long rows of DOCUMENTS and write it, merged, to OUT."""
    quiet_libraries()
    return_freed_memory_to_os()
    recipe, params = params, with_dtype_here(params)
    set_seed(params.seed)
    config = load_model_config(model)
    scale_rope(config, params.rope, params.max_length)
    check_before_loading(params, config, out, "extend", is_packed=True)
    tokenizer = load_tokenizer(model)
    tokenizer.model_max_length = count_positions(config)
    rows = load_token_rows(
        documents, params.text_dataset, tokenizer, count_tokens_needed(params), checkpoint_folder(out)
    )
    adapted = make_trainable(load_model(model, params, config, "extend", is_packed=True), params, "extend")
    known = {
        "control_tokens_quoted": sum(rows["num_quoted"][:]),
        "documents": len(rows),
        "trainable_parameters": count_trainable(adapted),
    }
    arguments = make_trl_config(params, out, max_steps=params.num_steps, num_epochs=1, packing=True, eval_steps=0)
    trainer = build_trainer(
        adapted, tokenizer, arguments, params, "token", train_dataset=rows.select_columns(["input_ids"])
    )
    train_or_resume(trainer, recipe, model, resume_anyway=resume_anyway)
    write_outputs(trainer, recipe, config, model, out, known)
    remove_intermediate_files(trainer)


def count_tokens_needed(params: ExtendParams) -> int:
    """Return how many tokens all steps take, in all processes."""
    rows = params.num_steps * params.accumulation_steps * params.batch_size * count_processes()
    return rows // params.sequence_parallel * params.max_length


def write_outputs(
    trainer: LongTrainer,
    recipe: ExtendParams,
    config: PretrainedConfig,
    model: Path,
    out: Path,
    known: dict[str, Any],
) -> None:
    """Write the merged model with its tokenizer, log and metrics; every process calls this, the first writes."""
    with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
        save_trained(trainer, Path(folder))
        if not trainer.accelerator.is_main_process:
            return
        with replacing(out) as beside:
            plain = load_plain_model(model, Path(folder), config, getattr(torch, recipe.dtype))
            plain.save_pretrained(beside)
            trainer.processing_class.save_pretrained(beside)
            copy_licence_files(model, beside)
            losses = write_log(beside / "log.jsonl", trainer.state.log_history)
            metrics = collect_metrics(trainer, losses, known)
            write_json(beside / "metrics.json", metrics)
            write_training_settings(recipe, beside)
            make_readable(beside)
    log.info(
        "extend: %d steps on %d tokens of %d documents, %d positions, loss %.3f -> %.3f, in %s",
        metrics["steps"],
        metrics["tokens_seen"],
        metrics["documents"],
        count_positions(config),
        losses[0],
        losses[-1],
        out,
    )


def collect_metrics(trainer: LongTrainer, losses: list[float], known: dict[str, Any]) -> dict[str, Any]:
    """Return the metrics of the stage, without any time, so that equal runs write equal bytes."""
    return {
        "steps": trainer.state.global_step,
        "rows": len(trainer.train_dataset),
        "tokens_seen": int(trainer.state.num_input_tokens_seen) // trainer.params.sequence_parallel,
        "first_loss": losses[0],
        "last_loss": losses[-1],
        **known,
    }


if __name__ == "__main__":
    run_stage(run)
