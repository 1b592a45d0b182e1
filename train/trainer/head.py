"""The logits of a model from its last hidden states, as the model itself computes them.

Many models do more in the head than a matrix product: Granite divides the logits by 8 or 16, Cohere multiplies them by
1/16, Falcon-H1 and Gemma scale or cap them, others have a projection before the head. Instead of knowing each, the
model's own forward pass runs with a decoder that returns hidden states which are known already.

Shape suffixes: B rows, T tokens, N tokens with a label, M model width, V vocabulary.
"""
# ruff: noqa: N803, N806 - shape suffixes on tensors

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor
from transformers import PreTrainedModel
from transformers.utils import ModelOutput


def unwrap_adapter(model: Any) -> Any:
    """Return the causal language model within an adapter, which has the adapter's layers; others as they are."""
    return model.get_base_model() if isinstance(model, PeftModel) else model


def compute_hidden_states(model: Any, **inputs: Any) -> Tensor:
    """Return the last hidden states (B, T, M) of a causal language model, without its head."""
    hidden_BTM: Tensor = list_decoders(model)[0](**inputs, use_cache=False)[0]
    return hidden_BTM


def list_decoders(model: Any) -> list[PreTrainedModel]:
    """Return the modules that a causal language model may get its hidden states from, the innermost first.

    Bart's model is a wrapper that is never called, and its decoder is called; that of a model with images is within
    another, which is called.

    Raises:
        RuntimeError: The model has none of its own.
    """
    found = [model.get_decoder(), model.base_model, *model.children()]
    own = [module for module in found if isinstance(module, PreTrainedModel) and module is not model]
    if not own:
        raise RuntimeError(f"{type(model).__name__} has no decoder of its own, so its head cannot run alone")
    return list({id(module): module for module in own}.values())


def predict_logits(model: Any, hidden_NM: Tensor) -> Tensor:
    """Return the logits (N, V) that a model's own head gives to hidden states, scaled or capped as it does.

    Raises:
        RuntimeError: The model does not get its hidden states from its decoder, once.
    """
    calls: list[None] = []
    output = KnownHiddenStates(last_hidden_state=hidden_NM[None])
    with ExitStack() as stack:
        for decoder in list_decoders(model):
            stack.enter_context(replace_forward(decoder, output, calls))
        tokens_1N = torch.zeros((1, len(hidden_NM)), dtype=torch.long, device=hidden_NM.device)
        logits_1NV: Tensor = model(input_ids=tokens_1N, use_cache=False)["logits"]
    if len(calls) != 1:
        raise RuntimeError(f"{type(model).__name__} calls its decoder {len(calls)} times, so its head cannot run alone")
    return logits_1NV[0]


@dataclass
class KnownHiddenStates(ModelOutput):  # type: ignore[misc]
    """The output of a decoder whose hidden states are known; whatever else a model asks it for is None."""

    last_hidden_state: Tensor | None = None

    def __getattr__(self, name: str) -> None:
        """Return None for an output that is not there."""
        if name.startswith("_"):
            raise AttributeError(name)


@contextmanager
def replace_forward(module: Any, output: Any, calls: list[None]) -> Iterator[None]:
    """Let a module return what is given, whatever it is called with; `calls` gets an item for each call."""

    def forward(*_: Any, **__: Any) -> Any:
        calls.append(None)
        return output

    before = vars(module).get("forward")
    module.forward = forward
    try:
        yield
    finally:
        del module.forward
        if before is not None:
            module.forward = before
