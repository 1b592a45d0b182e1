"""Measure speed and memory of attention alone: S2-Attn on each backend, full attention, and the paper's Algorithm 1.

Shape suffixes: B rows, T tokens of a row, H query heads, K key and value heads, D head size.
"""
# ruff: noqa: N803, N806 - shape suffixes on tensors

import argparse
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib.util import find_spec
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from train.attention.registration import s2_attention
from train.benchmarks.measuring import Case, measure_best_seconds, measure_peak_bytes, run_in_new_process
from train.trainer.activations import return_freed_memory_to_os

METHODS = ("full", "roll and regroup", "s2 sdpa", "full flash-attn", "s2 flash", "s2 flex")
NEEDS_FLASH = ("full flash-attn", "s2 flash")


def roll_and_regroup(q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor, group_size: int) -> Tensor:
    """Attend by Algorithm 1 of LongLoRA, with the groups folded into the batch.

    It leaks the future and is here for comparison only. The number of tokens must be a multiple of the group size.
    """
    half, per_kv = q_BHTD.shape[1] // 2, q_BHTD.shape[1] // k_BKTD.shape[1]
    parts = (q_BHTD, k_BKTD.repeat_interleave(per_kv, 1), v_BKTD.repeat_interleave(per_kv, 1))
    rolled = [torch.cat([x[:, :half], x[:, half:].roll(-(group_size // 2), 2)], 1) for x in parts]
    folded = [torch.unflatten(x, 2, (-1, group_size)).transpose(1, 2).flatten(0, 1) for x in rolled]
    out = scaled_dot_product_attention(folded[0], folded[1], folded[2], is_causal=True)
    out_BHTD = torch.unflatten(out, 0, (q_BHTD.shape[0], -1)).transpose(1, 2).flatten(2, 3)
    return torch.cat([out_BHTD[:, :half], out_BHTD[:, half:].roll(group_size // 2, 2)], 1)


def make_attention(case: Case) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return the function of queries, keys and values that a case measures."""
    group_size = case.group_size
    if case.method == "full":
        is_shared = case.num_heads != case.num_kv_heads
        return lambda q, k, v: scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=is_shared)
    if case.method == "roll and regroup":
        return lambda q, k, v: roll_and_regroup(q, k, v, group_size)
    if case.method == "full flash-attn":
        return lambda q, k, v: s2_attention(q, k, v, q.shape[2], backend="flash")  # L <= G: one group, full attention
    if case.method == "s2 flex":
        return torch.compile(lambda q, k, v: s2_attention(q, k, v, group_size, backend="flex"))
    backend: Any = case.method.removeprefix("s2 ")
    return lambda q, k, v: s2_attention(q, k, v, group_size, backend=backend)


def reason_not_measurable(case: Case) -> str:
    """Return why a case cannot be measured here; '' if it can."""
    if case.method == "roll and regroup" and case.num_tokens % case.group_size:
        return "the tokens are not a multiple of the group"
    if case.method in ("full", "roll and regroup", "s2 sdpa"):
        return ""
    if case.device == "cpu":
        return "needs CUDA"
    if case.method in NEEDS_FLASH and find_spec("flash_attn") is None:
        return "flash-attn is not installed"
    return "needs bfloat16 or float16" if case.method in NEEDS_FLASH and case.dtype == "float32" else ""


def measure_attention(case: Case, *, what: str) -> dict[str, float]:
    """Measure one case in this process: the best time, or the peak of memory above the inputs.

    For the peak, the process returns freed memory to the system at once; that would slow down the timing.
    """
    if what == "peak":
        return_freed_memory_to_os()
    torch.set_num_threads(case.num_threads)
    torch.manual_seed(0)
    sizes = (case.num_heads, case.num_kv_heads, case.num_kv_heads)
    q, k, v = (
        torch.randn(1, case.num_tokens, num, case.head_size, dtype=getattr(torch, case.dtype), device=case.device)
        .transpose(1, 2)
        .requires_grad_()
        for num in sizes
    )
    attend = make_attention(case)
    grad = torch.randn_like(q)

    def forward() -> None:
        attend(q, k, v)

    def both() -> None:
        attend(q, k, v).backward(grad)  # type: ignore[no-untyped-call]
        q.grad = k.grad = v.grad = None

    if what == "peak":
        return {"peak_mb": measure_peak_bytes(both, case.device) / 1e6}
    forward_seconds, both_seconds = measure_best_seconds(forward, case), measure_best_seconds(both, case)
    return {"forward_ms": 1e3 * forward_seconds, "forward_backward_ms": 1e3 * both_seconds}


def measure_attention_rows(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield a row for every method at every length, number of heads and group size.

    A method that cannot be measured here says why in `not_measured`.
    """
    for num_tokens, (num_heads, num_kv_heads), group_size in product(options.lengths, options.heads, options.groups):
        full: dict[str, float] = {}
        for method in METHODS:
            sizes = (num_tokens, group_size or num_tokens // 4, num_heads, num_kv_heads, options.head_size)
            case = Case(method, *sizes, options.dtype, options.device, options.threads, options.repeats)
            reason = reason_not_measurable(case)
            figures: dict[str, float] = {}
            for what in () if reason else ("time", "peak"):
                figures |= run_in_new_process(measure_attention, case, what=what)
            full = full or figures
            times = full["forward_backward_ms"] / figures["forward_backward_ms"] if figures else None
            yield asdict(case) | figures | {"times_full": times, "not_measured": reason}
