"""S2-Attn on kernels that need a GPU: flash-attn's varlen kernel, and FlexAttention.

Shape suffixes: B rows, T tokens of a row, S tokens of all rows laid end to end, H query heads, K key and value heads,
D head size.
"""

from collections.abc import Callable
from functools import cache
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

from pipeline.errors import InputError
from train.attention.heads import split_heads
from train.attention.sdpa import concatenate
from train.attention.segments import Segments


def attend_by_flash(
    q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor, segments: Segments, dropout: float, scaling: float
) -> Tensor:
    """Attend with flash-attn's varlen kernel; return (B, T, H, D).

    If plain and shifted heads are equal in number, one call computes both: they are concatenated along the tokens, each
    half with its own borders. Otherwise each run of heads takes a call.
    """
    kernel = load_flash_kernel()
    shape, device = q_BHTD.shape, q_BHTD.device
    q_SHD, k_SKD, v_SKD = (x.transpose(1, 2).flatten(0, 1) for x in (q_BHTD, k_BKTD, v_BKTD))
    runs = split_heads(shape[1], k_BKTD.shape[1], is_split=segments.is_split)
    are_equal = len({(run.last - run.first, run.kv_last - run.kv_first) for run in runs}) == 1
    outs: list[Tensor] = []
    for together in [runs] if are_equal else [[run] for run in runs]:
        sizes = [size for run in together for size in list_group_sizes(segments, is_shifted=run.is_shifted)]
        borders = torch.tensor([0, *accumulate(sizes)], dtype=torch.int32, device=device)
        q = concatenate([q_SHD[:, run.first : run.last] for run in together], dim=0)
        k, v = (concatenate([x[:, run.kv_first : run.kv_last] for run in together], dim=0) for x in (k_SKD, v_SKD))
        longest = max(sizes)
        out = kernel(q, k, v, borders, borders, longest, longest, dropout_p=dropout, softmax_scale=scaling, causal=True)
        outs += out.chunk(len(together))
    out_BTHD: Tensor = torch.unflatten(torch.cat(outs, 1), 0, (shape[0], shape[2]))
    if segments.ids_BT is not None and segments.has_padding:
        out_BTHD = out_BTHD.masked_fill((segments.ids_BT < 0)[:, :, None, None], 0)
    return out_BTHD


def list_group_sizes(segments: Segments, *, is_shifted: bool) -> list[int]:
    """Return the sizes of all groups, in the order of the rows laid end to end.

    Padding is cut into groups too: the kernel needs every token in one, and one long group would cost as much as text.
    """
    sizes: list[int] = []
    for row in range(segments.num_rows):
        for block in segments.tiles(row, is_shifted=is_shifted):
            if block.is_padding:
                num, rest = divmod(block.size, segments.group_size)
                sizes += [segments.group_size] * num + [rest] * (rest > 0)
            else:
                sizes += [block.size] * block.num
    return sizes


@cache
def load_flash_kernel() -> Callable[..., Tensor]:
    """Return flash-attn's varlen kernel.

    Raises:
        InputError: flash-attn is not installed.
    """
    try:
        from flash_attn import flash_attn_varlen_func  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise InputError(
            "s2_backend: flash",
            found="no flash-attn",
            expected="the extra 'cuda'",
            fix="Run pip install 'longalpaca[cuda]' on a machine with CUDA, or use the backend 'sdpa'.",
        ) from error
    kernel: Callable[..., Tensor] = flash_attn_varlen_func
    return kernel


def attend_by_flex(
    q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor, segments: Segments, dropout: float, scaling: float
) -> Tensor:
    """Attend with FlexAttention, a block mask for each half of the heads; return (B, T, H, D).

    Raises:
        InputError: `dropout` is not 0; FlexAttention has none.
    """
    if dropout:
        raise InputError(
            "s2_backend: flex",
            found=f"attention dropout of {dropout}",
            expected="none",
            fix="Use the backend 'sdpa' or 'flash', or set attention_dropout to 0.",
        )
    outs = []
    for run in split_heads(q_BHTD.shape[1], k_BKTD.shape[1], is_split=True):
        kv = slice(run.kv_first, run.kv_last)
        out: Any = flex_attention(
            q_BHTD[:, run.first : run.last],
            k_BKTD[:, kv],
            v_BKTD[:, kv],
            block_mask=get_block_mask(segments, q_BHTD.device, is_shifted=run.is_shifted),
            scale=scaling,
            enable_gqa=run.num_shared > 1,
        )
        outs.append(out)
    return torch.cat(outs, 1).transpose(1, 2)


def get_block_mask(segments: Segments, device: torch.device, *, is_shifted: bool) -> Any:
    """Return FlexAttention's mask of the queries and keys that share a group, made once for all layers."""
    if is_shifted not in segments.block_masks:
        group_BT = segments.group_ids(device, is_shifted=is_shifted)

        def is_visible(b: Tensor, h: Tensor, q: Tensor, kv: Tensor) -> Tensor:  # noqa: ARG001 - FlexAttention's signature
            return (group_BT[b, q] == group_BT[b, kv]) & (group_BT[b, q] >= 0) & (q >= kv)

        length = segments.num_tokens
        segments.block_masks[is_shifted] = create_block_mask(
            is_visible, segments.num_rows, None, length, length, device=device
        )
    return segments.block_masks[is_shifted]
