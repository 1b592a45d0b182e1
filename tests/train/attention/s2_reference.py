"""S2-Attn by its definition: a dense mask of queries and keys, in float64."""

from itertools import pairwise

import torch


def segment_mask(length, group_size, *, is_shifted):
    """Return which key (column) each query (row) of a segment sees."""
    token = torch.arange(length)
    border = group_size // 2 if is_shifted else 0  # one border of a group; the others are multiples of G away
    group = torch.div(token - border, group_size, rounding_mode="floor")
    causal = token[:, None] >= token[None, :]
    return causal & ((group[:, None] == group[None, :]) | (length <= group_size))


def row_mask(num_heads, group_size, ids):
    """Return the mask (heads, queries, keys) of a row with these segment ids; negative ones are padding."""
    mask = torch.zeros(num_heads, len(ids), len(ids), dtype=torch.bool)
    borders = [0, *(n for n in range(1, len(ids)) if ids[n] != ids[n - 1]), len(ids)]
    for start, end in pairwise(borders):
        for head in range(num_heads):
            if ids[start] >= 0:
                part = segment_mask(end - start, group_size, is_shifted=head >= num_heads // 2)
                mask[head, start:end, start:end] = part
    return mask


def dense_attention(q, k, v, masks, scaling=None):
    """Attend with a dense mask; a query that sees nothing gets 0."""
    per_kv = q.shape[1] // k.shape[1]
    scores = q @ k.repeat_interleave(per_kv, 1).transpose(2, 3) * (scaling or q.shape[-1] ** -0.5)
    weights = scores.masked_fill(~masks, -torch.inf).softmax(-1).nan_to_num(0)
    return weights @ v.repeat_interleave(per_kv, 1)
