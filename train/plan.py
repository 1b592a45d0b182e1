"""Estimate before anyone rents a GPU whether a recipe fits it, and how long it takes.

    longalpaca plan --recipe llama2-7b --length 100000
    longalpaca plan --recipe llama2-70b --length 32768 --gpus 8 --gpu h100 --json

Memory comes from `train.estimate.memory`: the real modules on fake tensors. FLOPs include only the causal half of
attention, as current kernels compute it, and everything that is recomputed. The time of a step is a lower bound, as if
the GPU ran at its peak; `hours` divides it by `--efficiency`, the share of the peak that training reaches.
No weight is read and nothing is downloaded: the sizes of the recipes' models are in train/recipes/*.json.
"""

import argparse
import json
import logging
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import yaml
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig

from pipeline.cli import exit_on_input_error, log_to_stderr
from pipeline.errors import InputError
from pipeline.params import read_yaml
from train.attention.context_parallel import check_heads
from train.estimate.flops import count_forward_flops, read_architecture
from train.estimate.memory import Footprint, estimate_memory
from train.extend import ExtendParams
from train.recipe import TrainingParams, list_recipes
from train.rope import count_positions, scale_rope
from train.sft import SftParams
from train.trainer.lora import count_trainable
from train.trainer.preflight import build_on_meta
from train.trainer.quiet import quiet_libraries

