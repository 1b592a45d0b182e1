"""What both steps of training share: loading a model, TRL's trainer, and what is written down."""

import json
import sys
from pathlib import Path
from typing import Any

import datasets
import torch
import transformers
from peft import PeftModel
from safetensors import SafetensorError
from torch.utils.checkpoint import create_selective_checkpoint_contexts
from transformers import AutoModelForCausalLM, AutoTokenizer, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.trainer_callback import PrinterCallback
from trl import SFTConfig

import train.attention  # noqa: F401 - makes "s2" known
from pipeline.errors import InputError
from pipeline.files import replacing
from train.loss import LongTrainer
from train.recipe import TrainingParams


def load_model(folder: Path, params: TrainingParams, config: PretrainedConfig) -> PreTrainedModel:
    """Load a model for training with S2-Attn, whose group size is the recipe's.

    Raises:
        InputError: The folder holds no model that can be read.
    """
    config.s2_group_size = params.group_size
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            folder, config=config, dtype=getattr(torch, params.dtype), attn_implementation="s2", use_safetensors=True
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise no_model(folder, error) from error
    return model


def load_config(folder: Path) -> PretrainedConfig:
    """Load a model's config.

    Raises:
        InputError: The folder holds none that can be read.
    """
    if not folder.is_dir():
        raise InputError(
            folder, found="no such folder", wanted="a model", remedy="Run the stage that writes it: 'dvc repro'."
        )
    try:
        return transformers.AutoConfig.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise no_model(folder, error) from error


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Load a model's tokenizer.

    Raises:
        InputError: The folder holds none that can be read.
    """
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise no_model(folder, error) from error
    return tokenizer


def no_model(folder: Path, error: Exception) -> InputError:
    """Return the fault of a folder without a readable model."""
    reason = " ".join(str(error).split())[:200]
    return InputError(
        folder,
        found=f"no model that transformers can read ({reason})",
        wanted="config.json, safetensors and a tokenizer",
        remedy="Run the stage that writes it again, or name another folder.",
    )


def training_config(
    params: TrainingParams, output: Path, *, max_steps: int, num_epochs: float, packing: bool
) -> SFTConfig:
    """Return TRL's configuration; `max_steps` of -1 leaves the end to `num_epochs`."""
    on_cpu = not torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(output),
        max_steps=max_steps,
        num_train_epochs=num_epochs,
        max_length=params.max_length,
        packing=packing,
        packing_strategy="bfd_split",
        learning_rate=params.learning_rate,
        lr_scheduler_type="constant_with_warmup",
        warmup_steps=params.warmup_steps,
        weight_decay=0.0,
        per_device_train_batch_size=params.batch_size,
        gradient_accumulation_steps=params.accumulation_steps,
        gradient_checkpointing=params.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False, "context_fn": keep_attention},
        bf16=params.dtype == "bfloat16",
        fp16=params.dtype == "float16",
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        seed=params.seed,
        data_seed=params.seed,
        save_strategy="no",
        logging_steps=1,
        include_num_input_tokens_seen="all",
        report_to="none",
        disable_tqdm=not sys.stderr.isatty(),
    )


def keep_attention() -> Any:
    """Keep what attention returned and recompute the rest of a layer: of all of it, attention is what costs most.

    TRL's `selective` does the same, but hooks a method that transformers no longer calls.
    """
    names = ("flash_attention", "efficient_attention", "cudnn_attention", "flash_attention_for_cpu")
    ops = [getattr(torch.ops.aten, f"_scaled_dot_product_{name}").default for name in names]
    ops.append(torch.ops.longalpaca.s2_attention.default)
    return create_selective_checkpoint_contexts(ops)  # type: ignore[no-untyped-call]


def trainer_of(
    model: PeftModel, tokenizer: PreTrainedTokenizerBase, config: SFTConfig, **rows: datasets.Dataset
) -> LongTrainer:
    """Return a trainer that shows its progress on a terminal and is quiet elsewhere."""
    trainer = LongTrainer(model=model, args=config, processing_class=tokenizer, **rows)
    trainer.remove_callback(PrinterCallback)
    return trainer


def write_log(path: Path, history: list[dict[str, Any]]) -> list[float]:
    """Write step, loss, rate and gradient norm of each step as JSON lines; return the losses."""
    steps = [entry for entry in history if "loss" in entry]
    lines = [
        json.dumps({key: entry[key] for key in ("step", "loss", "learning_rate", "grad_norm")}, sort_keys=True) + "\n"
        for entry in steps
    ]
    with replacing(path) as beside:
        beside.write_text("".join(lines), encoding="utf-8")
    return [entry["loss"] for entry in steps]


def make_readable(folder: Path) -> None:
    """Give files the mode of any other new file; safetensors writes 0600."""
    for file in folder.rglob("*"):
        if file.is_file():
            file.chmod(0o644)
