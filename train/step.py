"""A real step of a recipe, on random weights and random tokens: what is measured of time and of memory."""

from collections.abc import Callable

import torch
from transformers import AutoModelForCausalLM, PretrainedConfig

from train.lora import trained
from train.loss import loss_of
from train.memory import checkpointing_arguments, tile_mlps
from train.recipe import TrainingParams

MAX_GRAD_NORM = 1.0  # the trainer's


def step_of(params: TrainingParams, config: PretrainedConfig, device: torch.device) -> Callable[[], None]:
    """Build a recipe's model, as the stages do, and return what takes a step of its optimizer each time it is called.

    Neither time nor memory depends on the weights or on which tokens the rows of `params.max_length` hold.
    """
    dtype = getattr(torch, params.dtype)
    if params.group_size is not None:
        config.s2_group_size = params.group_size
    attention = "sdpa" if params.group_size is None else "s2"
    model = AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation=attention).to(device)
    if params.mlp_tile is not None:
        tile_mlps(model, params.mlp_tile, "extend")
    if params.checkpointing != "none":
        model.activation_checkpointing_enable(checkpointing_arguments(params.checkpointing))
        model.enable_input_require_grads()
    adapted = trained(model, params, "extend").train()
    parameters = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-5, fused=True)
    ids_BT = torch.randint(config.vocab_size, (params.batch_size, params.max_length), device=device)  # noqa: N806

    def step() -> None:
        for _ in range(min(2, params.accumulation_steps)):  # with more, gradients are there from the start
            with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
                loss, num_labels = loss_of(adapted, {"input_ids": ids_BT}, ids_BT)
            (loss / num_labels).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, MAX_GRAD_NORM)
        optimizer.step()
        optimizer.zero_grad()

    return step
