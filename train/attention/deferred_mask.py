"""The mask of a forward pass, "s2" of transformers' `AttentionMaskInterface`, and the segments that S2-Attn sees there.

Shape suffixes: B rows, T tokens of a row.
"""

from collections.abc import Callable
from functools import cached_property, wraps
from typing import Any

import torch
from torch import Tensor
from transformers import masking_utils
from transformers.masking_utils import causal_mask_function, sdpa_mask

from pipeline.errors import InputError
from train.attention.segments import Segments, make_segment_ids

UNSUPPORTED = {
    "sliding_window": "attention within a sliding window or a chunk",
    "softcap": "soft-capped attention scores",
    "s_aux": "attention sinks",
    "position_bias": "a bias on positions",
}


masked_positions: list[Tensor | None] = [None]  # of the forward pass that asks for a mask, if it has a mask of padding


class DeferredMask:
    """The mask of one forward pass, not made before a layer needs it.

    Transformers asks for the mask before any layer runs, without saying whether the model is in training mode. S2-Attn
    does not need a dense mask of every query and key, which would be too large for long rows.
    """

    def __init__(self, arguments: dict[str, Any], position_ids_BT: Tensor | None = None) -> None:
        """Keep the arguments of transformers' request for a mask, and the positions where not every layer gets them."""
        self.arguments = arguments
        self.position_ids_BT = position_ids_BT
        self.segments: Segments | None = None

    def __getattr__(self, name: str) -> Any:
        """Refuse a model that takes the mask for a tensor: its attention is its own."""
        if name.startswith("__"):
            raise AttributeError(name)
        raise unsupported_error("attention code of the model's own")

    def __getitem__(self, _: Any) -> Any:
        """Refuse a model that takes the mask for a tensor."""
        raise unsupported_error("attention code of the model's own")

    @classmethod
    def __torch_function__(cls, *_: Any, **__: Any) -> Any:
        """Refuse a model that computes with the mask."""
        raise unsupported_error("attention code of the model's own")

    @cached_property
    def full(self) -> Tensor | None:
        """The mask that SDPA would get."""
        mask: Tensor | None = sdpa_mask(**self.arguments)
        return mask

    def cached_segments(self, group_size: int, position_ids_BT: Tensor | None, cu_seq_lens: Tensor | None) -> Segments:
        """Return the segments of the rows, found once for all layers of a forward pass."""
        if (
            torch.compiler.is_compiling()
        ):  # a checkpointed layer may not store anything then; the compiler finds repeats
            return self.find_segments(group_size, position_ids_BT, cu_seq_lens)
        if self.segments is None:
            self.segments = self.find_segments(group_size, position_ids_BT, cu_seq_lens)
        return self.segments

    def find_segments(self, group_size: int, position_ids_BT: Tensor | None, cu_seq_lens: Tensor | None) -> Segments:
        """Return the segments of the rows, from what transformers and the trainer say about them."""
        num_rows, num_tokens = self.arguments["batch_size"], self.arguments["q_length"]
        if is_narrower(self.arguments.get("local_size"), num_tokens):
            raise unsupported_error(UNSUPPORTED["sliding_window"])
        ids_BT = make_segment_ids(
            self.find_packed_starts(num_rows, num_tokens),
            real_BT=self.arguments.get("attention_mask"),
            position_ids_BT=self.position_ids_BT if position_ids_BT is None else position_ids_BT,
            cu_seq_lens=cu_seq_lens,
        )
        return Segments(ids_BT, num_rows, num_tokens, group_size)

    def find_packed_starts(self, num_rows: int, num_tokens: int) -> Tensor:
        """Return where a token may not attend to the one before it (B, T).

        Raises:
            InputError: The mask is not causal, or is one that cannot be reduced to that.
        """
        mask_function, device = self.arguments["mask_function"], self.arguments["device"]
        if self.arguments.get("use_vmap"):
            raise unsupported_error("a mask of the model's own")
        row_B1, head = torch.arange(num_rows, device=device)[:, None], torch.zeros((), dtype=torch.long, device=device)
        token_1T = torch.arange(num_tokens, device=device)[None, :]
        if mask_function is not causal_mask_function:
            later_1T = (token_1T + 1).clamp(max=num_tokens - 1)
            refuse_noncausal((mask_function(row_B1, head, token_1T, later_1T) & (later_1T > token_1T)).any())
        sees_previous = mask_function(row_B1, head, token_1T, (token_1T - 1).clamp(min=0))
        starts: Tensor = ~sees_previous | (token_1T == 0)
        return starts.expand(num_rows, num_tokens)


def refuse_noncausal(sees_next: Tensor) -> None:
    """Refuse a mask that lets a token attend to the next one; a compiled model checks this when it runs."""
    if torch.compiler.is_compiling():
        torch._assert_async(~sees_next, "attention is not causal, but s2 computes causal attention only")
    elif sees_next:
        raise unsupported_error("a mask that is not causal")


def is_narrower(window: object, num_tokens: int) -> bool:
    """Whether a window of attention is narrower than a row; a wider one is full attention."""
    return isinstance(window, int) and window < num_tokens


def unsupported_error(what: str) -> InputError:
    """Return the error for what S2-Attn does not compute and must not silently ignore."""
    return InputError(
        'attn_implementation "s2"',
        found=what,
        expected="plain causal attention",
        fix="Choose a model without it, set group_size: null in the recipe, or train with sdpa.",
    )


def s2_mask(**arguments: Any) -> DeferredMask | Tensor | None:
    """Return the mask that transformers asks for: "s2" of `AttentionMaskInterface`."""
    if arguments["q_length"] != arguments["kv_length"]:
        mask: Tensor | None = sdpa_mask(**arguments)
        return mask
    return DeferredMask({"mask_function": causal_mask_function, **arguments}, masked_positions[0])


def make_causal_mask(query: Tensor) -> DeferredMask:
    """Return a mask for rows for which transformers has not asked for one: they are causal."""
    return DeferredMask(
        {
            "mask_function": causal_mask_function,
            "batch_size": query.shape[0],
            "q_length": query.shape[2],
            "device": query.device,
        }
    )


def remember_positions(preprocess: Callable[..., Any]) -> Callable[..., Any]:
    """Return transformers' preparation of a mask, after which `s2_mask` knows the positions of a row with a mask.

    Transformers looks for packed documents only where there is no mask at all. Most layers get the positions too; those
    of Llama-4, Persimmon or GPT-BigCode do not, and beside a mask of ones their documents would attend to each other.
    """

    @wraps(preprocess)
    def remembering(
        config: Any,
        inputs_embeds: Tensor,
        attention_mask: Any,
        cache: Any,
        position_ids: Any,
        *others: Any,
        **named: Any,
    ) -> Any:
        has_both = attention_mask is not None and position_ids is not None and cache is None
        masked_positions[0] = position_ids if has_both and config._attn_implementation == "s2" else None
        return preprocess(config, inputs_embeds, attention_mask, cache, position_ids, *others, **named)

    return remembering


masking_utils._preprocess_mask_arguments = remember_positions(masking_utils._preprocess_mask_arguments)
