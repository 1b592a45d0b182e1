"""What `extend` and `sft` share: loading a model, TRL's trainer, and the log."""

import json
import sys
from pathlib import Path
from typing import Any

import datasets
import torch
import transformers
from peft import PeftModel
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.distributed.utils import is_local_dist_rank_0
from transformers.integrations import is_deepspeed_zero3_enabled, is_fsdp_enabled
from transformers.trainer_callback import PrinterCallback
from trl import SFTConfig

from pipeline.errors import InputError
from pipeline.files import replacing
from train.recipe import TrainingParams
from train.trainer.activations import OPTIMIZERS, make_checkpointing_arguments, tile_mlps
from train.trainer.attention_checks import check_packing_of_loaded
from train.trainer.checkpoints import CheckpointTrainer, checkpoint_folder
from train.trainer.loss import LossWeighting


def load_model(
    folder: Path, params: TrainingParams, config: PretrainedConfig, section: str, *, is_packed: bool
) -> PreTrainedModel:
    """Load a model for training, with S2-Attn if the recipe has a group size, in 4 bits if it says `qlora`.

    Raises:
        InputError: The folder holds no model that can be read, or one that mixes the documents of a packed row.
    """
    attention = "sdpa" if params.group_size is None and params.sequence_parallel == 1 else "s2"
    if attention == "s2":
        config.s2_group_size = params.group_size or params.max_length  # a row within one group has full attention
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=getattr(torch, params.dtype),
            attn_implementation=attention,
            use_safetensors=True,
            quantization_config=make_nf4_config(params) if params.method == "qlora" else None,
            device_map="meta" if receives_weights(params) else None,
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise unreadable_model(folder, error) from error
    if receives_weights(params):
        allocate_weights(model)
    if params.method == "qlora":
        disable_weight_packing(model)
    if not is_fsdp_enabled() and not is_deepspeed_zero3_enabled():  # whose weights are not whole here
        check_packing_of_loaded(model, is_packed=is_packed, section=section)
    if params.mlp_tile is not None:
        tile_mlps(model, params.mlp_tile, section)
    return model


def receives_weights(params: TrainingParams) -> bool:
    """Whether this process gets its shards of the weights from the first process, as under FSDP.

    Then only one process of each machine reads the weights, and the others need no memory for them.
    """
    return params.method != "qlora" and is_fsdp_enabled() and not is_local_dist_rank_0()


def allocate_weights(model: PreTrainedModel) -> None:
    """Allocate weights that were not read, without touching their memory; accelerate identifies them by address."""
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            setattr(module, name, torch.nn.Parameter(torch.empty_like(parameter, device="cpu")))
    model.tie_weights()


def disable_weight_packing(model: PreTrainedModel) -> None:
    """Keep bitsandbytes from repacking weights at the first evaluation on a CPU; repacked ones give no gradients."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def make_nf4_config(params: TrainingParams) -> BitsAndBytesConfig:
    """Return how QLoRA keeps frozen weights: NormalFloat of 4 bits, its scales quantised again (arXiv 2305.14314)."""
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, params.dtype),
    )


def load_model_config(folder: Path) -> PretrainedConfig:
    """Load a model's config.

    Raises:
        InputError: The folder holds none that can be read, or one of quantised weights.
    """
    if not folder.is_dir():
        raise InputError(
            folder, found="no such folder", expected="a model", fix="Run the stage that writes it: 'dvc repro'."
        )
    try:
        config: PretrainedConfig = transformers.AutoConfig.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise unreadable_model(folder, error) from error
    if (quantised := getattr(config, "quantization_config", None)) is not None:
        raise InputError(
            folder,
            found=f"weights quantised by {dict(quantised).get('quant_method', 'an unknown method')}",
            expected="plain weights: LoRA is merged into them, and 'method: qlora' quantises them itself",
            fix="Name the model that was quantised in base.source.",
        )
    return config


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Load a model's tokenizer.

    Raises:
        InputError: The folder holds none that can be read.
    """
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise unreadable_model(folder, error) from error
    return tokenizer


def unreadable_model(folder: Path, error: Exception) -> InputError:
    """Return the fault of a folder without a readable model."""
    reason = " ".join(str(error).split())[:200]
    return InputError(
        folder,
        found=f"no model that transformers can read ({reason})",
        expected="config.json, safetensors and a tokenizer",
        fix="Run the stage that writes it again, or name another folder.",
    )


def make_trl_config(
    params: TrainingParams, out: Path, *, max_steps: int, num_epochs: float, packing: bool, eval_steps: int
) -> SFTConfig:
    """Return TRL's configuration.

    With `max_steps` -1 training ends after `num_epochs`; with `eval_steps` 0 there is no evaluation in between.
    """
    on_cpu = not torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(checkpoint_folder(out)),
        max_steps=max_steps,
        num_train_epochs=num_epochs,
        max_length=params.max_length if packing else None,  # rows that are not packed are cut to it already
        packing=packing,
        packing_strategy="bfd_split",
        eval_packing=False,
        eval_strategy="steps" if eval_steps else "no",
        eval_steps=eval_steps or None,
        per_device_eval_batch_size=1,
        prediction_loss_only=True,
        optim=OPTIMIZERS[params.optimizer],
        adam_beta2=params.adam_beta2,
        learning_rate=params.learning_rate,
        lr_scheduler_type="constant_with_warmup",
        warmup_steps=params.warmup_steps,
        weight_decay=0.0,
        per_device_train_batch_size=params.batch_size,
        gradient_accumulation_steps=params.accumulation_steps,
        gradient_checkpointing=params.checkpointing != "none",
        gradient_checkpointing_kwargs=make_checkpointing_arguments(params.checkpointing),
        activation_offloading=params.offload_activations,
        bf16=params.dtype == "bfloat16",
        fp16=params.dtype == "float16",
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        seed=params.seed,
        data_seed=params.seed,
        save_strategy="steps" if params.save_steps else "no",
        save_steps=params.save_steps or 1,
        logging_steps=1,
        include_num_input_tokens_seen="all",
        report_to=params.report_to,
        disable_tqdm=not sys.stderr.isatty(),
    )


def build_trainer(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    config: SFTConfig,
    params: TrainingParams,
    loss_weighting: LossWeighting,
    **rows: datasets.Dataset,
) -> CheckpointTrainer:
    """Return a trainer that shows its progress on a terminal only."""
    trainer = CheckpointTrainer(
        params=params, model=model, args=config, processing_class=tokenizer, loss_weighting=loss_weighting, **rows
    )
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
