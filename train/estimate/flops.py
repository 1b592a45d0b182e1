"""Count the FLOPs of a forward pass by the paper's formula, with full attention or S2-Attn.

Source: LongLoRA (arXiv 2309.12307), Table 11. It counts every pair of query and key, masked or not, and a quarter of
them for S2-Attn. Current kernels skip masked pairs: `is_causal` counts what they compute.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from train.attention.segments import cut_into_groups


@dataclass(frozen=True)
class Architecture:
    """The sizes of a Llama that decide its FLOPs; its keys and values have `kv_width` numbers per token."""

    width: int
    kv_width: int
    feed_forward_width: int
    num_layers: int
    vocabulary: int


LLAMA_2_7B = Architecture(width=4096, kv_width=4096, feed_forward_width=11_008, num_layers=32, vocabulary=32_000)


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
    per_token = 2 * num_tokens * model.num_layers
    return {
        "attention": 4.0 * pairs * model.width * model.num_layers,
        "projections": per_token * 2.0 * model.width * (model.width + model.kv_width),
        "feed_forward": per_token * 3.0 * model.width * model.feed_forward_width,
        "head": 2.0 * num_tokens * model.width * model.vocabulary,
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
