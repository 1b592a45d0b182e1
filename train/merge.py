"""Merge the adapter into a plain model that transformers, vLLM and others can load.

Reads   MODEL      the plain model that the adapter was trained on
        ADAPTER    the adapter, of stage `sft`
Writes  OUT        a plain model with its tokenizer and scaled positions; OUT/README.md is its card
        OUT/base, OUT/adapter   with --low-rank instead: a plain model into which all is merged but the low-rank updates
                   of linear layers, and these as an adapter, which vLLM serves; a card each
Source  LongLoRA's merge script lost the scaled positions (its issues 40, 82, 137); here the written model is loaded
        again and checked

All comparisons are in float32. The merged model must have the adapter's logits, and the model that a new process loads
must have those of the written one. Rounding to the written dtype changes logits too; the change is measured and
reported, not hidden in a tolerance.
"""

import json
import logging
import math
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import torch
from peft import PeftModel
from pydantic import Field
from safetensors import SafetensorError
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel

from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import replacing
from train.recipe import Dtype, RecipeParams
from train.reload import compare_in_new_process
from train.trainer.licence_files import copy_licence_files, credit_base, write_notice
from train.trainer.lora import cast_parameters, merge_adapter, save_adapter
from train.trainer.low_rank import split_adapter
from train.trainer.model import load_model_config, load_tokenizer, make_readable, unreadable_model
from train.trainer.quiet import quiet_libraries

NUM_CHECKED_TOKENS = 256
PERPLEXITY_TOLERANCE = 1e-3
CARD = Path(__file__).with_name("model_card.md")
ADAPTER_CARD = Path(__file__).with_name("adapter_card.md")

log = logging.getLogger(__name__)


class MergeParams(RecipeParams):
    """Section `merge` of the recipe."""

    dtype: Dtype  # of the weights that are written
    max_logit_difference: float = Field(ge=0)  # allowed after merging, and after writing and loading, in float32
    hub_name: str  # of the merged model, for its card and the Hub
    base_model: str  # on the Hub, named by the card
    licence: str  # of the base model, as the Hub spells it


@dataclass(frozen=True)
class Trained:
    """The folders of what was trained."""

    model: Path
    adapter: Path


def run(params: MergeParams, *, model: Path, adapter: Path, out: Path, low_rank: bool = False) -> None:
    """Merge ADAPTER into MODEL, write the result to OUT and check what was written."""
    quiet_libraries()
    config = load_model_config(model)
    tokens = make_check_tokens(config.get_text_config().vocab_size)
    adapted = load_trained(model, adapter)
    expected = compute_logits(adapted, tokens)
    with replacing(out) as beside:
        if low_rank:
            split = split_adapter(adapted, str(adapter))
            check_logits(compute_logits(split, tokens), expected, "splitting", params.max_logit_difference)
            write_adapter(split, Trained(model, adapter), params, beside / "adapter")
            plain, folder = make_plain(split.unload()), beside / "base"
            expected = compute_logits(plain, tokens)
        else:
            plain, folder = make_plain(adapted), beside
            check_logits(compute_logits(plain, tokens), expected, "merging", params.max_logit_difference)
        rounding = write_plain(plain, Trained(model, adapter), params, tokens, expected, folder)
        make_readable(beside)
    log.info(
        "merge: %d parameters in %s in %s; rounding to it moves a logit by %.4f on average, %.4f at most",
        plain.num_parameters(),
        params.dtype,
        out,
        rounding.mean(),
        rounding.max(),
    )


def write_plain(
    plain: PreTrainedModel, trained: Trained, params: MergeParams, tokens: Tensor, expected: Tensor, out: Path
) -> Tensor:
    """Write a plain model with all that belongs to it, load it again, and return what rounding does to each logit."""
    cast_parameters(plain, getattr(torch, params.dtype))
    plain.save_pretrained(out)
    load_tokenizer(trained.adapter).save_pretrained(out)
    copy_licence_files(trained.model, out)
    write_notice(params.licence, out)
    cast_parameters(plain, torch.float32)
    rounded = compute_logits(plain, tokens)
    rounding = (rounded - expected).abs()
    check_reloaded(compare_in_new_process(out, tokens, rounded), params.max_logit_difference)
    (out / "README.md").write_text(write_model_card(plain, trained.adapter, params, rounding), encoding="utf-8")
    return rounding


def write_adapter(split: PeftModel, trained: Trained, params: MergeParams, out: Path) -> None:
    """Write the low-rank updates as an adapter of the model in the folder `base` beside it."""
    save_adapter(split, out)
    load_tokenizer(trained.adapter).save_pretrained(out)
    copy_licence_files(trained.model, out)
    write_notice(params.licence, out)
    facts = params.model_dump() | {"credit": credit_base(params.licence)}
    card = Template(ADAPTER_CARD.read_text(encoding="utf-8")).substitute(facts)
    (out / "README.md").write_text(card, encoding="utf-8")


