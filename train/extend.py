"""Extend the context: continue pre-training on long documents with S2-Attn and scaled positions.

Reads   MODEL         a plain model, of stage `base`
        DOCUMENTS     documents; those whose split is 'train' are used
Writes  OUT           a plain model with its tokenizer; config.json holds the scaled positions
        OUT/metrics.json, OUT/log.jsonl
Source  LongLoRA (arXiv 2309.12307), section 3 and appendix B.1. Unlike there, a row's documents do not see each other.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import datasets
import torch
from transformers import PreTrainedTokenizerBase, set_seed

from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.records import read_documents
from train.lora import count_trainable, merged, with_lora
from train.loss import LongTrainer
from train.progress import quiet
from train.recipe import TrainingParams
from train.rope import RopeParams, scale_rope
from train.trainer import (
    load_config,
    load_model,
    load_tokenizer,
    make_readable,
    trainer_of,
    training_config,
    write_log,
)

log = logging.getLogger(__name__)


class ExtendParams(TrainingParams):
    """Section `extend` of the recipe."""

    rope: RopeParams
    num_steps: int  # of the optimizer


def run(params: ExtendParams, *, model: Path, documents: Path, out: Path) -> None:
    """Train MODEL on long rows of DOCUMENTS and write it, merged, to OUT."""
    quiet()
    set_seed(params.seed)
    config = load_config(model)
    scale_rope(config, params.rope, params.max_length)
    tokenizer = load_tokenizer(model)
    tokenizer.model_max_length = config.max_position_embeddings
    adapted = with_lora(load_model(model, params, config), params, "extend")
    trainable = count_trainable(adapted)
    with TemporaryDirectory() as cache, replacing(out) as beside:
        rows = token_rows(documents, tokenizer, cache)
        arguments = training_config(params, beside, max_steps=params.num_steps, num_epochs=1, packing=True)
        trainer = trainer_of(adapted, tokenizer, arguments, train_dataset=rows)
        trainer.train()
        plain = merged(adapted, getattr(torch, params.dtype))
        del plain.config.s2_group_size  # of this step alone
        plain.config.use_cache = True  # the trainer switches it off to recompute activations
        plain.save_pretrained(beside)
        tokenizer.save_pretrained(beside)
        losses = write_log(beside / "log.jsonl", trainer.state.log_history)
        metrics = metrics_of(trainer, losses, trainable)
        write_json(beside / "metrics.json", metrics)
        make_readable(beside)
    log.info(
        "extend: %d steps on %d tokens of %d documents, %d positions, loss %.3f -> %.3f, in %s",
        metrics["steps"],
        metrics["tokens_seen"],
        len(rows),
        config.max_position_embeddings,
        losses[0],
        losses[-1],
        out,
    )


def token_rows(folder: Path, tokenizer: PreTrainedTokenizerBase, cache: str) -> datasets.Dataset:
    """Return the tokens of the documents to train on, one row each; they lie in `cache`, not in memory.

    Raises:
        InputError: There is no document to train on.
    """
    try:
        return datasets.Dataset.from_generator(
            tokens_of, gen_kwargs={"folder": folder, "tokenizer": tokenizer}, cache_dir=cache
        )
    except datasets.exceptions.DatasetGenerationError as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from error
        raise


def tokens_of(folder: Path, tokenizer: PreTrainedTokenizerBase) -> Iterator[dict[str, list[int]]]:
    """Yield the tokens of each document to train on, ended by the token that ends a text."""
    is_empty = True
    for document in read_documents(folder):
        if document.split == "train" and document.text:
            ids = tokenizer(document.text, add_special_tokens=False, verbose=False)["input_ids"]
            yield {"input_ids": [*ids, tokenizer.eos_token_id]}
            is_empty = False
    if is_empty:
        raise no_documents(folder)


def metrics_of(trainer: LongTrainer, losses: list[float], trainable: dict[str, int]) -> dict[str, Any]:
    """Return what the report says about this step; no clock, so that equal runs are equal."""
    return {
        "steps": trainer.state.global_step,
        "rows": len(trainer.train_dataset),
        "tokens_seen": int(trainer.state.num_input_tokens_seen),
        "first_loss": losses[0],
        "last_loss": losses[-1],
        "trainable_parameters": trainable,
    }


def no_documents(folder: Path) -> InputError:
    """Return the fault of a folder without a document to train on."""
    return InputError(
        folder,
        found="no document with text whose split is 'train'",
        wanted="at least one",
        remedy="Add sources, or lower curate.test_fraction.",
    )


if __name__ == "__main__":
    run_stage(run)
