"""Which tokens of a row belong together, and how S2-Attn cuts them into groups.

A segment is a part of a row within which tokens may attend to each other: one document of a packed row, or all of any
other row except its padding. `segment_ids` number them: a new number starts a new segment, a negative one is padding.

A segment of L tokens is cut into groups of G:

    plain heads      [0, G), [G, 2G), ...
    shifted heads    [0, G//2), [G//2, G//2 + G), ...
    L <= G           one group, the whole segment

With L = 10 and G = 4: plain [0, 4), [4, 8), [8, 10), shifted [0, 2), [2, 6), [6, 10).

Shape suffixes: B rows, T tokens of a row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

PADDING = -1


@dataclass(frozen=True)
class Block:
    """Adjacent groups of equal size: `num` of `size` tokens each, from token `start` on, in each of `rows`."""

    rows: range
    start: int
    num: int
    size: int
    is_padding: bool = False  # padding between groups; never attended

    @property
    def end(self) -> int:
        """The token after the last."""
        return self.start + self.num * self.size


class Segments:
    """The segments of a batch, cut into groups of at most `group_size` tokens; all layers of a forward pass share it.

    Raises:
        ValueError: `ids_BT` is not of the shape of the rows.
    """

    def __init__(self, ids_BT: Tensor | None, num_rows: int, num_tokens: int, group_size: int) -> None:
        """Describe the rows. If every row is one segment, `ids_BT` is None."""
        if ids_BT is not None and ids_BT.shape != (num_rows, num_tokens):
            raise ValueError(f"segment_ids have the shape {tuple(ids_BT.shape)}, not {(num_rows, num_tokens)}")
        self.ids_BT = ids_BT
        self.num_rows = num_rows
        self.num_tokens = num_tokens
        self.group_size = group_size
        self.block_masks: dict[bool, Any] = {}  # FlexAttention's, by `is_shifted`, made when first needed

    @cached_property
    def bounds(self) -> list[tuple[range, int, int]]:
        """Rows, start and end of every segment, equal rows together. Reads the ids back from their device."""
        if self.ids_BT is None:
            return [(range(self.num_rows), 0, self.num_tokens)]
        ids_BT = self.ids_BT.cpu()
        if bool((ids_BT == ids_BT[0]).all()):
            return find_bounds(range(self.num_rows), ids_BT[0])
        return [bound for row, ids_T in enumerate(ids_BT) for bound in find_bounds(range(row, row + 1), ids_T)]

    @property
    def has_padding(self) -> bool:
        """Whether some token belongs to no segment."""
        return sum(len(rows) * (end - start) for rows, start, end in self.bounds) < self.num_rows * self.num_tokens

    @property
    def is_split(self) -> bool:
        """Whether some segment is longer than a group, so that plain and shifted heads differ."""
        return any(end - start > self.group_size for _, start, end in self.bounds)

    def blocks(self, *, is_shifted: bool) -> list[Block]:
        """Return the groups of all segments, adjacent ones of equal size as one block."""
        blocks = (
            Block(rows, start + first, num, size)
            for rows, start, end in self.bounds
            for first, num, size in cut_into_groups(end - start, self.group_size, is_shifted=is_shifted)
        )
        return list(blocks)

    def tiles(self, row: int, *, is_shifted: bool) -> list[Block]:
        """Return the blocks of a row and the padding between them; together they cover it."""
        tiles: list[Block] = []
        position = 0
        for block in (block for block in self.blocks(is_shifted=is_shifted) if row in block.rows):
            if block.start > position:
                tiles.append(Block(block.rows, position, 1, block.start - position, is_padding=True))
            tiles.append(block)
            position = block.end
        if position < self.num_tokens:
            tiles.append(Block(range(row, row + 1), position, 1, self.num_tokens - position, is_padding=True))
        return tiles

    def group_ids(self, device: torch.device, *, is_shifted: bool) -> Tensor:
        """Return the first token of each token's group (B, T), int32: a number for each group of a row. Padding has -1.

        Nothing is read back from the device, so it works in a compiled model.
        """
        ids_BT = self.ids_BT
        if ids_BT is None:
            ids_BT = torch.zeros(self.num_rows, self.num_tokens, dtype=torch.int32, device=device)
        token_T = torch.arange(self.num_tokens, device=device)
        is_start_BT = torch.ones_like(ids_BT, dtype=torch.bool)
        is_start_BT[:, 1:] = ids_BT[:, 1:] != ids_BT[:, :-1]
        start_BT = torch.where(is_start_BT, token_T, 0).cummax(1).values
        is_end_BT = is_start_BT.roll(-1, 1)
        is_end_BT[:, -1] = True
        end_BT = torch.where(is_end_BT, token_T + 1, self.num_tokens).flip(1).cummin(1).values.flip(1)
        shift = (self.group_size - first_group_size(self.group_size, is_shifted=is_shifted)) % self.group_size
        group_BT = (token_T - start_BT + shift) // self.group_size
        first_BT = start_BT + torch.where(
            end_BT - start_BT > self.group_size, (group_BT * self.group_size - shift).clamp(min=0), 0
        )
        return torch.where(ids_BT >= 0, first_BT, PADDING).int()


def find_bounds(rows: range, ids_T: Tensor) -> list[tuple[range, int, int]]:
    """Return `rows`, the start and the end of every segment in rows with these ids."""
    borders = [0, *(torch.diff(ids_T).nonzero().flatten() + 1).tolist(), len(ids_T)]
    is_real = (ids_T[borders[:-1]] >= 0).tolist()
    return [(rows, start, end) for (start, end), real in zip(pairwise(borders), is_real, strict=True) if real]


def first_group_size(group_size: int, *, is_shifted: bool) -> int:
    """Return the size of the short group that shifted heads begin with, G // 2; plain heads have none, 0."""
    return group_size // 2 if is_shifted else 0


def cut_into_groups(length: int, group_size: int, *, is_shifted: bool) -> Iterator[tuple[int, int, int]]:
    """Yield first token, number and size of the equal groups of a segment, as defined above."""
    if length <= group_size:
        yield 0, 1, length
        return
    start = first_group_size(group_size, is_shifted=is_shifted)
    num, tail = divmod(length - start, group_size)
    for first, count, size in ((0, 1, start), (start, num, group_size), (length - tail, 1, tail)):
        if count and size:
            yield first, count, size


def make_segment_ids(
    starts_BT: Tensor, *, real_BT: Tensor | None, position_ids_BT: Tensor | None, cu_seq_lens: Tensor | None
) -> Tensor:
    """Return the segment ids (B, T), int32, of rows as trainers describe them, without reading back from the device.

    Args:
        starts_BT: True at tokens that start a segment whatever the other arguments say.
        real_BT: True or 1 at tokens that are not padding; None if there is no padding.
        position_ids_BT: A document starts where they do not increase by 1; (1, T) applies to all rows.
        cu_seq_lens: Borders of documents in the rows laid end to end, from 0 to the number of tokens.
    """
    starts_BT = starts_BT.clone()
    real_BT = torch.ones_like(starts_BT) if real_BT is None else real_BT.bool()
    if position_ids_BT is not None and position_ids_BT.ndim == 2:
        starts_BT[:, 1:] |= position_ids_BT.diff(dim=1) != 1
    if cu_seq_lens is not None:
        starts_BT.view(-1)[cu_seq_lens[:-1].long()] = True
    starts_BT[:, 1:] |= real_BT[:, 1:] != real_BT[:, :-1]
    ids_BT = starts_BT.int().cumsum(1, dtype=torch.int32)
    return torch.where(real_BT, ids_BT, PADDING)
