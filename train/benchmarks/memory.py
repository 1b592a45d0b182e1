"""Measure the peak memory of real steps, beside what `train.plan` estimates.

    longalpaca bench memory --recipe smollm2-135m --lengths 1024 4096 --methods lora full --out data/bench

Each figure comes from a process of its own, which builds the recipe's model with random weights and runs two steps on
random tokens. The first step creates the gradients and the optimizer's state, whose size does not depend on the number
of tokens, so it has only a few. On a CPU the peak is resident memory above that before the model was built, on a GPU it
is the memory allocated there. Writes OUT/memory.json and OUT/memory.md.
"""

import argparse
import copy
import gc
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import PretrainedConfig

from pipeline.cli import exit_on_input_error, log_to_stderr
from pipeline.tables import Table, write_tables
from train.benchmarks.measuring import (
    describe_conditions,
    read_resident_bytes,
    reset_resident_peak,
    run_in_new_process,
    synchronize,
)
from train.benchmarks.step import build_step, check_measurable
from train.estimate.memory import estimate_memory
from train.plan import load_base_config, load_section, parse_setting
from train.recipe import TrainingParams
from train.trainer.activations import return_freed_memory_to_os
from train.trainer.precision import with_dtype_here

FEW_TOKENS = 256

log = logging.getLogger(__name__)


def measure_step_memory(
    params: TrainingParams, config: PretrainedConfig, num_tokens: int, num_threads: int
) -> tuple[float, float]:
    """Return the peak bytes of two steps above what was in use before the model, and the second step's seconds."""
    return_freed_memory_to_os()
    torch.set_num_threads(num_threads)
    torch.manual_seed(0)
    on_cuda = torch.cuda.is_available()
    device = torch.device("cuda" if on_cuda else "cpu")
    params = params.model_copy(update={"max_length": num_tokens})
    warm_up(params, config, device)
    gc.collect()
    reset_resident_peak()
    before = read_resident_bytes()["VmRSS"]
    if on_cuda:
        torch.cuda.reset_peak_memory_stats()
    step = build_step(params, config, device)
    step(FEW_TOKENS)
    synchronize(device.type)
    start = time.perf_counter()
    step(*[FEW_TOKENS] * (params.accumulation_steps > 1), num_tokens)  # later rows of a step start with gradients
    synchronize(device.type)
    seconds = time.perf_counter() - start
    return float(torch.cuda.max_memory_allocated() if on_cuda else read_resident_bytes()["VmHWM"] - before), seconds


def warm_up(params: TrainingParams, config: PretrainedConfig, device: torch.device) -> None:
    """Run a step on the model's first layer, so that libraries load and allocate what they keep."""
    small = copy.deepcopy(config)
    small.num_hidden_layers = 1
    build_step(params, small, device)(FEW_TOKENS)


def with_method(params: TrainingParams, method: str) -> TrainingParams:
    """Return a recipe's section with another method; `full` clears the lists of modules."""
    without: dict[str, Any] = {"lora_targets": [], "fully_trained": []} if method == "full" else {}
    return params.model_copy(update={"method": method, **without})


def measure_rows(options: argparse.Namespace) -> list[tuple[Any, ...]]:
    """Return a row for each method at each length: method, dtype, tokens, GiB planned and measured, ratio, seconds."""
    found: list[tuple[Any, ...]] = []
    for method in options.methods:
        for num_tokens in options.lengths:
            given = load_section(options.recipe, "extend", dict(options.set))
            params = with_dtype_here(with_method(given, method or given.method))
            check_measurable(params)
            planned = estimate_memory(params, load_base_config(options.recipe), "extend", num_tokens).total
            peak, seconds = run_in_new_process(
                measure_step_memory, params, load_base_config(options.recipe), num_tokens, options.threads
            )
            figures = (planned / 2**30, peak / 2**30, planned / peak - 1, seconds)
            found.append((params.method, params.dtype, num_tokens, *figures))
            log.info("%s", found[-1])
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Run `longalpaca bench memory`."""
    options = parser().parse_args(argv)
    log_to_stderr()
    header = ("method", "dtype", "tokens", "planned, GiB", "measured, GiB", "planned / measured - 1", "step, s")
    settings = {"recipe": options.recipe, "changed": dict(options.set), "threads": options.threads}
    given = describe_conditions(on_cuda=torch.cuda.is_available()) | settings
    with exit_on_input_error("bench"):
        found = measure_rows(options)
    log.info("%s", write_tables(options.out, "memory", given, [Table("Peak of a step", header, tuple(found))]))


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    own = argparse.ArgumentParser(
        prog="longalpaca bench memory", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    own.add_argument("--recipe", required=True)
    own.add_argument("--lengths", type=int, nargs="+", required=True, metavar="TOKENS")
    own.add_argument(
        "--methods", choices=("lora", "qlora", "full"), nargs="+", default=[None], help="the recipe's if not given"
    )
    own.add_argument(
        "--set", type=parse_setting, nargs="+", default=[], metavar="KEY=VALUE", help="instead of the recipe's"
    )
    own.add_argument("--threads", type=int, default=1)
    own.add_argument("--out", type=Path, required=True, metavar="DIR")
    return own


if __name__ == "__main__":
    main()
