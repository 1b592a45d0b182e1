"""The switches that reduce the memory of a training step.

    checkpointing: layers       save the input of each layer and recompute the rest in the backward pass
    checkpointing: attention    save attention's output too, which is the most expensive to recompute
    offload_activations         keep saved activations in CPU memory (CUDA only)
    mlp_tile: N                 send N tokens at a time through a feed-forward layer, whose hidden layer is the widest
    optimizer: paged_adamw_8bit the optimizer's state in 8 bits, paged to the CPU when the GPU is full (CUDA only)

The logits of a whole row are never in memory: `train.trainer.loss` and TRL's own loss compute them in chunks.
"""

import ctypes
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts
from transformers import PreTrainedModel

import train.attention  # noqa: F401 - makes the operator known that is kept
from pipeline.errors import InputError
from train.recipe import Checkpointing

OPTIMIZERS = {
    "adamw": "adamw_torch_fused",
    "adamw_8bit": "adamw_bnb_8bit",
    "paged_adamw_8bit": "paged_adamw_8bit",
}
M_MMAP_THRESHOLD = -3  # malloc.h of glibc
LARGE_BLOCK = 1 << 20  # bytes


def return_freed_memory_to_os() -> None:
    """Make glibc return a large block to the system as soon as it is freed; does nothing with another C library.

    By default glibc keeps freed blocks of up to 32 MiB for reuse, in heaps that fragment: a step on a CPU then holds
    several times what it needs. The new blocks are allocated in huge pages (see `train/__init__.py`), because clearing
    small pages takes a quarter more CPU time.
    """
    with suppress(AttributeError):  # not glibc
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)


def make_checkpointing_arguments(checkpointing: Checkpointing) -> dict[str, Any]:
    """Return transformers' arguments for gradient checkpointing."""
    if checkpointing == "attention":
        return {"use_reentrant": False, "context_fn": keep_attention}
    return {"use_reentrant": False}


def keep_attention() -> Any:
    """Save attention's output and recompute the rest of a layer: attention costs the most to recompute.

    TRL's `selective` does the same, but hooks a method that transformers no longer calls.
    """
    names = ("flash_attention", "efficient_attention", "cudnn_attention", "flash_attention_for_cpu")
    ops = [getattr(torch.ops.aten, f"_scaled_dot_product_{name}").default for name in names]
    ops.append(torch.ops.longalpaca.s2_attention.default)
    return create_selective_checkpoint_contexts(ops)  # type: ignore[no-untyped-call]


def tile_mlps(model: PreTrainedModel, num_tokens: int, section: str) -> None:
    """Send `num_tokens` at a time through every feed-forward layer, and recompute its hidden layer for the gradient.

    Raises:
        InputError: The model's layers have no module `mlp`.
    """
    mlps = [module for path, module in model.named_modules() if path.rsplit(".", 1)[-1] == "mlp"]
    if not mlps or num_tokens < 1:
        raise InputError(
            f"{section}.mlp_tile",
            found=f"{num_tokens} for a model with {len(mlps)} modules named 'mlp'",
            expected="at least 1 token, and a model whose layers have such a module",
            fix="Set it to null.",
        )
    for mlp in mlps:
        mlp.forward = TiledFunction(mlp.forward, num_tokens)


class TiledFunction:
    """A function applied to each token independently, computed for at most `num_tokens` at a time, in equal parts."""

    def __init__(self, function: Any, num_tokens: int) -> None:
        """Keep the function and the size of a tile."""
        self.function = function
        self.num_tokens = num_tokens

    def __call__(self, hidden_BTM: Tensor) -> Tensor:  # noqa: N803 - B rows, T tokens, M model width
        """Return what the function returns for all tokens."""
        tiles = torch.tensor_split(hidden_BTM, -(-hidden_BTM.shape[1] // self.num_tokens), dim=1)
        if len(tiles) == 1 or not torch.is_grad_enabled():
            return torch.cat([self.function(tile) for tile in tiles], dim=1)
        return torch.cat([checkpoint(self.function, tile, use_reentrant=False) for tile in tiles], dim=1)
