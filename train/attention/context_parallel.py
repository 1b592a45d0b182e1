"""Sequence parallelism: several processes share each row, and attention exchanges tokens for heads.

    between layers      process p of P holds tokens [p C, p C + C) of each row, with all their features
    within attention    it holds all tokens of 1 / P of the plain heads and 1 / P of the shifted ones

The result is the attention of one process, group by group, with any backend. All other memory and work of a row is
divided among the processes. The number of processes must be a multiple of P, the number of query heads a multiple of
2 P. Key-value heads are repeated if there are too few.

Source: DeepSpeed-Ulysses (arXiv 2309.14509), section 3. accelerate has it too, but only for the attention functions it
lists; DeepSpeed gives a process adjacent heads, of which S2-Attn would shift the wrong half.

Shape suffixes: B rows, T tokens of a row, C tokens of a chunk, H query heads, K key and value heads, D head size, P
processes, N heads that a process holds while it attends, h half of them.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from accelerate.data_loader import SeedableRandomSampler
from torch import Tensor, distributed
from torch.nn.functional import pad
from torch.utils.data import Dataset, Sampler
from transformers import PretrainedConfig

from pipeline.errors import InputError
from train.attention.segments import Segments, make_segment_ids

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
Exchange = Callable[[Tensor], Tensor]  # sends part p along the first axis to process p, returns what each one sent
WHOLE_ROW_INPUTS = ("attention_mask", "cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k")


class SharedRows:
    """Rows of which each process of a group holds a chunk; one object for all layers of a forward pass."""

    def __init__(self, num_processes: int, exchange: Exchange, segment_ids_BT: Tensor | None) -> None:
        """Keep what attention needs. If each row is one segment, `segment_ids_BT` is None."""
        self.num_processes = num_processes
        self.exchange = exchange
        self.segment_ids_BT = segment_ids_BT
        self.segments: Segments | None = None

    def cached_segments(self, group_size: int, num_rows: int, num_tokens: int) -> Segments:
        """Return the segments of the whole rows, found once for all layers."""
        if self.segments is None:
            self.segments = Segments(self.segment_ids_BT, num_rows, num_tokens, group_size)
        return self.segments

    def attend(self, q_BHCD: Tensor, k_BKCD: Tensor, v_BKCD: Tensor, attend: Attend) -> Tensor:
        """Attend to whole rows; return this process's tokens (B, C, H, D).

        Args:
            q_BHCD: Queries of this process's tokens.
            k_BKCD: Keys of them.
            v_BKCD: Values of them.
            attend: Takes queries, keys and values (B, N, T, D) and returns (B, T, N, D).
        """
        num_heads = q_BHCD.shape[1]
        k_BKCD, v_BKCD = (self.repeat_kv_heads(x, num_heads) for x in (k_BKCD, v_BKCD))
        return self.gather_heads(attend(*(self.scatter_heads(x) for x in (q_BHCD, k_BKCD, v_BKCD))))

    def repeat_kv_heads(self, x_BKCD: Tensor, num_heads: int) -> Tensor:
        """Repeat key-value heads until each process can have equally many in both halves."""
        num_kv_heads = x_BKCD.shape[1]
        times = next(
            times
            for times in range(1, num_heads // num_kv_heads + 1)
            if num_heads % (num_kv_heads * times) == 0 and num_kv_heads * times % (2 * self.num_processes) == 0
        )
        return x_BKCD if times == 1 else x_BKCD.repeat_interleave(times, 1)

    def scatter_heads(self, x_BHCD: Tensor) -> Tensor:
        """Exchange all heads of this process's tokens for its own heads of all tokens; return (B, N, T, D)."""
        parts_PB2hCD = torch.unflatten(x_BHCD, 1, (2, self.num_processes, -1)).permute(2, 0, 1, 3, 4, 5)
        return self.exchange(parts_PB2hCD).permute(1, 2, 3, 0, 4, 5).flatten(3, 4).flatten(1, 2)

    def gather_heads(self, x_BTND: Tensor) -> Tensor:
        """Exchange its own heads of all tokens for all heads of this process's tokens; return (B, C, H, D)."""
        x_BTND = torch.unflatten(torch.unflatten(x_BTND, 2, (2, -1)), 1, (self.num_processes, -1))
        parts_PBC2hD = x_BTND.transpose(0, 1)
        return self.exchange(parts_PBC2hD).permute(1, 2, 3, 0, 4, 5).flatten(2, 4)


class AllToAll(torch.autograd.Function):
    """Send part p along the first axis to process p, and gradients the same way back."""

    @staticmethod
    def forward(ctx: Any, parts: Tensor, group: distributed.ProcessGroup) -> Tensor:
        """Return what each process sent, in the order of the processes."""
        ctx.group = group
        received = torch.empty_like(parts, memory_format=torch.contiguous_format)
        distributed.all_to_all_single(received, parts.contiguous(), group=group)
        return received

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Return each part's gradient, from the process that received the part."""
        received = torch.empty_like(grads[0], memory_format=torch.contiguous_format)
        distributed.all_to_all_single(received, grads[0].contiguous(), group=ctx.group)
        return received, None


