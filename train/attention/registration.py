"""S2-Attn, the shifted sparse attention of LongLoRA, for any decoder of transformers.

Two lines use it: `import train.attention` and `attn_implementation="s2"`. Each segment of length L, which is one
document of a packed row or all of any other row except its padding, is cut into groups of G tokens. Attention is causal
within a group, so no token attends to a later one.

    heads 0 .. H//2 - 1    [0, G), [G, 2G), ...
    the other heads        [0, G//2), [G//2, G//2 + G), ...
    L <= G                 full causal attention

The shifted heads carry information across the borders of the plain heads' groups. S2-Attn is for training only: in
evaluation mode, in `generate` in any mode, and with a key-value cache that holds earlier tokens, attention is full and
equals SDPA's to the bit.

`config.s2_group_size` is G, a fixed number rather than a fraction of the row's length; `config.s2_backend` names one
of `BACKENDS`. Both are optional and saved with the model.

Source: LongLoRA (arXiv 2309.12307), section 3.2 and "Variant 2" of Table 8: the first and last groups of a segment are
shorter. Algorithm 1 there wraps the last group around to the first tokens, which so attend to the future.

Shape suffixes: B rows, T tokens of a row, H query heads, K key and value heads, D head size.
"""

import logging
from collections.abc import Callable
from functools import cache, wraps
from importlib.util import find_spec
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, GenerationMixin
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from pipeline.errors import InputError
from train.attention.context_parallel import SharedRows
from train.attention.cuda import attend_by_flash, attend_by_flex
from train.attention.deferred_mask import (
    UNSUPPORTED,
    DeferredMask,
    is_narrower,
    make_causal_mask,
    s2_mask,
    unsupported_error,
)
from train.attention.sdpa import attend_by_sdpa
from train.attention.segments import Segments

Backend = Literal["sdpa", "flash", "flex"]
Attend = Callable[[Tensor, Tensor, Tensor, Segments, float, float], Tensor]
BACKENDS: dict[Backend, Attend] = {"sdpa": attend_by_sdpa, "flash": attend_by_flash, "flex": attend_by_flex}
DEFAULT_GROUP_SIZE = 2_048  # a quarter of 8,192 tokens, the shortest length that the paper trains at
generations = [0]  # how many calls of `generate` are running; a list, since compiled models can read and guard one
log = logging.getLogger(__name__)


def s2_attention(
    q_BHTD: Tensor,
    k_BKTD: Tensor,
    v_BKTD: Tensor,
    group_size: int,
    *,
    segment_ids: Tensor | None = None,
    dropout: float = 0.0,
    scaling: float | None = None,
    backend: Backend | None = None,
) -> Tensor:
    """Attend by S2-Attn on plain tensors, positions already applied.

    Args:
        q_BHTD: Queries (rows, heads, tokens, head size).
        k_BKTD: Keys (rows, key-value heads, tokens, head size); the number of heads is a multiple of theirs.
        v_BKTD: Values, of the shape of the keys; with the backend 'sdpa' their head size may differ.
        group_size: G, at least 2.
        segment_ids: An integer for each token (rows, tokens). Adjacent tokens with the same number are one segment;
            negative numbers are padding. None if each row is one segment.
        dropout: The probability with which an attention weight is set to 0.
        scaling: The factor on the scores; None for 1 / sqrt(head size).
        backend: One of `BACKENDS`; None for the fastest available.

    Returns:
        A tensor of the queries' shape, 0 at padding.

    Raises:
        InputError: The group size is not an integer of at least 2, or the backend is unknown or not available.
        ValueError: The shapes do not match.
    """
    num_rows, num_heads, num_tokens, _ = q_BHTD.shape
    if k_BKTD.shape[:3] != v_BKTD.shape[:3] or k_BKTD.shape[::2] != q_BHTD.shape[::2] or num_heads % k_BKTD.shape[1]:
        raise ValueError(f"queries {tuple(q_BHTD.shape)}, keys {tuple(k_BKTD.shape)}, values {tuple(v_BKTD.shape)}")
    segments = Segments(segment_ids, num_rows, num_tokens, check_group_size(group_size, "group_size"))
    out_BTHD = attend(q_BHTD, k_BKTD, v_BKTD, segments, dropout=dropout, scaling=scaling, backend=backend)
    return out_BTHD.transpose(1, 2)


def attend(
    q_BHTD: Tensor,
    k_BKTD: Tensor,
    v_BKTD: Tensor,
    segments: Segments,
    *,
    dropout: float = 0.0,
    scaling: float | None = None,
    backend: Backend | None = None,
) -> Tensor:
    """Attend with a backend; return (B, T, H, D). Under autocast it computes in autocast's dtype, as SDPA does."""
    if torch.is_autocast_enabled(q_BHTD.device.type):
        dtype = torch.get_autocast_dtype(q_BHTD.device.type)
        q_BHTD, k_BKTD, v_BKTD = q_BHTD.to(dtype), k_BKTD.to(dtype), v_BKTD.to(dtype)
    scaling = q_BHTD.shape[-1] ** -0.5 if scaling is None else scaling
    backend = choose_backend(q_BHTD) if backend is None else backend
    return BACKENDS[check_backend(backend)](q_BHTD, k_BKTD, v_BKTD, segments, dropout, scaling)


