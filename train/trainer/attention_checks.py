"""Whether a model can be trained with S2-Attn, and on rows that hold several documents, before any weight is loaded."""

import re
from collections.abc import Iterator
from typing import Any

import torch
from transformers import PretrainedConfig, PreTrainedModel

from pipeline.errors import InputError
from train.recipe import TrainingParams
from train.rope import is_local

RECURRENT = re.compile(r"Mamba|Recurrent|Rwkv|LSTM|Lightning|DeltaNet|DeltaAttention|LinearAttention|ShortConv")
ROUNDING = 16  # times the precision: experts of a mixture compute tokens in batches of other sizes


def check_attention(params: TrainingParams, config: PretrainedConfig, model: PreTrainedModel, section: str) -> None:
    """Refuse S2-Attn for a model whose attention is another one.

    Raises:
        InputError: The model has its own attention, or one that S2-Attn does not compute.
    """
    if params.group_size is None and params.sequence_parallel == 1:
        return
    for found in find_unsupported(params, config.get_text_config(), model):
        raise InputError(
            f"{section}.group_size",
            found=f"{params.group_size} for {type(model).__name__}, which has {found}",
            expected="a model with plain causal attention",
            fix="Set group_size: null to train with full attention, or use another model.",
        )


def find_unsupported(params: TrainingParams, config: Any, model: PreTrainedModel) -> Iterator[str]:
    """Yield what of a model's attention S2-Attn does not compute."""
    if not model._supports_attention_backend:
        yield "attention code of its own, which takes no other"
    window = find_window(config)
    if window is not None and window < params.max_length:
        yield f"attention within a window of {window} tokens in some layers"
    if getattr(config, "attn_logit_softcapping", None) is not None:
        yield "soft-capped attention scores"
    if any(name.endswith("sinks") for name, _ in model.named_parameters()):
        yield "attention sinks"


def find_window(config: Any) -> int | None:
    """Return the window or the chunk of the layers that do not attend to the whole row, None if all do."""
    kinds = getattr(config, "layer_types", None)
    if kinds is not None and not any(is_local(str(kind)) for kind in kinds):
        return None
    if kinds is None and getattr(config, "use_sliding_window", True) is False:
        return None
    sizes = [getattr(config, name, None) for name in ("sliding_window", "attention_chunk_size")]
    return min((size for size in sizes if isinstance(size, int)), default=None)


def check_packing(model: PreTrainedModel, *, is_packed: bool, section: str) -> None:
    """Refuse rows of several documents for a model with layers that carry a state from one document to the next.

    Raises:
        InputError: The model has such layers.
    """
    if not is_packed:
        return
    names = {type(module).__name__ for module in model.modules()}
    found = sorted(name for name in names if RECURRENT.search(name) or name == "Conv1d")
    if found:
        raise packing_error(f"{type(model).__name__}, whose {', '.join(found)} would mix them", section)


def check_packing_of_loaded(model: PreTrainedModel, *, is_packed: bool, section: str) -> None:
    """Refuse rows of several documents for a model in which a document changes the outputs of the next one.

    Raises:
        InputError: It does, by what a row of two documents shows.
    """
    if not is_packed:
        return
    vocabulary = model.config.get_text_config().vocab_size
    ids_BT = torch.randint(vocabulary, (1, 24), generator=torch.Generator().manual_seed(0)).to(model.device)  # noqa: N806
    changed_BT = torch.cat([ids_BT[:, :10].flip(1), ids_BT[:, 10:]], 1)  # noqa: N806
    positions_BT = torch.cat([torch.arange(10), torch.arange(14)])[None].to(model.device)  # noqa: N806
    was_training = model.training
    with torch.no_grad():
        model.eval()
        outs = [model(input_ids=x, position_ids=positions_BT, use_cache=False).logits for x in (ids_BT, changed_BT)]
        model.train(was_training)
    difference = (outs[0] - outs[1])[:, 10:].abs().max()
    if difference > ROUNDING * torch.finfo(outs[0].dtype).eps * outs[0].abs().max():
        raise packing_error(f"{type(model).__name__}, in which a document changes the next one", section)


def packing_error(found: str, section: str) -> InputError:
    """Return the error for a model that cannot be trained on rows of several documents."""
    advice = {
        "sft": "Set sft.packing: false.",
        "extend": "Use another model; extend always packs documents. Leave out the stage to fine-tune this one.",
    }
    return InputError(
        section,
        found=f"rows of several documents for {found}",
        expected="a model that keeps the documents of a row apart",
        fix=advice[section],
    )
