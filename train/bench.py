"""Measure the speed and memory of attention alone and of whole training steps.

    longalpaca bench attention --lengths 2048 8192 32768 --out data/bench
    longalpaca bench step --lengths 4096 --out data/bench

Each row of a table is measured in a process of its own. Run it on a machine that has nothing else to do. Writes
OUT/attention.json or OUT/step.json, and the same as a Markdown table beside it.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import torch

from pipeline.cli import exit_on_input_error, log_to_stderr
from pipeline.errors import InputError
from pipeline.tables import Table, write_tables
from train.benchmarks import memory
from train.benchmarks.attention import measure_attention_rows
from train.benchmarks.measuring import describe_conditions
from train.benchmarks.step import measure_step_rows
from train.recipe import Checkpointing

log = logging.getLogger(__name__)


def make_table(name: str, rows: Sequence[dict[str, Any]]) -> Table:
    """Return the rows as a table, without the columns that are empty in all of them."""
    names = {
        "method": "attention",
        "num_tokens": "tokens",
        "group_size": "group",
        "num_heads": "heads",
        "num_kv_heads": "key-value heads",
        "forward_ms": "forward, ms",
        "forward_backward_ms": "forward + backward, ms",
        "checkpointing": "recomputed",
        "step_ms": "step, ms",
        "tokens_per_second": "tokens a second",
        "peak_mb": "peak above inputs, MB",
        "times_full": "speed-up over full",
        "not_measured": "not measured",
    }
    names = {key: title for key, title in names.items() if any(row.get(key) not in (None, "") for row in rows)}
    case = ", ".join(f"{key.removeprefix('num_')} {rows[0][key]}" for key in ("device", "dtype", "num_threads"))
    return Table(f"{name}: {case}", tuple(names.values()), tuple(tuple(row.get(key) for key in names) for row in rows))


def main(argv: Sequence[str] | None = None) -> None:
    """Run `longalpaca bench attention|step|memory`."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["memory"]:
        memory.main(arguments[1:])
        return
    options = parser().parse_args(arguments)
    log_to_stderr()
    with exit_on_input_error("bench"):
        run(options)


def run(options: argparse.Namespace) -> None:
    """Measure and write the tables.

    Raises:
        InputError: There is no GPU to measure on, or a recipe's step cannot be measured.
    """
    if options.device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device", found="cuda, but no GPU", expected="a CUDA device", fix="Use --device cpu.")
    measure = {"attention": measure_attention_rows, "step": measure_step_rows}[options.what]
    given = describe_conditions(on_cuda=options.device == "cuda")
    rows = []
    for row in measure(options):
        log.info("%s", {key: value for key, value in row.items() if value not in (None, "")})
        rows.append(row)
    log.info("%s", write_tables(options.out, options.what, given, [make_table(options.what, rows)]))
    log.info("bench: %d rows in %s", len(rows), options.out / f"{options.what}.md")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    own = argparse.ArgumentParser(
        prog="longalpaca bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
    """Return a group size; 0 means a quarter of the length."""
    return 0 if text == "quarter" else int(text)


def parse_heads(text: str) -> tuple[int, int]:
    """Return the numbers of query heads and of key-value heads: '9:3' is (9, 3)."""
    queries, keys = text.split(":")
    return int(queries), int(keys)


if __name__ == "__main__":
    main()