GIB = 2**30
GPUS = {"a100": 312e12, "h100": 989e12, "h200": 989e12, "l40s": 362e12, "rtx4090": 165e12}  # dense bfloat16, FLOP/s
BUDGETS = (24, 48, 80, 141)  # GB, the usual sizes of GPUs
CUDA_GB = 1.0  # taken by CUDA, its libraries and the allocator
EFFICIENCY = 0.4  # TRL's run of Qwen3-8B over a million tokens on 8 H100 reached 0.34 to 0.45
BACKWARD_OF_ATTENTION = 2.5  # times its forward pass, as FlashAttention-2 counts (arXiv 2307.08691)
LADDER: tuple[dict[str, Any], ...] = (
    {},
    {"checkpointing": "layers"},
    {"mlp_tile": 4_096},
    {"optimizer": "paged_adamw_8bit"},
    {"offload_activations": True},
    {"method": "qlora"},
)
SectionName = Literal["extend", "sft"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StepEstimate:
    """What one step of a recipe takes."""

    params: TrainingParams
    num_tokens: int
    trainable: dict[str, int]
    footprint: Footprint
    flops: dict[str, float]


def load_section(recipe: str, section: SectionName, changes: Mapping[str, Any] | None = None) -> TrainingParams:
    """Read a section of a recipe, by its name or the path of its YAML, with some values changed.

    Raises:
        InputError: No such recipe exists, or its section is invalid.
    """
    file = find_recipe(recipe)
    content = read_yaml(file)
    content[section] = {**content.get(section, {}), **(changes or {})}
    kind: type[ExtendParams] | type[SftParams] = ExtendParams if section == "extend" else SftParams
    return kind.parse(file, content)


def find_recipe(recipe: str) -> Path:
    """Return the YAML file of a recipe, by its name or its path."""
    recipes = list_recipes()
    file = Path(recipe) if recipe.endswith((".yaml", ".yml")) else recipes.get(recipe)
    if file is None or not file.is_file():
        expected = f"one of {', '.join(recipes)}, or a YAML file"
        raise InputError("--recipe", found=recipe, expected=expected, fix="Name one that exists.")
    return file


def load_base_config(recipe: str, model: Path | None = None) -> PretrainedConfig:
    """Return the config of a recipe's base model, from the model's folder or the JSON file beside the recipe.

    Raises:
        InputError: Neither exists.
    """
    if model is not None:
        return AutoConfig.from_pretrained(model)
    file = find_recipe(recipe).with_suffix(".json")
    if not file.is_file():
        raise InputError(
            file,
            found="no such file",
            expected="the config.json of the base model",
            fix="Copy it there, or name the model's folder with --model.",
        )
    content = json.loads(file.read_text(encoding="utf-8"))
    return AutoConfig.for_model(content.pop("model_type"), **content)


def estimate_step(
    params: TrainingParams,
    config: PretrainedConfig,
    section: SectionName,
    num_tokens: int,
    *,
    has_whole_logits: bool = False,
) -> StepEstimate:
    """Estimate memory and FLOPs of one step on rows of `num_tokens`.

    Raises:
        InputError: The model lacks a module that the recipe names, or cannot share rows as the recipe says.
    """
    check_heads(params.sequence_parallel, config, section)
    raise_positions(config, params, num_tokens)
    params = params.model_copy(update={"max_length": num_tokens})
    trainable = count_trainable(build_on_meta(params, config, section))
    footprint = estimate_memory(params, config, section, num_tokens, has_whole_logits=has_whole_logits)
    return StepEstimate(params, num_tokens, trainable, footprint, count_step_flops(params, config))


def raise_positions(config: PretrainedConfig, params: TrainingParams, num_tokens: int) -> None:
    """Give a config positions for rows of `num_tokens`: by the recipe's way in `extend`, as extended before in `sft`.

    Raises:
        InputError: The recipe's way is none for this model.
    """
    if num_tokens <= (positions := count_positions(config)):
        return
    if isinstance(params, ExtendParams):
        factor = float(math.ceil(num_tokens / positions))
        scale_rope(config, params.rope.model_copy(update={"factor": factor}), num_tokens)
    else:
        config.get_text_config().max_position_embeddings = num_tokens


def count_step_flops(params: TrainingParams, config: PretrainedConfig) -> dict[str, float]:
    """Return the FLOPs of one row, forward and backward, by part."""
    with torch.device("meta"):
        sizes = read_architecture(AutoModelForCausalLM.from_config(config), config)
    forward = count_forward_flops(sizes, params.max_length, group_size=params.group_size, is_causal=True)
    attention = forward["attention"]
    layers = forward["projections"] + forward["feed_forward"]
    linear = layers + forward["head"]
    recomputed = {
        "none": 0.0,
        "layers": attention + layers,
        "attention": layers,
    }[params.checkpointing]
    if params.mlp_tile is not None:
        recomputed += forward["feed_forward"]
    return {
        "forward": attention + linear,
        "attention_backward": BACKWARD_OF_ATTENTION * attention,
        "activation_gradients": linear,
        "weight_gradients": linear if params.method == "full" else 0.0,  # LoRA's are below 1 %
        "computed_again": recomputed,
    }


def shard_parts(parts: Mapping[str, float], shard: str, num_gpus: int, num_layers: int) -> dict[str, float]:
    """Return the bytes on one of several GPUs. ZeRO-2 shards gradients and optimizer, FSDP2 and ZeRO-3 weights too.

    The weights of two layers are whole at a time: the layer that computes, and the next one, which is being gathered.
    """
    split = {"none": (), "zero2": ("gradients", "optimizer"), "fsdp": ("gradients", "optimizer", "weights")}[shard]
    held = {part: size / num_gpus if part in split else size for part, size in parts.items()}
    if "weights" in split:
        held["weights"] += min(2, num_layers) * parts["weights"] / num_layers * (1 - 1 / num_gpus)
    return held


def count_rows_per_step(params: TrainingParams, num_gpus: int) -> int:
    """Return how many rows an optimizer step takes, over all GPUs."""
    return params.batch_size * params.accumulation_steps * num_gpus // params.sequence_parallel


def estimate_hours(made: StepEstimate, num_steps: int, gpu: str, efficiency: float) -> float:
    """Return the hours of a whole run."""
    return num_steps * estimate_floor_seconds(made, gpu) * made.params.accumulation_steps / efficiency / 3_600


def estimate_floor_seconds(made: StepEstimate, gpu: str) -> float:
    """Return the seconds of one forward and backward pass if the GPU runs at its peak."""
    rows_a_gpu = made.params.batch_size / made.params.sequence_parallel
    return sum(made.flops.values()) * rows_a_gpu / GPUS[gpu]


def find_fitting_switches(
    params: TrainingParams, config: PretrainedConfig, section: SectionName, num_tokens: int
) -> dict[int, Any]:
    """Return for each size of GPU the fewest switches of `LADDER`, in its order, with which a step fits."""
    found: dict[int, Any] = dict.fromkeys(BUDGETS)
    for changes, total in try_switches(params, config, section, num_tokens):
        for budget in BUDGETS:
            if found[budget] is None and total / 1e9 + CUDA_GB <= budget:
                found[budget] = {"switches": changes, "peak_gib": total / GIB}
        if all(value is not None for value in found.values()):
            break
    return found


def try_switches(
    params: TrainingParams, config: PretrainedConfig, section: SectionName, num_tokens: int
) -> Iterator[tuple[dict[str, Any], float]]:
    """Yield the peak bytes with one more switch on each time; switches that the recipe already uses are skipped."""
    changes: dict[str, Any] = {}
    for rung in LADDER:
        if rung.get("method") == "qlora" and params.method != "lora":
            continue
        if rung and all(getattr(params, key) == value for key, value in rung.items()):
            continue
        changes = changes | rung
        changed = params.model_copy(update={**changes, "max_length": num_tokens})
        yield changes, estimate_memory(changed, config, section, num_tokens).total


def make_report(options: argparse.Namespace) -> dict[str, Any]:
    """Return the plan as `--json` prints it."""
    params = load_section(options.recipe, options.section, dict(options.set))
    config = load_base_config(options.recipe, options.model)
    num_tokens = params.max_length if options.length is None else check_length(options.length)
    made = estimate_step(params, config, options.section, num_tokens, has_whole_logits=options.whole_logits)
    num_steps = options.steps or getattr(params, "num_steps", None) or 1
    rows = count_rows_per_step(params, options.gpus)
    parts = shard_parts(made.footprint.parts, options.shard, options.gpus, config.num_hidden_layers)
    return {
        "recipe": options.recipe,
        "section": options.section,
        "length": num_tokens,
        "peak_gib": sum(parts.values()) / GIB,
        "peak_gib_parts": {part: size / GIB for part, size in parts.items()},
        "trainable_parameters": made.trainable["total"],
        "trainable_parameters_parts": {kind: num for kind, num in made.trainable.items() if kind != "total"},
        "flops_per_step": sum(made.flops.values()) * rows,
        "flops_per_step_parts": {part: flops * rows for part, flops in made.flops.items()},
        "tokens_per_step": num_tokens * rows,
        "floor_seconds_per_step": estimate_floor_seconds(made, options.gpu) * params.accumulation_steps,
        "hours": estimate_hours(made, num_steps, options.gpu, options.efficiency),
        "hours_parts": {
            "steps": num_steps,
            "gpus": options.gpus,
            "gpu": options.gpu,
            "efficiency": options.efficiency,
        },
        "fits": find_fitting_switches(params, config, options.section, num_tokens) if options.fit else None,
    }


def check_length(num_tokens: int) -> int:
    """Return the length of a row; raise an InputError if it is none."""
    if num_tokens < 1:
        raise InputError("--length", found=f"{num_tokens}", expected="at least 1 token", fix="Give a positive number.")
    return num_tokens


def format_plan(found: dict[str, Any]) -> str:
    """Return the plan as text."""
    lines = [f"{found['recipe']}, {found['section']}, {found['length']:,} tokens a row", ""]
    lines += [f"{part.replace('_', ' '):24}{size:10.2f} GiB" for part, size in found["peak_gib_parts"].items()]
    lines += [f"{'peak':24}{found['peak_gib']:10.2f} GiB", ""]
    lines += [f"{'trained: ' + kind:24}{num:14,}" for kind, num in found["trainable_parameters_parts"].items() if num]
    lines += [f"{'tokens a step':24}{found['tokens_per_step']:14,}"]
    lines += [f"{part.replace('_', ' '):24}{flops:14.3g} FLOP" for part, flops in found["flops_per_step_parts"].items()]
    parts = found["hours_parts"]
    lines += [
        f"{'a step, at least':24}{found['floor_seconds_per_step']:14.1f} s",
        f"{'the run':24}{found['hours']:14.1f} h: {parts['steps']} steps on {parts['gpus']} x {parts['gpu']} at "
        f"{parts['efficiency']:.0%} of the peak",
    ]
    for budget, fit in (found["fits"] or {}).items():
        lines.append(f"{f'fits {budget} GB':24}" + ("no" if fit is None else f"{format_fit(fit)}"))
    return "\n".join(lines) + "\n"


def format_fit(fit: dict[str, Any]) -> str:
    """Return the switches with which a step fits, and its peak, as text."""
    switches = ", ".join(f"{key}: {yaml.safe_dump(value).splitlines()[0]}" for key, value in fit["switches"].items())
    return f"{switches or 'as the recipe is'}; {fit['peak_gib']:.1f} GiB"


def parse_setting(text: str) -> tuple[str, Any]:
    """Return a key of the recipe and its value, which is read as YAML: 'mlp_tile=null' is ('mlp_tile', None)."""
    key, _, value = text.partition("=")
    return key, yaml.safe_load(value)


def main(argv: Sequence[str] | None = None) -> None:
    """Run `longalpaca plan`."""
    options = parser().parse_args(argv)
    log_to_stderr()
    quiet_libraries()
    with exit_on_input_error("plan"):
        found = make_report(options)
    sys.stdout.write(json.dumps(found, indent=2) + "\n" if options.json else format_plan(found))


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    own = argparse.ArgumentParser(
        prog="longalpaca plan", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    own.add_argument("--recipe", required=True, help="the name of a recipe, or the path of one")
    own.add_argument("--section", choices=("extend", "sft"), default="extend")
    own.add_argument("--length", type=int, help="tokens in a row; default: the recipe's")
    own.add_argument("--model", type=Path, help="the folder of the base model, for a recipe of your own")
    own.add_argument(
        "--set", type=parse_setting, nargs="+", default=[], metavar="KEY=VALUE", help="overrides the recipe"
    )
    own.add_argument("--shard", choices=("none", "zero2", "fsdp"), default="none", help="what is sharded over the GPUs")
    own.add_argument("--gpus", type=int, default=8, help="over which a step's rows are spread")
    own.add_argument("--gpu", choices=sorted(GPUS), default="h100")
    own.add_argument("--efficiency", type=float, default=EFFICIENCY, help="share of the peak that training reaches")
    own.add_argument("--steps", type=int, help="of the run; default: the recipe's")
    own.add_argument("--whole-logits", action="store_true", help="estimate the original's loss, which holds all logits")
    own.add_argument("--fit", action="store_true", help="find the switches that make it fit 24, 48, 80 and 141 GB")
    own.add_argument("--json", action="store_true")
    return own


if __name__ == "__main__":
    main()
