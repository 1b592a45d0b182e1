"""Estimate the peak memory of a training step, and what it is used for, without a GPU and without weights.

The model is built from its real modules with the recipe's adapters, and one step runs on fake tensors, which have
shapes and storages but no content. Every storage that the step creates is tracked until it is freed; the largest sum is
the peak. Not included: what a kernel allocates inside, what the allocator wastes, and what CUDA and its libraries take
(about half a GiB).

Shape suffixes: B rows, T tokens of a row, M model width, V vocabulary, N tokens with a label or output features, K
input features.
"""
# ruff: noqa: N803, N806 - shape suffixes on tensors

import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import AttentionInterface, AttentionMaskInterface, AutoModelForCausalLM, PretrainedConfig

from train.attention.context_parallel import SharedRows
from train.attention.registration import attend, attend_shared
from train.attention.segments import Segments
from train.recipe import TrainingParams
from train.trainer.activations import make_checkpointing_arguments, tile_mlps
from train.trainer.lora import make_trainable
from train.trainer.loss import sum_losses_in_chunks

WHOLE_ROWS = "s2_whole_rows"
PARTS = ("weights", "gradients", "optimizer", "layer_inputs", "kept_attention", "live_layer", "logits")
NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)  # a weight: 4 bits, and scales of blocks, and of blocks of blocks
OPTIMIZER_BYTES = {"adamw": 8.0, "adamw_8bit": 2.0, "paged_adamw_8bit": 2.0}  # of two moments
ATTENTION = ("longalpaca::s2_attention", "aten::_scaled_dot_product")
Loss = Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor]  # of the model, hidden states, labels and weights
IN_FLIGHT = 2  # layers whose input is on the GPU while those of the others are offloaded to the CPU


@dataclass(frozen=True)
class Footprint:
    """Bytes at the peak of a step, by part."""

    parts: Mapping[str, float]

    @property
    def total(self) -> float:
        """Bytes of all parts together."""
        return sum(self.parts.values())


