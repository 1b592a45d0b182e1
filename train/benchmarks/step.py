"""A real step of a recipe, on random weights and random tokens: what is measured of time and of memory."""

from collections.abc import Callable
from typing import Any

import torch
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel
from transformers.integrations.bitsandbytes import replace_with_bnb_linear

from pipeline.errors import InputError
from train.recipe import TrainingParams
from train.trainer.activations import make_checkpointing_arguments, tile_mlps
from train.trainer.lora import make_trainable
from train.trainer.loss import sum_token_losses
from train.trainer.model import make_nf4_config

MAX_GRAD_NORM = 1.0  # the trainer's
MEASURABLE = {"optimizer": "adamw", "offload_activations": False}  # TRL's trainer makes the others


def build_step(params: TrainingParams, config: PretrainedConfig, device: torch.device) -> Callable[..., None]:
    """Build a recipe's model, as the stages do, and return what takes a step of its optimizer each time it is called.

    Neither time nor memory depends on the weights or on which tokens the rows hold. What is returned takes the tokens
    of each of the step's rows, of at most `params.max_length`; without any it takes as many whole ones as show all that
    is in memory at once: two where gradients are accumulated, else one.

    Raises:
        InputError: The recipe has an optimizer that cannot be measured, or moves activations to the CPU.
    """
    check_measurable(params)
    dtype = getattr(torch, params.dtype)
    if params.group_size is not None:
        config.s2_group_size = params.group_size
    model = make_random_model(params, config, device)
    if params.mlp_tile is not None:
        tile_mlps(model, params.mlp_tile, "extend")
    if params.checkpointing != "none":
        model.activation_checkpointing_enable(make_checkpointing_arguments(params.checkpointing))
        model.enable_input_require_grads()
    adapted = make_trainable(model, params, "extend").train()
    parameters = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-5, fused=True)
    ids_BT = torch.randint(config.vocab_size, (params.batch_size, params.max_length), device=device)  # noqa: N806

    def step(*row_lengths: int) -> None:
        for num_tokens in row_lengths or [params.max_length] * min(2, params.accumulation_steps):
            rows_BT = ids_BT[:, :num_tokens]  # noqa: N806
            with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
                loss, num_labels = sum_token_losses(adapted, {"input_ids": rows_BT}, rows_BT)
            (loss / num_labels).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, MAX_GRAD_NORM)
        optimizer.step()
        optimizer.zero_grad()

    return step


def check_measurable(params: TrainingParams) -> None:
    """Raise an InputError for what a measured step does not do as the stages do."""
    for key, wanted in MEASURABLE.items():
        if (found := getattr(params, key)) != wanted:
            raise InputError(key, found=str(found), expected=str(wanted), fix="Set it so to measure a step.")


def make_random_model(params: TrainingParams, config: PretrainedConfig, device: torch.device) -> PreTrainedModel:
    """Return a recipe's base model with random weights, made where they stay: 140 GB would not fit any other place.

    For QLoRA each weight is made and brought to 4 bits by itself, all but the head's.
    """
    dtype = getattr(torch, params.dtype)
    attention = "sdpa" if params.group_size is None else "s2"
    with torch.device("meta" if params.method == "qlora" else device):
        model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation=attention)
    if params.method == "qlora":
        head = model.get_output_embeddings()
        path = next(path for path, module in model.named_modules() if module is head)
        replace_with_bnb_linear(model, [path], make_nf4_config(params))
        fill_with_random_weights(model, dtype, device)
    return model


@torch.no_grad()
def fill_with_random_weights(model: PreTrainedModel, dtype: torch.dtype, device: torch.device) -> None:
    """Give a model without weights random ones, those of its layers of 4 bits one after the other."""
    from bitsandbytes.nn.modules import Linear4bit, Params4bit

    for module in model.modules():
        if isinstance(module, Linear4bit):
            weight_NK = torch.randn(module.out_features, module.in_features, dtype=dtype, device=device)  # noqa: N806
            kind = {name: getattr(module.weight, name) for name in ("compress_statistics", "quant_type")}
            weight: Any = Params4bit(weight_NK, module=module, **kind)
            module.weight = weight.to(device)
        else:
            module.to_empty(device=device, recurse=False)
            model._init_weights(module)
    model.tie_weights()
