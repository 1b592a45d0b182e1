"""The kernels that S2-Attn runs on; all compute the same, and none repeats keys and values in memory.

    sdpa    torch's own fused attention, group by group: every device and dtype, the default
    flash   flash-attn's varlen kernel, in `train.attention.cuda`
    flex    FlexAttention's block mask, in `train.attention.cuda`

On a CPU, `sdpa` is one operator of torch's library with a backward of its own. It writes each group's result where it
belongs, so that it needs no more memory than full attention, and compiled models call it whole.

Shape suffixes: B rows, T tokens of a row, H query heads, K key and value heads, D head size, N groups, G tokens of a
group. R stands for a run of heads (see `HeadRun`), P for the query heads that share a key-value head.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from train.attention.segments import Block, Segments

MIN_CALL_TOKENS = 2_048  # of all heads together: with fewer, calling takes longer than computing

flash_forward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
flash_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


@dataclass(frozen=True)
class HeadRun:
    """Query heads `first` to `last` (excluded) and the key-value heads that serve them and them alone.

    A run holds either whole groups of query heads, or heads that share one key-value head.
    """

    first: int
    last: int
    kv_first: int
    kv_last: int
    is_shifted: bool

    @property
    def num_shared(self) -> int:
        """Return how many query heads of the run share a key-value head."""
        return (self.last - self.first) // (self.kv_last - self.kv_first)


def split_heads(num_heads: int, num_kv_heads: int, *, is_split: bool) -> list[HeadRun]:
    """Divide the heads into plain and shifted ones, and each half where it cuts through a key-value head's group."""
    if not is_split:
        return [HeadRun(0, num_heads, 0, num_kv_heads, is_shifted=False)]
    per_kv = num_heads // num_kv_heads
    runs = []
    for is_shifted, first, last in ((False, 0, num_heads // 2), (True, num_heads // 2, num_heads)):
        whole_first, whole_last = -(-first // per_kv) * per_kv, last // per_kv * per_kv
        inner = [whole_first, whole_last] if whole_first <= whole_last else []
        for start, end in pairwise([first, *inner, last]):
            if start < end:
                runs.append(HeadRun(start, end, start // per_kv, -(-end // per_kv), is_shifted))
    return runs


@dataclass(frozen=True)
class Call:
    """What the fused kernel takes in one call, as a batch: groups, rows or key-value heads, one of the three."""

    block: Block
    run: HeadRun
    kv: range  # key-value heads, counted from the run's first
    shared: range  # of the query heads that share each of these

    def queries(self, x_BHTD: Tensor) -> Tensor:
        """Return the call's part of queries, or of what has their shape: (batch, heads, G, D), a view."""
        x_BKPTD = torch.unflatten(x_BHTD[:, self.run.first : self.run.last], 1, (-1, self.run.num_shared))
        return self.batched(x_BKPTD[:, :, self.shared.start : self.shared.stop])

    def keys(self, x_BKTD: Tensor) -> Tensor:
        """Return the call's part of keys or values, a view as above with the heads that expand to the queries'."""
        return self.batched(x_BKTD[:, self.run.kv_first : self.run.kv_last].unsqueeze(2))

    def place(self) -> tuple[int, int]:
        """Return where it begins. In this order the pages of a result come into use as it fills up, not all at once."""
        return self.block.rows.start, self.block.start

    def batched(self, x_BKPTD: Tensor) -> Tensor:
        """Cut the call's part out and put the axis along which it has many first."""
        rows, block = self.block.rows, self.block
        x_BKPTD = x_BKPTD[rows.start : rows.stop, self.kv.start : self.kv.stop, :, block.start : block.end]
        if self.run.num_shared > 1 and len(self.kv) > 1:
            return x_BKPTD[0]
        x_BRTD = x_BKPTD.flatten(1, 2)
        if block.num > 1:
            return torch.unflatten(x_BRTD[0], 1, (block.num, block.size)).transpose(0, 1)
        return x_BRTD


def plan_calls(segments: Segments, num_heads: int, num_kv_heads: int) -> Iterator[Call]:
    """Yield the calls that attend for every head and every group, each pair once.

    A call is small, because what it returns is copied and lies beside the result meanwhile; but its heads and batch are
    as many as the threads, among which the backward kernel shares them out.
    """
    for run in split_heads(num_heads, num_kv_heads, is_split=segments.is_split):
        for block in segments.blocks(is_shifted=run.is_shifted):
            wanted = max(torch.get_num_threads(), MIN_CALL_TOKENS // block.size)
            for shared in split_range(run.num_shared, wanted):
                num_kv, num_batch = divide_call(wanted, len(shared), run)
                for part in split_block(block, num_batch):
                    for kv in split_range(run.kv_last - run.kv_first, num_kv):
                        yield Call(part, run, kv, shared)


def divide_call(wanted: int, num_shared: int, run: HeadRun) -> tuple[int, int]:
    """Return how many key-value heads, and how many groups or rows, a call takes to have `wanted` heads and batch."""
    num_kv = min(run.kv_last - run.kv_first, -(-wanted // num_shared))
    num_batch = -(-wanted // (num_shared * num_kv))
    return (num_kv, num_batch) if num_batch == 1 or run.num_shared == 1 else (1, -(-wanted // num_shared))


def split_range(length: int, size: int) -> list[range]:
    """Divide a range from 0 on into ranges of at most `size`."""
    return [range(first, min(first + size, length)) for first in range(0, length, size)]


def split_block(block: Block, size: int) -> Iterator[Block]:
    """Divide a block into blocks of one row or one group a row, `size` groups or rows each."""
    if len(block.rows) < block.num:
        for row in block.rows:
            for groups in split_range(block.num, size):
                start = block.start + groups.start * block.size
                yield Block(range(row, row + 1), start, len(groups), block.size)
    else:
        for start in range(block.start, block.end, block.size):
            for rows in split_range(len(block.rows), size):
                yield Block(block.rows[rows.start : rows.stop], start, 1, block.size)


@torch.library.custom_op("longalpaca::s2_attention", mutates_args=(), device_types="cpu")
def attend_on_cpu(
    q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor, segment_ids_BT: Tensor | None, group_size: int, scaling: float
) -> tuple[Tensor, Tensor]:
    """Return the output (B, T, H, D), 0 at padding, and the logarithm of each softmax's denominator (B, H, T)."""
    segments = Segments(segment_ids_BT, q_BHTD.shape[0], q_BHTD.shape[2], group_size)
    out_BTHD, lse_BHT = empty_outputs(q_BHTD)
    if segments.has_padding:
        out_BTHD.zero_()
        lse_BHT.zero_()
    out_BHTD = out_BTHD.transpose(1, 2)
    for call in plan_calls(segments, q_BHTD.shape[1], k_BKTD.shape[1]):
        q, k, v = call.queries(q_BHTD), call.keys(k_BKTD), call.keys(v_BKTD)
        out, lse = flash_forward(q, k.expand_as(q), v.expand_as(q), 0.0, is_causal=True, scale=scaling)
        call.queries(out_BHTD).copy_(out)
        call.queries(lse_BHT.unsqueeze(-1)).copy_(lse.unsqueeze(-1))
    return out_BTHD, lse_BHT


@attend_on_cpu.register_fake
def _(q_BHTD: Tensor, *_others: Any) -> tuple[Tensor, Tensor]:
    return empty_outputs(q_BHTD)


def empty_outputs(q_BHTD: Tensor) -> tuple[Tensor, Tensor]:
    """Return room for the output and for the logarithms, which the kernel keeps in float32 at least."""
    num_rows, num_heads, num_tokens, head_size = q_BHTD.shape
    dtype = torch.promote_types(q_BHTD.dtype, torch.float32)
    out_BTHD = q_BHTD.new_empty(num_rows, num_tokens, num_heads, head_size)
    return out_BTHD, q_BHTD.new_empty(num_rows, num_heads, num_tokens, dtype=dtype)


@torch.library.custom_op("longalpaca::s2_attention_backward", mutates_args=(), device_types="cpu")
def attend_on_cpu_backward(
    grad_BTHD: Tensor,
    q_BHTD: Tensor,
    k_BKTD: Tensor,
    v_BKTD: Tensor,
    out_BTHD: Tensor,
    lse_BHT: Tensor,
    segment_ids_BT: Tensor | None,
    group_size: int,
    scaling: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of queries, keys and values, of their shapes."""
    segments = Segments(segment_ids_BT, q_BHTD.shape[0], q_BHTD.shape[2], group_size)
    has_own_keys = q_BHTD.shape[1] == k_BKTD.shape[1]
    empty = torch.zeros_like if segments.has_padding else torch.empty_like
    q_grad = empty(q_BHTD)
    k_grad, v_grad = (empty(x) if has_own_keys else torch.zeros_like(x) for x in (k_BKTD, v_BKTD))
    grad_BHTD, out_BHTD = grad_BTHD.contiguous().transpose(1, 2), out_BTHD.transpose(1, 2)
    calls = plan_calls(segments, q_BHTD.shape[1], k_BKTD.shape[1])
    for call in sorted(calls, key=Call.place):
        q, k, v = call.queries(q_BHTD), call.keys(k_BKTD), call.keys(v_BKTD)
        grad, out, lse = call.queries(grad_BHTD), call.queries(out_BHTD), call.queries(lse_BHT.unsqueeze(-1))
        grads = flash_backward(
            grad, q, k.expand_as(q), v.expand_as(q), out, lse.squeeze(-1), 0.0, is_causal=True, scale=scaling
        )
        call.queries(q_grad).copy_(grads[0])
        for whole, part in ((k_grad, grads[1]), (v_grad, grads[2])):
            if has_own_keys:
                call.keys(whole).copy_(part)
            else:
                call.keys(whole).add_(part.sum(1, keepdim=True))
        del grads, part  # before the next call makes its own
    return q_grad, k_grad, v_grad


@attend_on_cpu_backward.register_fake
def _(_: Tensor, q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor, *_others: Any) -> tuple[Tensor, Tensor, Tensor]:
    return torch.empty_like(q_BHTD), torch.empty_like(k_BKTD), torch.empty_like(v_BKTD)


def keep_for_backward(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    """Keep what the backward pass needs."""
    q_BHTD, k_BKTD, v_BKTD, segment_ids_BT, ctx.group_size, ctx.scaling = inputs
    ctx.save_for_backward(q_BHTD, k_BKTD, v_BKTD, *output, segment_ids_BT)
    ctx.mark_non_differentiable(output[1])


def backpropagate(ctx: Any, grad_BTHD: Tensor, _: Any) -> tuple[Tensor | None, ...]:
    """Return the gradients of the inputs of `attend_on_cpu`."""
    *tensors, segment_ids_BT = ctx.saved_tensors
    grads = attend_on_cpu_backward(grad_BTHD, *tensors, segment_ids_BT, ctx.group_size, ctx.scaling)
    return *grads, None, None, None


attend_on_cpu.register_autograd(backpropagate, setup_context=keep_for_backward)


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
    """Attend within one row by operators that differentiate themselves; return (T, H, D).

    Everything is split and joined once, because the gradient of a slice is as large as what it was cut from.
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
    """Concatenate, without a copy where there is nothing to join."""
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors, dim)