def load_trained(model: Path, adapter: Path) -> PreTrainedModel | PeftModel:
    """Load MODEL with ADAPTER in float32, so that merging rounds once, when the result is written.

    If every weight was trained, ADAPTER holds the whole model and MODEL is not read.

    Raises:
        InputError: One of them cannot be read, or they do not match.
    """
    is_whole = (adapter / "config.json").is_file()
    if not is_whole and not (adapter / "adapter_config.json").is_file():
        raise InputError(
            adapter, found="no adapter_config.json", expected="an adapter", fix="Run stage sft, or name its output."
        )
    try:
        base = AutoModelForCausalLM.from_pretrained(
            adapter if is_whole else model, dtype=torch.float32, use_safetensors=True
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise unreadable_model(model, error) from error
    if is_whole:
        return base.eval()
    try:
        return PeftModel.from_pretrained(base, adapter).eval()
    except (RuntimeError, ValueError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            adapter,
            found=f"an adapter that does not fit {model} ({reason})",
            expected="the adapter that was trained on this model",
            fix="Name the model that stage sft was given.",
        ) from error


def make_plain(model: PreTrainedModel | PeftModel) -> PreTrainedModel:
    """Return the plain model, with the adapter merged and without training's settings in its config."""
    plain = merge_adapter(model, torch.float32) if isinstance(model, PeftModel) else model
    if hasattr(plain.config, "s2_group_size"):
        del plain.config.s2_group_size
    plain.config.use_cache = True
    return plain


def make_check_tokens(vocab_size: int) -> Tensor:
    """Return a fixed row of random tokens from the whole vocabulary."""
    return torch.randint(vocab_size, (1, NUM_CHECKED_TOKENS), generator=torch.Generator().manual_seed(0))


def compute_logits(model: torch.nn.Module, tokens: Tensor) -> Tensor:
    """Return a model's logits."""
    with torch.no_grad():
        logits: Tensor = model(input_ids=tokens).logits
    return logits


def check_logits(found: Tensor, expected: Tensor, step: str, bound: float) -> None:
    """Raise a RuntimeError if two sets of logits differ by more than `bound`."""
    difference = float((found - expected).abs().max())
    if not difference <= bound:  # also if it is NaN
        raise RuntimeError(f"{step} changed the logits by {difference:.5f}; the bound is {bound}")


def check_reloaded(found: dict[str, float], bound: float) -> None:
    """Raise a RuntimeError if a new process that loads the written model gets other logits."""
    if not found["logit_difference"] <= bound:
        raise RuntimeError(f"the written model differs by {found['logit_difference']:.5f}; the bound is {bound}")
    if not math.isclose(found["perplexity"], found["expected_perplexity"], rel_tol=PERPLEXITY_TOLERANCE):
        raise RuntimeError(
            f"the written model has perplexity {found['perplexity']}, not {found['expected_perplexity']}"
        )


def write_model_card(model: PreTrainedModel, adapter: Path, params: MergeParams, rounding: Tensor) -> str:
    """Return the model's card, filled in from its config, its training metrics and the recipe."""
    config = model.config.get_text_config()
    metrics = read_metrics(adapter / "metrics.json")
    facts = {
        "hub_name": params.hub_name,
        "base_model": params.base_model,
        "licence": params.licence,
        "credit": credit_base(params.licence),
        "architecture": type(model).__name__,
        "num_parameters": f"{model.num_parameters():,}",
        "dtype": params.dtype,
        "tied": "the embedding is the head" if config.tie_word_embeddings else "embedding and head are separate",
        "positions": f"{config.max_position_embeddings:,}",
        "rope": json.dumps(getattr(config, "rope_parameters", None), sort_keys=True),
        "rounding": f"{rounding.mean():.4f} on average, {rounding.max():.4f} at most",
        "bound": f"{params.max_logit_difference}",
        "training": "\n".join(f"| {name} | {value} |" for name, value in flatten_facts(metrics)) or "| unknown | |",
    }
    return Template(CARD.read_text(encoding="utf-8")).substitute(facts)


def read_metrics(file: Path) -> dict[str, Any]:
    """Return what stage sft measured; nothing if the adapter was trained elsewhere."""
    if not file.is_file():
        return {}
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def flatten_facts(content: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested facts as rows of a table: {'train': {'rows': 3}} gives ('train: rows', '3')."""
    lines: list[tuple[str, str]] = []
    for key, value in sorted(content.items()):
        name = f"{prefix}{key.replace('_', ' ')}"
        if isinstance(value, dict):
            lines += flatten_facts(value, f"{name}: ")
        else:
            lines.append((name, f"{value:,}" if isinstance(value, int) else f"{value:.4f}"))
    return lines


if __name__ == "__main__":
    run_stage(run)
