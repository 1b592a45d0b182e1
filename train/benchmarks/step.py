"""A real training step of a recipe on random weights and random tokens, to measure time and memory.

Neither depends on the weights or on which tokens the rows hold.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import product
from typing import Any

import torch
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel
from transformers.integrations.bitsandbytes import replace_with_bnb_linear

from pipeline.errors import InputError
from train.benchmarks.measuring import Case, measure_best_seconds, run_in_new_process
from train.plan import load_base_config, load_section
from train.recipe import TrainingParams
from train.trainer.activations import make_checkpointing_arguments, return_freed_memory_to_os, tile_mlps
from train.trainer.lora import make_trainable
from train.trainer.loss import sum_token_losses
from train.trainer.model import make_nf4_config

MAX_GRAD_NORM = 1.0  # the trainer's
MEASURABLE = {"optimizer": "adamw", "offload_activations": False}  # other values need TRL's trainer


def build_step(params: TrainingParams, config: PretrainedConfig, device: torch.device) -> Callable[..., None]:
    """Return a callable that runs one optimizer step on a recipe's model, built as the stages build it.

    Pass it the lengths of the step's rows, each at most `params.max_length`. The default is enough full-length rows to
    reach peak memory: two if gradients are accumulated, otherwise one.

    Raises:
        InputError: The recipe's optimizer cannot be measured, or the recipe offloads activations to the CPU.
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
    """Raise an InputError for a setting with which a measured step would differ from the stages' steps."""
    for key, expected in MEASURABLE.items():
        if (found := getattr(params, key)) != expected:
            raise InputError(key, found=str(found), expected=str(expected), fix="Set it so to measure a step.")


def make_random_model(params: TrainingParams, config: PretrainedConfig, device: torch.device) -> PreTrainedModel:
    """Return a recipe's base model with random weights, allocated on `device` itself: 140 GB may not fit elsewhere.

    For QLoRA each weight is made and quantised to 4 bits by itself, except the head's.
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
    """Fill a model on the meta device with random weights, its 4-bit layers one after the other."""
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


def measure_step_seconds(case: Case) -> dict[str, float]:
    """Return the time of the fastest step on one row, by a recipe's section `extend`."""
    return_freed_memory_to_os()
    torch.set_num_threads(case.num_threads)
    torch.manual_seed(0)
    changes = {
        "max_length": case.num_tokens,
        "group_size": case.group_size if case.method == "s2" else None,
        "accumulation_steps": 1,
        "offload_activations": False,
        "checkpointing": case.checkpointing,
        "dtype": case.dtype,
    }
    params = load_section(case.recipe, "extend", changes)
    seconds = measure_best_seconds(build_step(params, load_base_config(case.recipe), torch.device(case.device)), case)
    return {"step_ms": 1e3 * seconds, "tokens_per_second": case.num_tokens / seconds}


def measure_step_rows(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield a row for full attention and one for S2-Attn at every length and way of checkpointing."""
    config = load_base_config(options.recipe)
    num_heads, num_kv_heads = config.num_attention_heads, config.num_key_value_heads
    how = (options.dtype, options.device, options.threads, options.repeats)
    for num_tokens, checkpointing in product(options.lengths, options.checkpointing):
        full: dict[str, float] = {}
        for method in ("full", "s2"):
            sizes = (num_tokens, num_tokens // 4, num_heads, num_kv_heads, config.hidden_size // num_heads)
            case = Case(method, *sizes, *how, checkpointing, options.recipe)
            figures: dict[str, float] = run_in_new_process(measure_step_seconds, case)
            full = full or figures
            yield asdict(case) | figures | {"times_full": full["step_ms"] / figures["step_ms"], "not_measured": ""}
