"""S2-Attn on torch's fused attention, group by group: the default, for every device and dtype.

Keys and values are never repeated in memory. On a CPU without dropout it is the operator of `train.attention.cpu_op`.

Shape suffixes: B rows, T tokens of a row, H query heads, K key and value heads, D head size, N groups, G tokens of a
group. R stands for a run of heads (see `HeadRun`).
"""

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from train.attention.cpu_op import attend_on_cpu
from train.attention.heads import split_heads
from train.attention.segments import Block, Segments


def attend_by_sdpa(
    q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor, segments: Segments, dropout: float, scaling: float
) -> Tensor:
    """Attend group by group with torch's fused attention; return (B, T, H, D)."""
    if q_BHTD.is_cpu and dropout == 0.0 and q_BHTD.shape[-1] == v_BKTD.shape[-1]:
        ids_BT = segments.ids_BT
        out_BTHD: Tensor = attend_on_cpu(q_BHTD, k_BKTD, v_BKTD, ids_BT, segments.group_size, scaling)[0]
        return out_BTHD
    rows = zip(q_BHTD.unbind(0), k_BKTD.unbind(0), v_BKTD.unbind(0), strict=True)
    outs = [attend_within_row(*row, segments, number, dropout, scaling) for number, row in enumerate(rows)]
    return torch.stack(outs)


def attend_within_row(
    q_HTD: Tensor, k_KTD: Tensor, v_KTD: Tensor, segments: Segments, row: int, dropout: float, scaling: float
) -> Tensor:
    """Attend within one row by operators that autograd differentiates; return (T, H, D).

    Tensors are split and concatenated once: the gradient of a slice is as large as the tensor it was sliced from.
    """
    runs = split_heads(q_HTD.shape[0], k_KTD.shape[0], is_split=segments.is_split)
    outs = []
    for run, q_RTD in zip(runs, torch.split(q_HTD, [run.last - run.first for run in runs]), strict=True):
        kv = slice(run.kv_first, run.kv_last)
        blocks = segments.tiles(row, is_shifted=run.is_shifted)
        sizes = [block.end - block.start for block in blocks]
        parts = zip(*(torch.split(x_RTD, sizes, dim=1) for x_RTD in (q_RTD, k_KTD[kv], v_KTD[kv])), strict=True)
        along = [
            attend_within_block(q, k, v, block, dropout, scaling)
            for (q, k, v), block in zip(parts, blocks, strict=True)
        ]
        outs.append(concatenate(along, dim=0))
    return concatenate(outs, dim=1)


def attend_within_block(
    q_RTD: Tensor, k_RTD: Tensor, v_RTD: Tensor, block: Block, dropout: float, scaling: float
) -> Tensor:
    """Attend within each group of a block; return (T, R, D), with 0 at padding."""
    if block.is_padding:
        return v_RTD.new_zeros(block.size, q_RTD.shape[0], v_RTD.shape[-1])
    q_NRGD, k_NRGD, v_NRGD = (
        torch.unflatten(x, 1, (block.num, block.size)).transpose(0, 1) for x in (q_RTD, k_RTD, v_RTD)
    )
    is_shared = q_NRGD.shape[1] != k_NRGD.shape[1]
    out_NRGD = scaled_dot_product_attention(
        q_NRGD, k_NRGD, v_NRGD, dropout_p=dropout, is_causal=True, scale=scaling, enable_gqa=is_shared
    )
    return out_NRGD.transpose(1, 2).flatten(0, 1)


def concatenate(tensors: list[Tensor], dim: int) -> Tensor:
    """Concatenate; a single tensor is returned as it is, without a copy."""
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors, dim)
