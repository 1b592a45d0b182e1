"""Checks of a recipe against the machine and the model, before any weight is loaded."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from pipeline.errors import InputError
from train.attention.context_parallel import check_sequence_parallel
from train.attention.registration import check_group_size
from train.recipe import TrainingParams
from train.rope import count_positions
from train.trainer.attention_checks import check_attention, check_packing
from train.trainer.lora import count_trainable, make_trainable

CUDA_ONLY = {"offload_activations": True, "optimizer": ("adamw_8bit", "paged_adamw_8bit")}
BYTES_PER_TRAINED = 12  # of a checkpoint: a weight and the two moments of AdamW, in float32
ZERO_STAGE = "ACCELERATE_DEEPSPEED_ZERO_STAGE"  # accelerate launch sets it
TRACKERS = {"tensorboard": "tensorboard", "trackio": "trackio", "wandb": "wandb"}


def check_before_loading(
    params: TrainingParams, config: PretrainedConfig, out: Path, section: str, *, is_packed: bool
) -> None:
    """Raise an InputError if this machine or this model cannot run the recipe."""
    if params.group_size is not None:
        check_group_size(params.group_size, f"{section}.group_size")
    check_length(params, config, section)
    check_sequence_parallel(params.sequence_parallel, config, section)
    check_launcher(params, section)
    check_device(params, section)
    check_packages(params, section)
    check_kind(params, config, section, is_packed=is_packed)
    counts = count_trainable(build_on_meta(params, config, section))
    if params.embedding_learning_rate is not None and not counts["embedding"]:
        raise InputError(
            f"{section}.embedding_learning_rate",
            found="a rate, but no embedding that is fully trained",
            expected=f"the embedding in {section}.fully_trained",
            fix="Set it to null.",
        )
    if params.save_steps:
        check_disk_space(counts["total"], params, out, section)


def check_kind(params: TrainingParams, config: PretrainedConfig, section: str, *, is_packed: bool) -> None:
    """Refuse a model whose layers cannot be trained as the recipe says."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    check_attention(params, config, model, section)
    check_packing(model, is_packed=is_packed, section=section)


def check_length(params: TrainingParams, config: PretrainedConfig, section: str) -> None:
    """Refuse rows that are longer than the model's positions."""
    positions = count_positions(config)
    if params.max_length > positions:
        raise InputError(
            f"{section}.max_length",
            found=f"{params.max_length} tokens for a model of {positions} positions",
            expected="no more tokens than positions",
            fix="Shorten it, or raise the factor of extend.rope and extend again.",
        )


def check_launcher(params: TrainingParams, section: str) -> None:
    """Refuse what ZeRO-3 cannot do: under it, TRL's checkpointing saves layer inputs only."""
    has_zero3 = os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true" and os.environ.get(ZERO_STAGE) == "3"
    if has_zero3 and params.checkpointing == "attention" and params.method != "full":
        raise InputError(
            f"{section}.checkpointing",
            found="attention, with LoRA under DeepSpeed ZeRO-3",
            expected="layers or none",
            fix="Set it to layers, or use FSDP2.",
        )


def check_device(params: TrainingParams, section: str) -> None:
    """Refuse what the device at hand cannot do."""
    has_cuda = torch.cuda.is_available()
    if not has_cuda and params.offload_activations:
        raise needs_cuda(f"{section}.offload_activations", "true", "false")
    if not has_cuda and params.optimizer != "adamw":
        raise needs_cuda(f"{section}.optimizer", params.optimizer, "adamw")
    if not has_cuda and params.dtype == "float16":
        raise needs_cuda(f"{section}.dtype", "float16", "bfloat16 or float32")
    if has_cuda and params.dtype == "bfloat16" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise InputError(
            f"{section}.dtype",
            found=f"bfloat16, which {torch.cuda.get_device_name()} does not have",
            expected="a dtype of the device",
            fix="Set it to float16 or float32.",
        )


def needs_cuda(where: str, found: str, instead: str) -> InputError:
    """Return the fault of a switch that needs a GPU where there is none."""
    return InputError(
        where, found=f"{found}, but no CUDA device", expected="a CUDA device for it", fix=f"Set it to {instead}."
    )


def check_packages(params: TrainingParams, section: str) -> None:
    """Refuse what needs a package that is not installed."""
    needed = {f"{section}.report_to": TRACKERS.get(params.report_to)}
    if params.method == "qlora":
        needed[f"{section}.method"] = "bitsandbytes"
    if params.optimizer != "adamw":
        needed[f"{section}.optimizer"] = "bitsandbytes"
    for where, package in needed.items():
        if package is not None and find_spec(package) is None:
            raise InputError(
                where,
                found=f"no package '{package}'",
                expected="the package, which this value needs",
                fix=f"Run 'pip install {package}', or choose another value.",
            )


def build_on_meta(params: TrainingParams, config: PretrainedConfig, section: str) -> PreTrainedModel:
    """Build the model that will be trained on the meta device, without weights.

    Raises:
        InputError: The model lacks a module that the recipe names.
    """
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, params.dtype))
        return make_trainable(model, params, section)


def check_disk_space(num_trained: int, params: TrainingParams, out: Path, section: str) -> None:
    """Refuse a disk without space for the kept checkpoints and the one being written."""
    folder = next(path for path in (out.absolute(), *out.absolute().parents) if path.is_dir())
    needed = num_trained * BYTES_PER_TRAINED * (params.num_checkpoints + 1)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(
            f"{section}.save_steps",
            found=f"{free / 1e9:.1f} GB free at {folder}",
            expected=f"{needed / 1e9:.1f} GB for {params.num_checkpoints + 1} checkpoints",
            fix=f"Make room, keep fewer ({section}.num_checkpoints), or set it to 0 for none.",
        )
