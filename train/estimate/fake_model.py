"""Build the model that a recipe trains, from its real modules with the recipe's adapters, without any weights.

Shape suffixes: N output features, K input features.
"""
# ruff: noqa: N803 - shape suffixes on tensors

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, AutoModelForCausalLM, PretrainedConfig

from train.attention.registration import attend, attend_shared
from train.attention.segments import Segments
from train.recipe import TrainingParams
from train.trainer.activations import make_checkpointing_arguments, tile_mlps
from train.trainer.lora import make_trainable

WHOLE_ROWS = "s2_whole_rows"
NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)  # a weight: 4 bits, and scales of blocks, and of blocks of blocks


class FourBitLinear(nn.Module):
    """A linear layer whose weight is kept in 4 bits and dequantised for each use, as bitsandbytes does."""

    def __init__(self, weight_NK: Tensor) -> None:
        """Replace a layer with this weight."""
        super().__init__()
        self.out_features, self.in_features = weight_NK.shape
        num_bytes = int(weight_NK.numel() * NF4_BYTES)
        self.register_buffer("packed", torch.empty(num_bytes, dtype=torch.uint8, device=weight_NK.device))
        self.dtype = weight_NK.dtype

    def forward(self, hidden: Tensor) -> Tensor:
        """Multiply."""
        hidden = hidden.to(self.dtype)
        out: Tensor = MatMul4Bit.apply(hidden, self.packed, self.out_features)  # type: ignore[no-untyped-call]
        return out


class MatMul4Bit(torch.autograd.Function):
    """Dequantises the weight in the forward and in the backward pass, and keeps only its 4 bits in between."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, packed: Tensor, out_features: int) -> Tensor:
        """Multiply by the weight."""
        ctx.shape, ctx.dtype = (out_features, hidden.shape[-1]), hidden.dtype
        ctx.save_for_backward(packed)
        return hidden @ torch.empty(ctx.shape, dtype=ctx.dtype, device=packed.device).t()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        """Multiply by its transpose; the weight itself is frozen."""
        (packed,) = ctx.saved_tensors
        return grads[0] @ torch.empty(ctx.shape, dtype=ctx.dtype, device=packed.device), None, None


def build_fake_model(params: TrainingParams, config: PretrainedConfig, section: str) -> nn.Module:
    """Build the model that the stages train, on the meta device."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(
            config, dtype=getattr(torch, params.dtype), attn_implementation=WHOLE_ROWS
        )
        if params.mlp_tile is not None:
            tile_mlps(model, params.mlp_tile, section)
        if params.checkpointing != "none":
            model.activation_checkpointing_enable(make_checkpointing_arguments(params.checkpointing))
            model.enable_input_require_grads()
        head = model.get_output_embeddings()
        adapted: nn.Module = make_trainable(model, params, section)
        if params.method == "qlora":
            quantise(adapted, head)
    return adapted.train()


def attend_whole_rows(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: None, **kwargs: Any
) -> tuple[Tensor, None]:
    """Attend by S2-Attn in rows of one segment; fake tensors have no content to find segments in.

    Full attention goes this way too: transformers would make a dense mask for fake tensors, though for real rows
    without padding it makes none.
    """
    assert attention_mask is None
    config: Any = module.config
    group_size, scaling = config.s2_group_size, kwargs.get("scaling")
    if (shared := kwargs.get("shared_rows")) is not None:
        return attend_shared(query, key, value, shared, group_size, scaling=scaling), None
    segments = Segments(None, query.shape[0], query.shape[2], group_size)
    return attend(query, key, value, segments, scaling=scaling), None


def quantise(model: nn.Module, head: nn.Module) -> None:
    """Replace every frozen linear layer except the head by a 4-bit one, as QLoRA does."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Linear and child is not head and not child.weight.requires_grad:
                setattr(parent, name, FourBitLinear(child.weight))


def to_fake(model: nn.Module) -> None:
    """Give each parameter and buffer a fake storage; modules that share a parameter still share it."""
    made: dict[int, Any] = {}
    for module in model.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                if id(parameter) not in made:
                    content = torch.empty(parameter.shape, dtype=parameter.dtype)
                    made[id(parameter)] = nn.Parameter(content, requires_grad=parameter.requires_grad)
                module._parameters[name] = made[id(parameter)]
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype)


AttentionInterface.register(WHOLE_ROWS, attend_whole_rows)
AttentionMaskInterface.register(WHOLE_ROWS, lambda **_: None)