def choose_backend(q_BHTD: Tensor) -> Backend:
    """Return the fastest backend available for these queries."""
    if not q_BHTD.is_cuda:
        return "sdpa"
    if torch.compiler.is_compiling():
        return "flex"  # the only one that needs nothing read back from the device
    is_half = q_BHTD.dtype in (torch.bfloat16, torch.float16)
    return "flash" if is_half and find_spec("flash_attn") is not None else "sdpa"


def check_backend(backend: object) -> Backend:
    """Return `backend`; raise an InputError if it is unknown."""
    if backend in BACKENDS:
        return backend
    raise InputError(
        "s2_backend",
        found=repr(backend),
        expected=f"one of {', '.join(get_args(Backend))}",
        fix="Name one of them, or none for the fastest available.",
    )


def check_group_size(size: object, where: str) -> int:
    """Return `size`; raise an InputError unless it is an integer of at least 2."""
    if not isinstance(size, int) or isinstance(size, bool) or size < 2:
        raise InputError(
            where,
            found="no group size" if size is None else repr(size),
            expected="the tokens in a group of S2-Attn, an integer of at least 2",
            fix="Set it before training, like model.config.s2_group_size = 2048.",
        )
    return size


def read_group_size(config: Any) -> int:
    """Return the group size that a model's config sets, or the default.

    Raises:
        InputError: The config's value is not a group size.
    """
    if not hasattr(config, "s2_group_size"):
        warn_default_once()
        return DEFAULT_GROUP_SIZE
    return check_group_size(config.s2_group_size, "config.s2_group_size")


@cache
def warn_default_once() -> None:
    """Warn once that no group size is set."""
    log.warning(
        "config.s2_group_size is not set: groups have %d tokens. Set it before training to choose.", DEFAULT_GROUP_SIZE
    )


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
    """Attend within a layer of a model: "s2" of `AttentionInterface`.

    Raises:
        InputError: The model needs what S2-Attn does not compute, or its group size or backend is invalid.
    """
    for name, what in UNSUPPORTED.items():
        found = kwargs.get(name)
        if found is not None and (name != "sliding_window" or is_narrower(found, query.shape[2])):
            raise unsupported_error(what)
    if not module.training or query.shape[2] != key.shape[2] or generations[0] > 0:
        mask: Tensor | None = attention_mask.full if isinstance(attention_mask, DeferredMask) else attention_mask
        out_BTHD, _ = sdpa_attention_forward(
            module, query, key, value, mask, dropout=dropout, scaling=scaling, **kwargs
        )
        return out_BTHD, None
    if not (getattr(module, "is_causal", True) and kwargs.get("is_causal", True)):
        raise unsupported_error("attention that is not causal")
    if isinstance(attention_mask, Tensor):
        raise unsupported_error("a ready-made attention mask of every query and key")
    group_size = read_group_size(module.config)
    backend = getattr(module.config, "s2_backend", None)
    shared: SharedRows | None = kwargs.get("shared_rows")
    if shared is not None:
        out_BCHD = attend_shared(
            query, key, value, shared, group_size, dropout=dropout, scaling=scaling, backend=backend
        )
        return out_BCHD, None
    segments = (attention_mask or make_causal_mask(query)).cached_segments(
        group_size, kwargs.get("position_ids"), kwargs.get("cu_seq_lens_q")
    )
    return attend(query, key, value, segments, dropout=dropout, scaling=scaling, backend=backend), None


def attend_shared(
    q_BHCD: Tensor,
    k_BKCD: Tensor,
    v_BKCD: Tensor,
    shared: SharedRows,
    group_size: int,
    *,
    dropout: float = 0.0,
    scaling: float | None = None,
    backend: Backend | None = None,
) -> Tensor:
    """Attend to rows of which this process holds a chunk of C tokens; return (B, C, H, D)."""

    def attend_whole(q_BNTD: Tensor, k_BNTD: Tensor, v_BNTD: Tensor) -> Tensor:
        segments = shared.cached_segments(group_size, q_BNTD.shape[0], q_BNTD.shape[2])
        return attend(q_BNTD, k_BNTD, v_BNTD, segments, dropout=dropout, scaling=scaling, backend=backend)

    return shared.attend(q_BHCD, k_BKCD, v_BKCD, attend_whole)


def mark_generation(generate: Callable[..., Any]) -> Callable[..., Any]:
    """Return transformers' `generate`, during which attention is full.

    A model in training mode generates too, as TRL's GRPO samples. No argument of attention tells such a forward pass
    from one whose loss is taken.
    """

    @wraps(generate)
    def marked(*arguments: Any, **named: Any) -> Any:
        generations[0] += 1
        try:
            return generate(*arguments, **named)
        finally:
            generations[0] -= 1

    return marked


GenerationMixin.generate = mark_generation(GenerationMixin.generate)
AttentionInterface.register("s2", s2_forward)
AttentionMaskInterface.register("s2", s2_mask)
