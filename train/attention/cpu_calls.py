"""Which calls of torch's fused kernel compute S2-Attn on a CPU, and the views of queries and keys that each takes.

Shape suffixes: B rows, T tokens of a row, H query heads, K key and value heads, D head size, G tokens of a group. R
stands for a run of heads (see `HeadRun`), P for the query heads that share a key-value head.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from train.attention.heads import HeadRun, split_heads
from train.attention.segments import Block, Segments

MIN_CALL_TOKENS = 2_048  # over all heads of a call: with fewer, the call itself takes longer than the computation


@dataclass(frozen=True)
class Call:
    """One call of the fused kernel. Its batch is groups, rows or key-value heads, one of the three."""

    block: Block
    run: HeadRun
    kv: range  # key-value heads, counted from the run's first
    shared: range  # of the query heads that share each of these

    def queries(self, x_BHTD: Tensor) -> Tensor:
        """Return the call's view of queries, or of what has their shape: (batch, heads, G, D)."""
        x_BKPTD = torch.unflatten(x_BHTD[:, self.run.first : self.run.last], 1, (-1, self.run.num_shared))
        return self.cut_batch(x_BKPTD[:, :, self.shared.start : self.shared.stop])

    def keys(self, x_BKTD: Tensor) -> Tensor:
        """Return the call's view of keys or values, with heads that expand to those of the queries."""
        return self.cut_batch(x_BKTD[:, self.run.kv_first : self.run.kv_last].unsqueeze(2))

    def position(self) -> tuple[int, int]:
        """Return the first row and token. In this order a result's pages come into use as it fills, not all at once."""
        return self.block.rows.start, self.block.start

    def cut_batch(self, x_BKPTD: Tensor) -> Tensor:
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

    A call is small, because its result is a copy that is in memory beside the output. Its heads times its batch are
    still at least the number of threads, because the backward kernel spreads these over the threads.
    """
    for run in split_heads(num_heads, num_kv_heads, is_split=segments.is_split):
        for block in segments.blocks(is_shifted=run.is_shifted):
            size = max(torch.get_num_threads(), MIN_CALL_TOKENS // block.size)
            for shared in split_range(run.num_shared, size):
                num_kv, num_batch = choose_call_shape(size, len(shared), run)
                for part in split_block(block, num_batch):
                    for kv in split_range(run.kv_last - run.kv_first, num_kv):
                        yield Call(part, run, kv, shared)


def choose_call_shape(size: int, num_shared: int, run: HeadRun) -> tuple[int, int]:
    """Return how many key-value heads and how many groups a call takes, so that heads times groups reach `size`.

    If every query head has keys of its own, a call may have many of both: of 4 heads, `size` 16 gives (4, 4).
    If heads share keys, the kernel's batch is either key-value heads or groups. With 4 query heads to each of 4
    key-value heads, `size` 16 gives (4, 1), and `size` 32, for which the heads are too few, gives (1, 8).
    """
    num_kv = min(run.kv_last - run.kv_first, -(-size // num_shared))
    num_batch = -(-size // (num_shared * num_kv))
    return (num_kv, num_batch) if num_batch == 1 or run.num_shared == 1 else (1, -(-size // num_shared))


def split_range(length: int, size: int) -> list[range]:
    """Split a range from 0 on into ranges of at most `size`: 5 by 2 into 0-1, 2-3 and 4."""
    return [range(first, min(first + size, length)) for first in range(0, length, size)]


def split_block(block: Block, size: int) -> Iterator[Block]:
    """Split a block into blocks of one row or of one group a row, with at most `size` groups or rows each."""
    if len(block.rows) < block.num:
        for row in block.rows:
            for groups in split_range(block.num, size):
                start = block.start + groups.start * block.size
                yield Block(range(row, row + 1), start, len(groups), block.size)
    else:
        for start in range(block.start, block.end, block.size):
            for rows in split_range(len(block.rows), size):
                yield Block(block.rows[rows.start : rows.stop], start, 1, block.size)
