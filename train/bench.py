"""Measure speed and memory: of attention alone, and of a whole step of training.

    python -m train.bench attention --lengths 2048 8192 32768 --out data/bench
    python -m train.bench step --lengths 4096 --out data/bench

Each row of a table is measured in a process of its own, on a machine that should have nothing else to do. Writes
OUT/attention.json or OUT/step.json, and the same as a Markdown table beside it.
"""

import argparse
import logging
import multiprocessing
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from pipeline.cli import exit_on_input_error, log_to_stderr
from pipeline.errors import InputError
from pipeline.tables import Table, conditions, write_tables
from train.attention.registration import s2_attention
from train.benchmarks.step import build_step
from train.plan import load_base_config, load_section
from train.recipe import Checkpointing
from train.trainer.activations import return_freed_memory_to_os

log = logging.getLogger(__name__)

NUM_WARM_UPS = 1
BYTES = re.compile(r"(VmHWM|VmRSS):\s+(\d+) kB")
LIBRARIES = ("torch", "transformers", "peft")
METHODS = ("full", "roll and regroup", "s2 sdpa", "full flash-attn", "s2 flash", "s2 flex")
NEEDS_FLASH = ("full flash-attn", "s2 flash")
Heads = tuple[int, int]  # of queries, and of keys and values
Rows = Iterator[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """What is measured: one row, forward and backward."""

    method: str
    num_tokens: int
    group_size: int
    num_heads: int
    num_kv_heads: int
    head_size: int
    dtype: str
    device: str
    num_threads: int
    num_repeats: int
    checkpointing: Checkpointing = "none"  # of a whole step, as a recipe says it
    recipe: str = ""  # of a whole step


def roll_and_regroup(q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor, group_size: int) -> Tensor:
    """Attend as Algorithm 1 of LongLoRA does, folding the groups into the batch: it leaks, and is here to compare.

    The tokens must be a multiple of the group size.
    """
    half, per_kv = q_BHTD.shape[1] // 2, q_BHTD.shape[1] // k_BKTD.shape[1]
    parts = (q_BHTD, k_BKTD.repeat_interleave(per_kv, 1), v_BKTD.repeat_interleave(per_kv, 1))
    rolled = [torch.cat([x[:, :half], x[:, half:].roll(-(group_size // 2), 2)], 1) for x in parts]
    folded = [torch.unflatten(x, 2, (-1, group_size)).transpose(1, 2).flatten(0, 1) for x in rolled]
    out = scaled_dot_product_attention(folded[0], folded[1], folded[2], is_causal=True)
    out_BHTD = torch.unflatten(out, 0, (q_BHTD.shape[0], -1)).transpose(1, 2).flatten(2, 3)
    return torch.cat([out_BHTD[:, :half], out_BHTD[:, half:].roll(group_size // 2, 2)], 1)


def make_attention(case: Case) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return the function that a case measures, of queries, keys and values."""
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
    """Say why a case cannot be measured here; '' where it can."""
    if case.method == "roll and regroup" and case.num_tokens % case.group_size:
        return "the tokens are no multiple of the group"
    if case.method in ("full", "roll and regroup", "s2 sdpa"):
        return ""
    if case.device == "cpu":
        return "needs CUDA"
    if case.method in NEEDS_FLASH and find_spec("flash_attn") is None:
        return "flash-attn is not installed"
    return "needs bfloat16 or float16" if case.method in NEEDS_FLASH and case.dtype == "float32" else ""


def measure_attention(case: Case, *, what: str) -> dict[str, float]:
    """Measure one case in this process: the best time, or the peak of memory above the inputs."""
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


def measure_best_seconds(work: Callable[[], None], case: Case) -> float:
    """Return the shortest of the repeats, after a first run that does not count."""
    seconds = []
    for _ in range(NUM_WARM_UPS + case.num_repeats):
        synchronize(case.device)
        start = time.perf_counter()
        work()
        synchronize(case.device)
        seconds.append(time.perf_counter() - start)
    return min(seconds[NUM_WARM_UPS:])


def synchronize(device: str) -> None:
    """Wait until the device has done what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


def measure_peak_bytes(work: Callable[[], None], device: str) -> float:
    """Return the most memory that `work` has at once above what there is before; on a CPU, resident memory."""
    work()
    if device == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        work()
        return torch.cuda.max_memory_allocated() - before
    status = Path("/proc/self/status")
    if not status.is_file():
        return float("nan")  # only Linux says
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # begin the peak anew
    before = read_resident_bytes(status)["VmRSS"]
    work()
    return float(read_resident_bytes(status)["VmHWM"] - before)


def read_resident_bytes(status: Path) -> dict[str, int]:
    """Return resident memory, in bytes, now and at its peak."""
    return {name: int(number) * 1024 for name, number in BYTES.findall(status.read_text(encoding="ascii"))}


def measure_step(case: Case, *, what: str) -> dict[str, float]:
    """Measure the best time of a step of one row of a recipe's `extend`."""
    assert what == "time"
    return_freed_memory_to_os()
    torch.set_num_threads(case.num_threads)
    torch.manual_seed(0)
    changes = {
        "max_length": case.num_tokens,
        "group_size": case.group_size if case.method == "s2" else None,
        "accumulation_steps": 1,
        "offload_activations": False,
        "checkpointing": case.checkpointing,
        "dtype": case.dtype,
    }
    params = load_section(case.recipe, "extend", changes)
    seconds = measure_best_seconds(build_step(params, load_base_config(case.recipe), torch.device(case.device)), case)
    return {"step_ms": 1e3 * seconds, "tokens_per_second": case.num_tokens / seconds}


def run_in_new_process(measure: Callable[..., dict[str, float]], case: Case, *whats: str) -> dict[str, float]:
    """Measure the time and the peak of memory of a case, as asked for, each in a process of its own.

    For the memory of attention, the process gives back at once what it frees, so that its peak is true; that would
    cost it time.
    """
    figures: dict[str, float] = {}
    for what in whats:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            figures |= pool.submit(measure, case, what=what).result()
    return figures


def measure_attention_rows(options: argparse.Namespace) -> Rows:
    """Measure every method at every length, group and number of heads; a row that cannot be measured says why."""
    for num_tokens in options.lengths:
        for num_heads, num_kv_heads in options.heads:
            for group_size in options.groups:
                full: dict[str, float] = {}
                for method in METHODS:
                    sizes = (num_tokens, group_size or num_tokens // 4, num_heads, num_kv_heads, options.head_size)
                    case = Case(method, *sizes, options.dtype, options.device, options.threads, options.repeats)
                    reason = reason_not_measurable(case)
                    figures = {} if reason else run_in_new_process(measure_attention, case, "time", "peak")
                    full = full or figures
                    times = full["forward_backward_ms"] / figures["forward_backward_ms"] if figures else None
                    yield asdict(case) | figures | {"times_full": times, "not_measured": reason}


def measure_step_rows(options: argparse.Namespace) -> Rows:
    """Measure a step with full attention and with S2-Attn, for each way of computing layers again."""
    config = load_base_config(options.recipe)
    num_heads, num_kv_heads = config.num_attention_heads, config.num_key_value_heads
    how = (options.dtype, options.device, options.threads, options.repeats)
    for num_tokens, checkpointing in product(options.lengths, options.checkpointing):
        full: dict[str, float] = {}
        for method in ("full", "s2"):
            sizes = (num_tokens, num_tokens // 4, num_heads, num_kv_heads, config.hidden_size // num_heads)
            case = Case(method, *sizes, *how, checkpointing, options.recipe)
            figures = run_in_new_process(measure_step, case, "time")
            full = full or figures
            yield asdict(case) | figures | {"times_full": full["step_ms"] / figures["step_ms"], "not_measured": ""}


def make_table(name: str, rows: Sequence[dict[str, Any]]) -> Table:
    """Return what was measured as a table, with the columns for which there are figures."""
    names = {
        "method": "attention",
        "num_tokens": "tokens",
        "group_size": "group",
        "num_heads": "heads",
        "num_kv_heads": "key-value heads",
        "forward_ms": "forward, ms",
        "forward_backward_ms": "forward + backward, ms",
        "checkpointing": "computed again",
        "step_ms": "step, ms",
        "tokens_per_second": "tokens a second",
        "peak_mb": "peak above inputs, MB",
        "times_full": "full takes so many times as long",
        "not_measured": "not measured",
    }
    names = {key: title for key, title in names.items() if any(row.get(key) not in (None, "") for row in rows)}
    case = ", ".join(f"{key.removeprefix('num_')} {rows[0][key]}" for key in ("device", "dtype", "num_threads"))
    return Table(f"{name}: {case}", tuple(names.values()), tuple(tuple(row.get(key) for key in names) for row in rows))


def main(argv: Sequence[str] | None = None) -> None:
    """Run `python -m train.bench attention|step`."""
    options = parser().parse_args(argv)
    log_to_stderr()
    with exit_on_input_error("bench"):
        run(options)


def run(options: argparse.Namespace) -> None:
    """Measure and write the tables.

    Raises:
        InputError: There is no GPU to measure on, or what is to be measured cannot be.
    """
    if options.device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device", found="cuda, but no GPU", expected="a CUDA device", fix="Use --device cpu.")
    measure = {"attention": measure_attention_rows, "step": measure_step_rows}[options.what]
    given = conditions(LIBRARIES)
    if options.device == "cuda":
        given["gpu"] = torch.cuda.get_device_name()
    rows = []
    for row in measure(options):
        log.info("%s", {key: value for key, value in row.items() if value not in (None, "")})
        rows.append(row)
    log.info("%s", write_tables(options.out, options.what, given, [make_table(options.what, rows)]))
    log.info("bench: %d rows in %s", len(rows), options.out / f"{options.what}.md")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    own = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    own.add_argument("what", choices=("attention", "step"))
    own.add_argument("--lengths", type=int, nargs="+", default=[2_048, 8_192], metavar="TOKENS")
    own.add_argument(
        "--groups", type=parse_group, nargs="+", default=[0], metavar="TOKENS", help="or 'quarter', the default"
    )
    own.add_argument("--heads", type=parse_heads, nargs="+", default=[(8, 8)], metavar="QUERIES:KEYS")
    own.add_argument("--head-size", type=int, default=64)
    own.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), default="float32")
    own.add_argument("--checkpointing", choices=get_args(Checkpointing), nargs="+", default=["layers"])
    own.add_argument("--recipe", default="smollm2-135m", help="of a whole step")
    own.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    own.add_argument("--threads", type=int, default=2)
    own.add_argument("--repeats", type=int, default=4, help="the shortest counts")
    own.add_argument("--out", type=Path, required=True, metavar="DIR")
    return own


def parse_group(text: str) -> int:
    """Return a group size, 0 for a quarter of the length."""
    return 0 if text == "quarter" else int(text)


def parse_heads(text: str) -> Heads:
    """Return the heads of queries and of keys."""
    queries, keys = text.split(":")
    return int(queries), int(keys)


if __name__ == "__main__":
    main()
