"""S2-Attn, the shifted sparse attention of LongLoRA, for any decoder of transformers.

Two lines use it: `import train.attention` and `attn_implementation="s2"`, with `config.s2_group_size` set. It sees no
future: each segment of length L, a document of a packed row or what is not padding of any other, is cut into groups of
G tokens, and attention is causal within a group.

    heads 0 .. H//2 - 1    [0, G), [G, 2G), ...
    the other heads        [0, G//2), [G//2, G//2 + G), ...
    L <= G                 full causal attention

The second half of the heads carries what the first half knows across the borders of its groups. Training only: in
evaluation mode, and with a key-value cache that holds earlier tokens, attention is full and is SDPA's to the bit.

Source: LongLoRA (arXiv 2309.12307), section 3.2 and "Variant 2" of Table 8: groups are cut short at the ends of a
segment. Algorithm 1 there wraps the last group around to the first tokens, which see the future that way.

Shape suffixes: B rows, T tokens of a row, H query heads, K key and value heads, D head size, N groups, G tokens of a
group. R stands for a run of heads (see `HeadRun`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import causal_mask_function, sdpa_mask

from pipeline.errors import InputError

UNSUPPORTED = {
    "sliding_window": "attention within a sliding window",
    "softcap": "soft-capped attention scores",
    "s_aux": "attention sinks",
    "position_bias": "a bias on positions",
}


@dataclass(frozen=True)
class Segment:
    """A stretch of a row: a document, or padding."""

    length: int
    is_padding: bool = False


@dataclass(frozen=True)
class Groups:
    """A stretch of a row that holds `num` groups of `size` tokens each, or padding."""

    num: int
    size: int
    is_padding: bool = False


@dataclass(frozen=True)
class HeadRun:
    """Query heads `first` to `last` (excluded) and the key-value heads that serve them and them alone.

    A run holds either whole groups of query heads, or heads that share one key-value head, so that SDPA's own grouped
    attention serves it and keys and values are never repeated in memory.
    """

    first: int
    last: int
    kv_first: int
    kv_last: int
    is_shifted: bool


def s2_attention(
    q_BHTD: Tensor,
    k_BKTD: Tensor,
    v_BKTD: Tensor,
    group_size: int,
    *,
    segments: Sequence[Sequence[Segment]] | None = None,
    dropout: float = 0.0,
    scaling: float | None = None,
) -> Tensor:
    """Attend by S2-Attn on plain tensors, positions already applied.

    Args:
        q_BHTD: Queries (rows, heads, tokens, head size).
        k_BKTD: Keys (rows, key-value heads, tokens, head size); the number of heads is a multiple of theirs.
        v_BKTD: Values, of the shape of the keys; their head size may differ.
        group_size: G, at least 2.
        segments: For each row the segments that tile it; None where each row is one segment.
        dropout: The probability with which an attention weight is set to 0.
        scaling: The factor on the scores; None for 1 / sqrt(head size).

    Returns:
        Of the shape of the queries, with 0 at padding.
    """
    checked_group_size(group_size, "group_size")
    if segments is None:
        segments = [[Segment(q_BHTD.shape[2])]] * q_BHTD.shape[0]
    rows = [
        attend_row(q_HTD, k_KTD, v_KTD, group_size, tiles, dropout, scaling)
        for q_HTD, k_KTD, v_KTD, tiles in zip(q_BHTD, k_BKTD, v_BKTD, segments, strict=True)
    ]
    out_BTHD = rows[0].unsqueeze(0) if len(rows) == 1 else torch.stack(rows)
    return out_BTHD.transpose(1, 2)


def attend_row(
    q_HTD: Tensor,
    k_KTD: Tensor,
    v_KTD: Tensor,
    group_size: int,
    segments: Sequence[Segment],
    dropout: float,
    scaling: float | None,
) -> Tensor:
    """Attend within one row; return (tokens, heads, head size)."""
    longest = max((segment.length for segment in segments if not segment.is_padding), default=0)
    runs = head_runs(q_HTD.shape[0], k_KTD.shape[0], is_split=longest > group_size)
    q_runs = torch.split(q_HTD, [run.last - run.first for run in runs])
    outs = [
        attend_run(
            q_RTD,
            k_KTD[run.kv_first : run.kv_last],
            v_KTD[run.kv_first : run.kv_last],
            [groups for segment in segments for groups in groups_of(segment, group_size, run.is_shifted)],
            dropout,
            scaling,
        )
        for run, q_RTD in zip(runs, q_runs, strict=True)
    ]
    return joined(outs, dim=1)


def attend_run(
    q_RTD: Tensor, k_KTD: Tensor, v_KTD: Tensor, stretches: Sequence[Groups], dropout: float, scaling: float | None
) -> Tensor:
    """Attend within one run of heads, all equal groups of a stretch in one call; return (tokens, heads, head size)."""
    lengths = [groups.num * groups.size for groups in stretches]
    outs: list[Tensor] = []
    for groups, *parts in zip(stretches, *(torch.split(x, lengths, dim=1) for x in (q_RTD, k_KTD, v_KTD)), strict=True):
        q_NRGD, k_NKGD, v_NKGD = (x.unflatten(1, (groups.num, groups.size)).transpose(0, 1) for x in parts)
        if groups.is_padding:
            outs.append(v_NKGD.new_zeros(groups.size, q_RTD.shape[0], v_KTD.shape[-1]))
            continue
        out_NRGD = scaled_dot_product_attention(
            q_NRGD,
            k_NKGD,
            v_NKGD,
            dropout_p=dropout,
            is_causal=True,
            scale=scaling,
            enable_gqa=q_NRGD.shape[1] != k_NKGD.shape[1],
        )
        outs.append(out_NRGD.transpose(1, 2).flatten(0, 1))
    return joined(outs, dim=0)


def joined(tensors: Sequence[Tensor], dim: int) -> Tensor:
    """Concatenate, without a copy where there is nothing to join."""
    return tensors[0] if len(tensors) == 1 else torch.cat(list(tensors), dim=dim)


def groups_of(segment: Segment, group_size: int, is_shifted: bool) -> list[Groups]:
    """Cut a segment into stretches of equal groups, by the definition at the top of this file."""
    if segment.is_padding or segment.length <= group_size:
        return [Groups(1, segment.length, segment.is_padding)]
    head = group_size // 2 if is_shifted else 0
    num, tail = divmod(segment.length - head, group_size)
    return [
        groups for groups in (Groups(1, head), Groups(num, group_size), Groups(1, tail)) if groups.num * groups.size
    ]


def head_runs(num_heads: int, num_kv_heads: int, *, is_split: bool) -> list[HeadRun]:
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


def checked_group_size(size: object, where: str) -> int:
    """Return `size`; raise an InputError unless it is a group size."""
    if not isinstance(size, int) or isinstance(size, bool) or size < 2:
        raise InputError(
            where,
            found="no group size" if size is None else repr(size),
            wanted="the tokens of a group of S2-Attn, an integer of at least 2",
            remedy="Set it before training, like model.config.s2_group_size = 2048.",
        )
    return size


class DeferredMask:
    """What one forward pass knows about its rows, kept until a layer says whether it trains.

    Transformers asks for the mask before any layer runs, and does not say whether the model is in training mode. A
    dense mask of every query and key would be wasted on S2-Attn, and too large for long rows.
    """

    def __init__(self, arguments: dict[str, Any]) -> None:
        """Keep the arguments with which transformers asked for a mask."""
        self.arguments = arguments
        self.segments: list[list[Segment]] | None = None

    @cached_property
    def full(self) -> Tensor | None:
        """The mask that SDPA would have been given."""
        mask: Tensor | None = sdpa_mask(**self.arguments)
        return mask

    def segments_of(self, position_ids_BT: Tensor | None, cu_seq_lens: Tensor | None) -> list[list[Segment]]:
        """Return the segments of each row; all layers of a forward pass share them."""
        if self.segments is None:
            num_rows, num_tokens = self.arguments["batch_size"], self.arguments["q_length"]
            neighbours = (self.arguments["mask_function"], self.arguments["device"])
            starts_BT = self.packed_starts(*neighbours, num_rows, num_tokens)
            self.segments = segments_of(self.arguments.get("attention_mask"), starts_BT, position_ids_BT, cu_seq_lens)
        return self.segments

    def packed_starts(self, mask_function: Any, device: torch.device, num_rows: int, num_tokens: int) -> Tensor:
        """Return where a token may not see the one before it; refuse a mask that is more than that."""
        row_B1, head = torch.arange(num_rows, device=device)[:, None], torch.zeros((), dtype=torch.long, device=device)
        token_1T = torch.arange(num_tokens, device=device)[None, :]
        later_1T = (token_1T + 1).clamp(max=num_tokens - 1)
        sees_next = mask_function(row_B1, head, token_1T, later_1T) & (later_1T > token_1T)
        if self.arguments.get("use_vmap") or bool(sees_next.any()):
            raise unsupported("a mask that is not causal, or one of the model's own")
        sees_last = mask_function(row_B1, head, token_1T, (token_1T - 1).clamp(min=0))
        starts: Tensor = ~sees_last | (token_1T == 0)
        return starts.expand(num_rows, num_tokens)


def segments_of(
    real_BT: Tensor | None, starts_BT: Tensor, position_ids_BT: Tensor | None, cu_seq_lens: Tensor | None
) -> list[list[Segment]]:
    """Tile each row with its documents and its padding.

    Args:
        real_BT: True where a token is no padding; None where none is.
        starts_BT: True where a segment starts for sure.
        position_ids_BT: A document starts where they do not go up by 1.
        cu_seq_lens: Where documents start and end in the rows laid end to end, from 0 to the number of tokens.
    """
    real_BT = torch.ones_like(starts_BT) if real_BT is None else real_BT.bool()
    starts_BT = starts_BT.clone()
    starts_BT[:, 1:] |= real_BT[:, 1:] != real_BT[:, :-1]
    if position_ids_BT is not None and position_ids_BT.ndim == 2:
        is_step_BT = (position_ids_BT.diff(dim=1) != 1).expand(starts_BT.shape[0], -1)
        starts_BT[:, 1:] |= is_step_BT & real_BT[:, 1:]
    if cu_seq_lens is not None:
        starts_BT.view(-1)[cu_seq_lens[:-1].long()] = True
    rows: list[list[Segment]] = []
    for start_T, real_T in zip(starts_BT.cpu(), real_BT.cpu(), strict=True):
        borders = [*start_T.nonzero().flatten().tolist(), len(start_T)]
        rows.append([Segment(end - start, is_padding=not real_T[start]) for start, end in pairwise(borders)])
    return rows


def unsupported(what: str) -> InputError:
    """Say that S2-Attn does not do this, rather than leave it out silently."""
    return InputError(
        'attn_implementation "s2"',
        found=what,
        wanted="plain causal attention",
        remedy="Choose a model without it, switch it off in the model's config, or train with sdpa.",
    )


def s2_mask(**arguments: Any) -> DeferredMask | Tensor | None:
    """Answer transformers' call for a mask: `AttentionMaskInterface`'s side of "s2"."""
    if arguments.get("local_size") is not None:
        raise unsupported(UNSUPPORTED["sliding_window"])
    if arguments["q_length"] != arguments["kv_length"]:
        mask: Tensor | None = sdpa_mask(**arguments)
        return mask
    return DeferredMask({"mask_function": causal_mask_function, **arguments})


def s2_forward(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: DeferredMask | Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attend within a layer of a model: `AttentionInterface`'s side of "s2".

    Raises:
        InputError: The model asks for what S2-Attn does not do, or has no group size.
    """
    for name, what in UNSUPPORTED.items():
        if kwargs.get(name) is not None:
            raise unsupported(what)
    if not module.training or query.shape[2] != key.shape[2]:
        mask = attention_mask.full if isinstance(attention_mask, DeferredMask) else attention_mask
        out_BTHD, _ = sdpa_attention_forward(
            module, query, key, value, mask, dropout=dropout, scaling=scaling, **kwargs
        )
        return out_BTHD, None
    if not (getattr(module, "is_causal", True) and kwargs.get("is_causal", True)):
        raise unsupported("attention that is not causal")
    group_size = checked_group_size(getattr(module.config, "s2_group_size", None), "config.s2_group_size")
    segments = training_segments(attention_mask, query, kwargs.get("position_ids"), kwargs.get("cu_seq_lens_q"))
    out_BHTD = s2_attention(query, key, value, group_size, segments=segments, dropout=dropout, scaling=scaling)
    return out_BHTD.transpose(1, 2).contiguous(), None


def training_segments(
    mask: DeferredMask | Tensor | None, query: Tensor, position_ids_BT: Tensor | None, cu_seq_lens: Tensor | None
) -> list[list[Segment]]:
    """Return the segments of each row of a batch in training."""
    if isinstance(mask, Tensor):
        raise unsupported("a ready-made attention mask of every query and key")
    if mask is None:
        mask = DeferredMask(
            {
                "mask_function": causal_mask_function,
                "batch_size": query.shape[0],
                "q_length": query.shape[2],
                "device": query.device,
            }
        )
    return mask.segments_of(position_ids_BT, cu_seq_lens)


AttentionInterface.register("s2", s2_forward)
AttentionMaskInterface.register("s2", s2_mask)
