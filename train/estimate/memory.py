"""Estimate the peak memory of a training step, and what it is used for, without a GPU and without weights.

The model is built from its real modules with the recipe's adapters, and one step runs on fake tensors, which have
shapes and storages but no content. Every storage that the step creates is tracked until it is freed; the largest sum is
the peak. Not included: what a kernel allocates inside, what the allocator wastes, and what CUDA and its libraries take
(about half a GiB).

A model whose layers are all alike is run with two layers and with three, and the rest is extrapolated, which is exact:
at each moment of a step (in the first layer's forward pass, in the last layer's backward pass, ...) every part grows by
the same number of bytes with each further layer.

Shape suffixes: B rows, T tokens of a row, M model width, V vocabulary, N tokens with a label.
"""
# ruff: noqa: N803, N806 - shape suffixes on tensors

import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from copy import deepcopy
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
from transformers import PretrainedConfig

from train.attention.context_parallel import SharedRows
from train.estimate.fake_model import build_fake_model, to_fake
from train.recipe import TrainingParams
from train.trainer.loss import sum_losses_in_chunks

PARTS = ("weights", "gradients", "optimizer", "layer_inputs", "kept_attention", "live_layer", "logits")
OPTIMIZER_BYTES = {"adamw": 8.0, "adamw_8bit": 2.0, "paged_adamw_8bit": 2.0}  # of two moments
ATTENTION = ("longalpaca::s2_attention", "aten::_scaled_dot_product")
Loss = Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor]  # of the model, hidden states, labels and weights
FEWEST_LAYERS = 2  # a first one and a last one, from which the peak of any number of layers follows
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
    """Counts the bytes of all live storages by part, and keeps the counts at the peak of each moment of a step."""

    def __init__(self, *, has_offload: bool, keeps_attention: bool) -> None:
        """Start with no storage."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.has_offload = has_offload
        self.keeps_attention = keeps_attention
        self.alive: Counter[str] = Counter()
        self.phase, self.moment = "forward pass", "start"
        self.peaks: dict[str, Counter[str]] = {}
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
        """Keep the current counts if they are the highest of this moment so far."""
        counts = self.counts()
        if counts.total() > self.peaks.setdefault(self.moment, Counter()).total():
            self.peaks[self.moment] = counts

    def enter(self, module: str) -> None:
        """Begin another moment: the forward or the backward pass of a module."""
        self.moment = f"{self.phase} of the {module}"

    def counts(self) -> Counter[str]:
        """Return the bytes on the GPU now, by part."""
        counts = Counter(self.alive)
        if self.has_offload:
            counts["layer_inputs"] = min(counts["layer_inputs"], IN_FLIGHT * self.layer_input_bytes)
        return counts


def estimate_memory(
    params: TrainingParams, config: PretrainedConfig, section: str, num_tokens: int, *, has_whole_logits: bool = False
) -> Footprint:
    """Run a step on fake tensors and return its peak memory, in one process if several share a row.

    With `has_whole_logits` the loss is the original's, which holds the logits of a whole row. No stage uses it.

    Raises:
        InputError: The model lacks a module that the recipe names.
    """
    config.s2_group_size = params.group_size or num_tokens  # one group of the whole row is full attention
    loss = whole_loss if has_whole_logits else sum_losses_in_chunks
    model = build_fake_model(params, config, section)
    num_layers = len(find_layers(model))
    if num_layers <= FEWEST_LAYERS + 1 or not are_alike(find_layers(model)):
        peaks = track_step(model, params, num_tokens, loss)
    else:
        fewer, more = (
            track_step(build_fake_model(params, with_layers(config, num), section), params, num_tokens, loss)
            for num in (FEWEST_LAYERS, FEWEST_LAYERS + 1)
        )
        peaks = extrapolate(fewer, more, num_layers - FEWEST_LAYERS)
    counts = max(peaks.values(), key=Counter.total)
    num_trained = sum(parameter.numel() for parameter in list_unique(model.parameters()) if parameter.requires_grad)
    counts["optimizer"] = int(num_trained * OPTIMIZER_BYTES[params.optimizer])
    return Footprint({part: counts[part] for part in PARTS})


def track_step(model: nn.Module, params: TrainingParams, num_tokens: int, loss: Loss) -> dict[str, Counter[str]]:
    """Run a step on fake tensors and return the bytes by part at the peak of each of its moments."""
    watch = StorageTracker(has_offload=params.offload_activations, keeps_attention=params.checkpointing == "attention")
    with FakeTensorMode(allow_non_fake_inputs=True):
        to_fake(model)
        watch.watch([*model.parameters(), *model.buffers()], "weights")
        tag_parts(model, watch)
        ids_BT = torch.zeros(params.batch_size, -(-num_tokens // params.sequence_parallel), dtype=torch.long)
        with watch:
            if params.accumulation_steps > 1:  # from the second row on, gradients exist from the start
                add_gradients(model, watch)
            run_step(model, ids_BT, params, loss, watch)
    return watch.peaks


def extrapolate(
    fewer: Mapping[str, Counter[str]], more: Mapping[str, Counter[str]], num_further: int
) -> dict[str, Counter[str]]:
    """Return the peaks of a model with `num_further` layers more than `fewer`; `more` has one layer more.

    Inner layers are left out: what is in use while one runs lies between the first layer's and the last one's.
    """
    return {
        moment: Counter({part: size + num_further * (more[moment][part] - size) for part, size in counts.items()})
        for moment, counts in ((name, with_all_parts(one)) for name, one in fewer.items())
    }


def with_all_parts(counts: Counter[str]) -> dict[str, int]:
    """Return the bytes of every part, 0 for one that is not in use."""
    return {part: counts[part] for part in PARTS}


def find_layers(model: nn.Module) -> list[nn.Module]:
    """Return the decoder layers of a model, in their order: its longest list of modules."""
    base: Any = model.get_base_model() if isinstance(model, PeftModel) else model
    lists = [module for module in base.get_decoder().children() if isinstance(module, nn.ModuleList)]
    return max(([*layers] for layers in lists), key=len)


def are_alike(layers: Iterable[nn.Module]) -> bool:
    """Whether all layers have modules of the same kinds with parameters of the same shapes."""
    kinds = {
        (
            tuple((name, type(module)) for name, module in layer.named_modules()),
            tuple((name, parameter.shape, parameter.dtype) for name, parameter in layer.named_parameters()),
        )
        for layer in layers
    }
    return len(kinds) == 1


def with_layers(config: PretrainedConfig, num_layers: int) -> PretrainedConfig:
    """Return a config with the first layers alone."""
    shorter = deepcopy(config)
    text = shorter.get_text_config()
    text.num_hidden_layers = num_layers
    if getattr(text, "layer_types", None):
        text.layer_types = text.layer_types[:num_layers]
    return shorter


def add_gradients(model: nn.Module, watch: StorageTracker) -> None:
    """Give every trained parameter a gradient, as an earlier row of the same step leaves it."""
    for parameter in list_unique(p for p in model.parameters() if p.requires_grad):
        parameter.grad = torch.empty_like(parameter)
        watch.retag(parameter.grad, "gradients")


def whole_loss(model: Any, hidden_NM: Tensor, labels_N: Tensor, _: Tensor) -> Tensor:
    """Return the sum of tokens' losses as transformers 4.34 had it: all logits in float32, copied to shift them."""
    logits_NV = model.get_output_embeddings()(hidden_NM).float().clone()
    return cross_entropy(logits_NV, labels_N, reduction="sum")


