"""What all measurements of training share: the case, the clock, the peak of memory, and a process of its own for each.

Run them on a machine that has nothing else to do.
"""

import multiprocessing
import re
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pipeline.tables import conditions
from train.recipe import Checkpointing

NUM_WARM_UPS = 1
LIBRARIES = ("torch", "transformers", "peft")
STATUS = Path("/proc/self/status")
BYTES = re.compile(r"(VmHWM|VmRSS):\s+(\d+) kB")


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
    checkpointing: Checkpointing = "none"  # of a whole step, as a recipe names it
    recipe: str = ""  # of a whole step


def measure_best_seconds(work: Callable[[], None], case: Case) -> float:
    """Return the time of the fastest repeat, after a warm-up that does not count."""
    seconds = []
    for _ in range(NUM_WARM_UPS + case.num_repeats):
        synchronize(case.device)
        start = time.perf_counter()
        work()
        synchronize(case.device)
        seconds.append(time.perf_counter() - start)
    return min(seconds[NUM_WARM_UPS:])


def synchronize(device: str) -> None:
    """Wait until the device has finished its work."""
    if device == "cuda":
        torch.cuda.synchronize()


def measure_peak_bytes(work: Callable[[], None], device: str) -> float:
    """Return the peak of memory during `work` above what was in use before; resident memory on a CPU."""
    work()
    if device == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        work()
        return torch.cuda.max_memory_allocated() - before
    if not STATUS.is_file():
        return float("nan")  # only Linux reports it
    reset_resident_peak()
    before = read_resident_bytes()["VmRSS"]
    work()
    return float(read_resident_bytes()["VmHWM"] - before)


def reset_resident_peak() -> None:
    """Make the peak of resident memory what is resident now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def read_resident_bytes() -> dict[str, int]:
    """Return resident memory in bytes, now (VmRSS) and at its peak (VmHWM)."""
    return {name: int(number) * 1024 for name, number in BYTES.findall(STATUS.read_text(encoding="ascii"))}


def run_in_new_process(measure: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Return what `measure` returns in a process of its own, where nothing earlier is in memory."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measure, *arguments, **options).result()


def describe_conditions(*, on_cuda: bool) -> dict[str, Any]:
    """Return the versions, the machine and, if it is measured on, the GPU, for the table's heading."""
    found = conditions(LIBRARIES)
    return found | {"gpu": torch.cuda.get_device_name()} if on_cuda else found