class StorageTracker(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of all live storages by part, and keeps the counts at the peak."""

    def __init__(self, *, has_offload: bool, keeps_attention: bool) -> None:
        """Start with no storage."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.has_offload = has_offload
        self.keeps_attention = keeps_attention
        self.alive: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()
        self.part_of: dict[int, str] = {}
        self.references: dict[int, weakref.ref[Any]] = {}
        self.layer_input_bytes = 0
        self.part = "live_layer"  # of storages created from now on

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator and track what it returns."""
        result = func(*args, **(kwargs or {}))
        part = self.part
        if self.keeps_attention and func.name().startswith(ATTENTION) and "backward" not in func.name():
            part = "kept_attention"
        self.watch(result, part)
        return result

    def watch(self, tensors: Any, part: str) -> None:
        """Count the storages of tensors until they are freed. A storage that is already counted keeps its part."""
        for tensor in tree_leaves(tensors):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                key, size = storage._cdata, storage.nbytes()
                if key in self.references and self.references[key]() is not None:
                    continue
                self.part_of[key] = part
                self.alive[part] += size
                self.references[key] = weakref.ref(storage, partial(self.forget, key, size))
        self.remember()

    def retag(self, tensor: Tensor, part: str) -> None:
        """Count a tensor's storage for another part from now on."""
        storage = tensor.untyped_storage()
        if (old := self.part_of.get(storage._cdata)) is not None and old != "weights":
            self.alive[old] -= storage.nbytes()
            self.alive[part] += storage.nbytes()
            self.part_of[storage._cdata] = part
            if part == "layer_inputs":
                self.layer_input_bytes = storage.nbytes()

    def forget(self, key: int, size: int, _: Any) -> None:
        """Stop counting a storage that was freed."""
        self.alive[self.part_of.pop(key)] -= size
        del self.references[key]

    def remember(self) -> None:
        """Keep the current counts if they are the highest so far."""
        counts = self.counts()
        if sum(counts.values()) > sum(self.peak.values()):
            self.peak = counts

    def counts(self) -> Counter[str]:
        """Return the bytes on the GPU now, by part."""
        counts = Counter(self.alive)
        if self.has_offload:
            counts["layer_inputs"] = min(counts["layer_inputs"], IN_FLIGHT * self.layer_input_bytes)
        return counts


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


def estimate_memory(
    params: TrainingParams, config: PretrainedConfig, section: str, num_tokens: int, *, has_whole_logits: bool = False
) -> Footprint:
    """Run a step on fake tensors and return its peak memory, in one process if several share a row.

    With `has_whole_logits` the loss is the original's, which holds the logits of a whole row. No stage uses it.

    Raises:
        InputError: The model lacks a module that the recipe names.
    """
    config.s2_group_size = params.group_size or num_tokens  # one group of the whole row is full attention
    model = build_fake_model(params, config, section)
    watch = StorageTracker(has_offload=params.offload_activations, keeps_attention=params.checkpointing == "attention")
    with FakeTensorMode(allow_non_fake_inputs=True):
        to_fake(model)
        watch.watch([*model.parameters(), *model.buffers()], "weights")
        tag_parts(model, watch)
        ids_BT = torch.zeros(params.batch_size, -(-num_tokens // params.sequence_parallel), dtype=torch.long)
        with watch:
            for _ in range(min(2, params.accumulation_steps)):  # from the second row on, gradients exist from the start
                run_backward(model, ids_BT, params, whole_loss if has_whole_logits else sum_losses_in_chunks)
    counts = watch.peak
    num_trained = sum(parameter.numel() for parameter in list_unique(model.parameters()) if parameter.requires_grad)
    counts["optimizer"] = int(num_trained * OPTIMIZER_BYTES[params.optimizer])
    return Footprint({part: counts[part] for part in PARTS})


def whole_loss(model: Any, hidden_NM: Tensor, labels_N: Tensor, _: Tensor) -> Tensor:
    """Return the sum of tokens' losses as transformers 4.34 had it: all logits in float32, copied to shift them."""
    logits_NV = model.get_output_embeddings()(hidden_NM).float().clone()
    return cross_entropy(logits_NV, labels_N, reduction="sum")


def run_backward(model: nn.Module, ids_BT: Tensor, params: TrainingParams, loss_of_tokens: Loss) -> None:
    """Run forward and backward over one batch, as the trainer does."""
    dtype = getattr(torch, params.dtype)
    with torch.autocast("cpu", dtype=dtype) if dtype != torch.float32 else nullcontext():
        base: Any = model.get_base_model() if isinstance(model, PeftModel) else model
        shared = {}
        if params.sequence_parallel > 1:
            shared["shared_rows"] = SharedRows(params.sequence_parallel, torch.clone, None)  # as large as the exchange
        hidden_BTM = base.base_model(input_ids=ids_BT, use_cache=False, **shared).last_hidden_state
        hidden_NM = hidden_BTM[:, :-1].flatten(0, 1).clone()  # every token counts in the loss
        labels_N = ids_BT[:, 1:].flatten()
        loss = loss_of_tokens(base, hidden_NM, labels_N, torch.ones(len(labels_N)))
    (loss / len(labels_N)).backward()  # type: ignore[no-untyped-call]


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


def tag_parts(model: nn.Module, watch: StorageTracker) -> None:
    """Tell the tracker which tensors are layer inputs, logits and gradients."""
    base: Any = model.get_base_model() if isinstance(model, PeftModel) else model
    for layer in base.get_decoder().layers:
        layer.register_forward_pre_hook(lambda _, inputs: watch.retag(inputs[0], "layer_inputs"))
    head = base.get_output_embeddings()
    head.register_forward_pre_hook(lambda *_: setattr(watch, "part", "logits"))
    base.get_decoder().register_forward_pre_hook(lambda *_: setattr(watch, "part", "live_layer"))
    last = list(base.get_decoder().layers)[-1]
    last.register_full_backward_pre_hook(lambda *_: setattr(watch, "part", "live_layer"))
    for parameter in list_unique(p for p in model.parameters() if p.requires_grad):
        parameter.register_post_accumulate_grad_hook(  # type: ignore[no-untyped-call]
            lambda p: watch.retag(p.grad, "gradients")
        )


def list_unique(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    """Return each parameter once."""
    return list({id(parameter): parameter for parameter in parameters}.values())


AttentionInterface.register(WHOLE_ROWS, attend_whole_rows)
AttentionMaskInterface.register(WHOLE_ROWS, lambda **_: None)
