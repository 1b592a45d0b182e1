"""Measure what `train.plan` foretells: the peak of memory of real steps, on the device at hand.

    python -m train.measure --recipe smollm2-135m --lengths 1024 2048 4096 --methods lora full --out data/bench

Each figure comes from a process of its own, which builds the recipe's model with random weights and takes two steps on
rows of random tokens. On a CPU it is resident memory above what there was before the model. Writes OUT/memory.json and
OUT/memory.md.
"""

import argparse
import gc
import logging
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import torch
from transformers import PretrainedConfig

from pipeline.benchmarks.table import Table, conditions, write_tables
from pipeline.cli import log_to_stderr
from train.bench import LIBRARIES, memory
from train.footprint import footprint_of
from train.memory import give_back_large_blocks
from train.plan import architecture_of, section_of
from train.precision import on_this_machine
from train.recipe import TrainingParams
from train.step import step_of

STATUS = Path("/proc/self/status")
NUM_STEPS = 2  # the first makes the optimizer's state

log = logging.getLogger(__name__)


def peak_bytes_of(params: TrainingParams, config: PretrainedConfig, num_tokens: int, num_threads: int) -> float:
    """Return the peak of the steps above what this process had before it built the model."""
    give_back_large_blocks()
    torch.set_num_threads(num_threads)
    torch.manual_seed(0)
    on_cuda = torch.cuda.is_available()
    device = torch.device("cuda" if on_cuda else "cpu")
    warm_up()
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # begin the peak anew
    before = memory(STATUS)["VmRSS"]
    step = step_of(params.model_copy(update={"max_length": num_tokens}), config, device)
    for _ in range(NUM_STEPS):
        step()
    return float(torch.cuda.max_memory_allocated() if on_cuda else memory(STATUS)["VmHWM"] - before)


def warm_up() -> None:
    """Have libraries load and take what they keep."""
    linear = torch.nn.Linear(64, 64, dtype=torch.bfloat16)
    linear(torch.ones(64, 64, dtype=torch.bfloat16)).float().sum().backward()


def apart(*arguments: Any) -> float:
    """Measure in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(peak_bytes_of, *arguments).result()


def with_method(params: TrainingParams, method: str) -> TrainingParams:
    """Return a recipe's section with another method."""
    if method == params.method:
        return params
    return params.model_copy(update={"method": method, "lora_targets": [], "fully_trained": []})


def rows(options: argparse.Namespace) -> list[tuple[Any, ...]]:
    """Measure each method at each length."""
    found: list[tuple[Any, ...]] = []
    for method in options.methods:
        for num_tokens in options.lengths:
            params = on_this_machine(with_method(section_of(options.recipe, "extend"), method))
            planned = footprint_of(params, architecture_of(options.recipe), "extend", num_tokens).total
            measured = apart(params, architecture_of(options.recipe), num_tokens, options.threads)
            found.append((method, params.dtype, num_tokens, planned / 2**30, measured / 2**30, planned / measured - 1))
            log.info("%s", found[-1])
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Run `python -m train.measure`."""
    options = parser().parse_args(argv)
    log_to_stderr()
    header = ("method", "dtype", "tokens", "planned, GiB", "measured, GiB", "planned / measured - 1")
    given = conditions(LIBRARIES) | {"recipe": options.recipe, "threads": str(options.threads)}
    log.info("%s", write_tables(options.out, "memory", given, [Table("Peak of a step", header, tuple(rows(options)))]))


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    own = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    own.add_argument("--recipe", required=True)
    own.add_argument("--lengths", type=int, nargs="+", required=True, metavar="TOKENS")
    own.add_argument("--methods", choices=("lora", "full"), nargs="+", default=["lora"])
    own.add_argument("--threads", type=int, default=1)
    own.add_argument("--out", type=Path, required=True, metavar="DIR")
    return own


if __name__ == "__main__":
    main()
