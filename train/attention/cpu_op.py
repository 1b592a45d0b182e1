"""S2-Attn on a CPU, as one operator of torch's library with a backward pass of its own.

It writes each group's result where it belongs, so it needs no more memory than full attention. A compiled model calls
it without a graph break.

Shape suffixes: B rows, T tokens of a row, H query heads, K key and value heads, D head size.
"""

from typing import Any

import torch
from torch import Tensor

from train.attention.cpu_calls import Call, plan_calls
from train.attention.segments import Segments

flash_forward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
flash_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


@torch.library.custom_op("longalpaca::s2_attention", mutates_args=(), device_types="cpu")
def attend_on_cpu(
    q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor, segment_ids_BT: Tensor | None, group_size: int, scaling: float
) -> tuple[Tensor, Tensor]:
    """Return the output (B, T, H, D), 0 at padding, and the log-sum-exp of each softmax (B, H, T)."""
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
    """Return empty tensors for the output and the log-sum-exps, which the kernel keeps in float32 at least."""
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
    for call in sorted(calls, key=Call.position):
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
        del grads, part  # the next call allocates its own
    return q_grad, k_grad, v_grad


@attend_on_cpu_backward.register_fake
def _(_: Tensor, q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor, *_others: Any) -> tuple[Tensor, Tensor, Tensor]:
    return torch.empty_like(q_BHTD), torch.empty_like(k_BKTD), torch.empty_like(v_BKTD)


def keep_for_backward(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    """Save what the backward pass needs."""
    q_BHTD, k_BKTD, v_BKTD, segment_ids_BT, ctx.group_size, ctx.scaling = inputs
    ctx.save_for_backward(q_BHTD, k_BKTD, v_BKTD, *output, segment_ids_BT)
    ctx.mark_non_differentiable(output[1])


def backpropagate(ctx: Any, grad_BTHD: Tensor, _: Any) -> tuple[Tensor | None, ...]:
    """Return the gradients of the inputs of `attend_on_cpu`."""
    *tensors, segment_ids_BT = ctx.saved_tensors
    grads = attend_on_cpu_backward(grad_BTHD, *tensors, segment_ids_BT, ctx.group_size, ctx.scaling)
    return *grads, None, None, None


attend_on_cpu.register_autograd(backpropagate, setup_context=keep_for_backward)