@dataclass(frozen=True)
class SequenceGroup:
    """The processes that share rows with this one."""

    group: distributed.ProcessGroup

    @cached_property
    def size(self) -> int:
        """The number of processes."""
        return self.group.size()

    def share(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return the model's inputs for this process's chunk of a batch of whole rows.

        Labels are left out, because the label of a chunk's last token is the first token of the next chunk.
        """
        ids_BT = inputs["input_ids"]
        positions_BT = inputs.get("position_ids")
        if positions_BT is None:
            positions_BT = torch.arange(ids_BT.shape[1], device=ids_BT.device)[None]
        rows = SharedRows(self.size, partial(exchange_parts, group=self.group), self.segment_ids(inputs, positions_BT))
        own = {name: value for name, value in inputs.items() if name not in (*WHOLE_ROW_INPUTS, "labels")}
        return {
            **own,
            "input_ids": self.own_chunk(ids_BT, 0),
            "position_ids": self.own_chunk(positions_BT, 0).expand(len(ids_BT), -1),
            "shared_rows": rows,
        }

    def segment_ids(self, inputs: dict[str, Any], positions_BT: Tensor) -> Tensor:
        """Return the segment ids of whole rows, padded to a multiple of the number of processes."""
        starts_BT = torch.zeros_like(inputs["input_ids"], dtype=torch.bool)
        starts_BT[:, 0] = True
        ids_BT = make_segment_ids(
            starts_BT,
            real_BT=inputs.get("attention_mask"),
            position_ids_BT=positions_BT,
            cu_seq_lens=inputs.get("cu_seq_lens_q"),
        )
        return pad(ids_BT, (0, -ids_BT.shape[1] % self.size), value=-1)

    def own_chunk(self, x_BT: Tensor, filling: float) -> Tensor:
        """Return this process's chunk of whole rows, which are padded so that all chunks are equally long."""
        whole_BT = pad(x_BT, (0, -x_BT.shape[1] % self.size), value=filling)
        return whole_BT.chunk(self.size, dim=1)[self.group.rank()].contiguous()


def exchange_parts(parts: Tensor, *, group: distributed.ProcessGroup) -> Tensor:
    """Send part p along the first axis to process p of a group; return what each process sent this one."""
    received: Tensor = AllToAll.apply(parts, group)  # type: ignore[no-untyped-call]
    return received


def join_sequence_group(size: int) -> SequenceGroup | None:
    """Return the group of processes that share rows with this one. If each has rows of its own, return None.

    All processes call this.
    """
    if size == 1:
        return None
    group, _ = distributed.new_subgroups(size)  # type: ignore[no-untyped-call]
    return SequenceGroup(group)


class SharedSampler(Sampler[int]):
    """Yields each batch of row numbers once for each process that shares it, in the order of a single process.

    accelerate gives batches to the processes in turn: of batches 0, 0, 1, 1 each of two processes gets 0, then 1.
    """

    def __init__(self, dataset: Dataset[Any], batch_size: int, num_shared: int, seed: int) -> None:
        """Shuffle the rows of a dataset as accelerate does with the same seed."""
        self.order = SeedableRandomSampler(dataset, data_seed=seed)
        self.batch_size = batch_size
        self.num_shared = num_shared

    def __len__(self) -> int:
        """Return how many row numbers it yields."""
        return len(self.order) * self.num_shared

    def __iter__(self) -> Iterator[int]:
        """Yield the row numbers of one epoch."""
        numbers = list(self.order)
        for first in range(0, len(numbers), self.batch_size):
            yield from numbers[first : first + self.batch_size] * self.num_shared

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch that decides the order of the next pass."""
        self.order.set_epoch(epoch)


def count_processes() -> int:
    """Return how many processes train together, from the launcher's environment."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def check_sequence_parallel(size: int, config: PretrainedConfig, section: str) -> None:
    """Check that groups of `size` processes can share rows.

    Raises:
        InputError: `size` does not divide the number of processes, or half of the model's heads.
    """
    if size < 1 or count_processes() % size:
        raise InputError(
            f"{section}.sequence_parallel",
            found=f"{size} processes to a row, {count_processes()} in all",
            expected="a number that divides the number of processes",
            fix="Start enough processes with accelerate launch --num_processes, or set it to 1.",
        )
    check_heads(size, config, section)


def check_heads(size: int, config: PretrainedConfig, section: str) -> None:
    """Check that `size` processes can divide the heads of a model evenly.

    Raises:
        InputError: `size` does not divide half of the heads.
    """
    num_heads = config.get_text_config().num_attention_heads
    if size > 1 and num_heads % (2 * size):
        fitting = [str(other) for other in range(1, num_heads + 1) if num_heads % (2 * other) == 0]
        raise InputError(
            f"{section}.sequence_parallel",
            found=f"{size} for a model of {num_heads} heads",
            expected=f"a number that divides half of them: {', '.join(fitting) or 'none does'}",
            fix="Set it to one of them, or to 1.",
        )
