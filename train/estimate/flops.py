"""Count the FLOPs of a forward pass by the paper's formula, with full attention or S2-Attn.

Source: LongLoRA (arXiv 2309.12307), Table 11. It counts every pair of query and key, masked or not, and a quarter of
them for S2-Attn. Current kernels skip masked pairs: `is_causal` counts what they compute.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn
from transformers import PretrainedConfig, PreTrainedModel

from train.attention.segments import cut_into_groups

ATTENTION = re.compile(r"attn|attention")  # in the name of a weight
EXPERT = re.compile(r"(?<!shared_)experts\.")
ACTIVE_EXPERTS = ("num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_top_k", "top_k_experts")
EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")


@dataclass(frozen=True)
class Architecture:
    """The sizes of a model that decide its FLOPs: the weights that a token is multiplied with, and its attention."""

    num_layers: int
    attention_width: float  # heads times their size; of queries and values on average
    projections: int  # weights of attention, in all layers
    feed_forward: int  # the other weights of all layers; of a mixture, those of the experts that a token goes through
    head: int


LLAMA_2_7B = Architecture(
    num_layers=32,
    attention_width=4096,
    projections=32 * 4 * 4096**2,
    feed_forward=32 * 3 * 4096 * 11_008,
    head=32_000 * 4096,
)


def read_architecture(model: PreTrainedModel, config: PretrainedConfig) -> Architecture:
    """Return the sizes that the number of FLOPs depends on; the model may be on the meta device."""
    text: Any = config.get_text_config()
    size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    sizes = [getattr(text, name, None) or size for name in ("qk_head_dim", "v_head_dim")]
    weights = {"projections": 0.0, "feed_forward": 0.0}
    for name, parameter in model.get_decoder().named_parameters():
        if parameter.dim() >= 2 and "bias" not in name and not is_embedding(model.get_decoder(), name):
            part = "projections" if ATTENTION.search(name) else "feed_forward"
            weights[part] += parameter.numel() * (find_active_fraction(text) if EXPERT.search(name) else 1)
    return Architecture(
        num_layers=text.num_hidden_layers,
        attention_width=text.num_attention_heads * sum(sizes) / 2,
        projections=round(weights["projections"]),
        feed_forward=round(weights["feed_forward"]),
        head=model.get_output_embeddings().weight.numel(),
    )


def is_embedding(model: nn.Module, name: str) -> bool:
    """Whether a weight is looked up by the token or its position, and multiplied with nothing."""
    return isinstance(model.get_submodule(name.rpartition(".")[0]), nn.Embedding)


def find_active_fraction(config: Any) -> float:
    """Return the fraction of the experts of a mixture that a token goes through; 1 if the config does not say."""
    active, every = (
        next((value for name in names if isinstance(value := getattr(config, name, None), int)), None)
        for names in (ACTIVE_EXPERTS, EXPERTS)
    )
    return active / every if active and every else 1.0


def count_forward_flops(
    model: Architecture, num_tokens: int, *, group_size: int | None = None, is_causal: bool = False
) -> Mapping[str, float]:
    """Return the FLOPs of one forward pass over one row by part: attention, projections, feed_forward, head.

    Args:
        model: The sizes of the model.
        num_tokens: N, the tokens of the row.
        group_size: G of S2-Attn; None for full attention.
        is_causal: Count only the pairs of query and key that are not masked.
    """
    pairs = count_pairs(num_tokens, group_size, is_causal=is_causal)
    return {
        "attention": 4.0 * pairs * model.attention_width * model.num_layers,
        "projections": 2.0 * num_tokens * model.projections,
        "feed_forward": 2.0 * num_tokens * model.feed_forward,
        "head": 2.0 * num_tokens * model.head,
    }


def count_pairs(num_tokens: int, group_size: int | None, *, is_causal: bool) -> float:
    """Return how many pairs of query and key a head computes, averaged over plain and shifted heads."""
    size = num_tokens if group_size is None else group_size
    if not is_causal:
        return float(num_tokens * min(size, num_tokens))
    halves = (
        sum(num * length * (length + 1) / 2 for _, num, length in cut_into_groups(num_tokens, size, is_shifted=half))
        for half in (False, True)
    )
    return sum(halves) / 2
