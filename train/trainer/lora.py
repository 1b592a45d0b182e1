"""What is trained: every weight, or LoRA+, one adapter with LoRA updates and fully trained modules.

Source: LongLoRA (arXiv 2309.12307), section 3.3 and Table 2: without embeddings and norms, LoRA falls behind full
fine-tuning on long rows. The fully trained modules are PEFT's `modules_to_save`, which PEFT saves and merges;
parameters unfrozen by hand would be trained and then lost.

Tied embeddings stay tied: head and embedding are trained as one matrix, and the merged model has one too.
"""

import json
import os
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

from pipeline.errors import InputError
from pipeline.files import write_json
from train.recipe import LoraParams, TrainingParams

SORTED_KEYS = ("target_modules", "modules_to_save", "modules_to_tie")  # sets, which PEFT writes in any order


def add_lora(model: PreTrainedModel, params: LoraParams, section: str) -> PeftModel:
    """Freeze `model` and add what `params` trains, in float32; PEFT's random numbers follow torch's seed.

    Raises:
        InputError: A module named in `params` is not in the model, or is one that cannot be trained so.
    """
    check_modules(model, params.lora_targets, f"{section}.lora_targets")
    check_modules(model, params.fully_trained, f"{section}.fully_trained")
    check_tied(model, params.lora_targets, section)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=params.lora_rank,
        lora_alpha=params.lora_alpha,
        lora_dropout=params.lora_dropout,
        target_modules=sorted(params.lora_targets),
        modules_to_save=sorted(params.fully_trained) or None,
        ensure_weight_tying=has_tied_embedding(model, params.fully_trained),
    )
    adapted = get_peft_model(model, config)
    cast_trainable_to_float32(adapted)
    return adapted


def make_trainable(model: PreTrainedModel, params: TrainingParams, section: str) -> PreTrainedModel | PeftModel:
    """Return `model` with what `params` trains, in float32: the whole of it, or an adapter.

    What goes from layer to layer stays in the recipe's dtype: an embedding in float32 would double what is kept of it.

    Raises:
        InputError: A module named in `params` is not in the model, or is one that cannot be trained so.
    """
    dtype = getattr(torch, params.dtype)
    if params.method == "qlora":
        set_4bit_dtype(model, dtype)
    if params.method == "full":
        model.requires_grad_(requires_grad=True)
        cast_trainable_to_float32(model)
    adapted = model if params.method == "full" else add_lora(model, params, section)
    adapted.get_input_embeddings().register_forward_hook(lambda module, inputs, out: out.to(dtype))  # noqa: ARG005
    return adapted


def set_4bit_dtype(model: torch.nn.Module, dtype: torch.dtype) -> None:
    """Make 4-bit layers take and return the recipe's dtype.

    They compute in the dtype of their input, even under autocast. After a trained norm, which is in float32, all later
    activations would be in float32, twice as large.
    """
    for module in model.modules():
        if type(module).__name__ == "Linear4bit":
            module.register_forward_pre_hook(lambda _, inputs: (inputs[0].to(dtype), *inputs[1:]))


def cast_trainable_to_float32(model: torch.nn.Module) -> None:
    """Cast trainable weights to float32: optimizer steps are too small for bfloat16."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def check_modules(model: torch.nn.Module, names: list[str], where: str) -> None:
    """Raise an InputError for the first name that is no module of the model."""
    paths = [path for path, _ in model.named_modules() if path]
    last = sorted({path.rsplit(".", 1)[-1] for path in paths} - {str(number) for number in range(1_000)})
    for name in names:
        if not any(path == name or path.endswith(f".{name}") for path in paths):
            raise InputError(
                where,
                found=f"'{name}', which the model does not have",
                expected=f"modules of the model: {', '.join(last)}",
                fix="Name modules that exist.",
            )


def check_tied(model: PreTrainedModel, lora_targets: list[str], section: str) -> None:
    """Raise an InputError if LoRA would update a tied embedding: the head, the same matrix, would lack the update."""
    if has_tied_embedding(model, lora_targets):
        raise InputError(
            f"{section}.lora_targets",
            found="the embedding, which is the head of this model too",
            expected="a model whose head is a matrix of its own, to adapt the embedding by low rank",
            fix=f"Name it in {section}.fully_trained, or leave it out.",
        )


def has_tied_embedding(model: PreTrainedModel, names: list[str]) -> bool:
    """Whether the embedding is tied to the head and one of the named modules."""
    if not model.config.get_text_config().tie_word_embeddings:
        return False
    embedding = model.get_input_embeddings()
    path = next(path for path, module in model.named_modules() if module is embedding)
    return any(path == name or path.endswith(f".{name}") for name in names)


def count_trainable(model: torch.nn.Module) -> dict[str, int]:
    """Count the trainable parameters by kind; tied ones count once."""
    counts = dict.fromkeys(("lora", "embedding", "norm", "other"), 0)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            counts[classify_parameter(name)] += parameter.numel()
    return {**counts, "total": sum(counts.values())}


def classify_parameter(name: str) -> str:
    """Return the kind of a parameter from its name."""
    if "lora_" in name:
        return "lora"
    if "embed" in name or "wte" in name:
        return "embedding"
    return "norm" if "norm" in name or "ln_" in name else "other"


def save_adapter(model: PeftModel, folder: Path, state: dict[str, Any] | None = None) -> None:
    """Write adapter_model.safetensors and adapter_config.json, the same bytes for the same adapter.

    PEFT's AutoPeftModelForCausalLM finds the base model by the path that the stage was given, and from within the
    adapter's folder where that was absolute: it says nothing about this machine. PEFT's sets are written sorted.
    """
    model.save_pretrained(folder, save_embedding_layers=False, state_dict=state)
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    config = {key: sorted(value) if key in SORTED_KEYS and value else value for key, value in config.items()}
    base = config["base_model_name_or_path"]
    if base and Path(base).is_absolute():
        config["base_model_name_or_path"] = os.path.relpath(base, folder)
    write_json(folder / "adapter_config.json", config)


def merge_adapter(model: PeftModel, dtype: torch.dtype) -> PreTrainedModel:
    """Write the adapter into the weights and return the plain model in `dtype`.

    Raises:
        RuntimeError: The merged weights are not finite.
    """
    try:
        plain: PreTrainedModel = model.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise RuntimeError(f"the adapter cannot be merged: {error}") from error
    cast_parameters(plain, dtype)
    return plain


def cast_parameters(model: torch.nn.Module, dtype: torch.dtype) -> None:
    """Cast the parameters alone: the frequencies of rotary positions are a buffer, and must stay in float32."""
    for parameter in model.parameters():
        parameter.data = parameter.data.to(dtype)