def run_step(
    model: nn.Module, ids_BT: Tensor, params: TrainingParams, loss_of_tokens: Loss, watch: StorageTracker
) -> None:
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
    watch.phase = "backward pass"
    watch.enter("head")
    (loss / len(labels_N)).backward()  # type: ignore[no-untyped-call]


def tag_parts(model: nn.Module, watch: StorageTracker) -> None:
    """Tell the tracker which tensors are layer inputs, logits and gradients, and which moment of the step it is."""
    base: Any = model.get_base_model() if isinstance(model, PeftModel) else model
    layers = find_layers(model)

    def start_layer(name: str, _: nn.Module, inputs: Any) -> None:
        watch.enter(name)
        watch.retag(inputs[0], "layer_inputs")

    def start_head(*_: Any) -> None:
        watch.part = "logits"
        watch.enter("head")

    def start_backward(name: str, *_: Any) -> None:
        watch.part = "live_layer"
        watch.enter(name)

    for number, layer in enumerate(layers):
        name = "first layer" if number == 0 else "last layer" if number == len(layers) - 1 else "inner layer"
        layer.register_forward_pre_hook(partial(start_layer, name))
    layers[0].register_full_backward_pre_hook(partial(start_backward, "first layer"))
    layers[-1].register_full_backward_pre_hook(partial(start_backward, "last layer"))
    base.get_output_embeddings().register_forward_pre_hook(start_head)
    base.get_decoder().register_forward_pre_hook(lambda *_: setattr(watch, "part", "live_layer"))
    for parameter in list_unique(p for p in model.parameters() if p.requires_grad):
        parameter.register_post_accumulate_grad_hook(  # type: ignore[no-untyped-call]
            lambda p: watch.retag(p.grad, "gradients")
        )


def list_unique(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    """Return each parameter once."""
    return list({id(parameter): parameter for parameter in parameters}.values())
