"""What a benchmark is, and how all of them are found.

A module of this folder that has a `BENCHMARK` is a benchmark: adding one takes its file and its test, nothing else.
"""

import argparse
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pipeline.benchmarks
from pipeline.tables import Table


@dataclass(frozen=True)
class Argument:
    """An argument of the command line, as argparse takes it."""

    flag: str
    type: Callable[[str], int | Path]
    metavar: str
    required: bool = True
    help: str = ""
    nargs: str | None = None  # '+' for one or more


DOCUMENTS = Argument("--documents", Path, "DIR", help="a folder of files, at any depth")
COUNT = Argument("--count", int, "N")
SEED = Argument("--seed", int, "N")


@dataclass(frozen=True)
class Benchmark:
    """Something that can be measured: its name, its arguments, and the function that measures it."""

    name: str
    description: str
    arguments: tuple[Argument, ...]  # besides --out and --params, which all have
    measure: Callable[[argparse.Namespace], list[Table]]


@cache
def all_benchmarks() -> dict[str, Benchmark]:
    """Return every benchmark by its name, in the order of the names."""
    names = sorted(module.name for module in pkgutil.iter_modules(pipeline.benchmarks.__path__))
    modules = [importlib.import_module(f"pipeline.benchmarks.{name}") for name in names]
    found = [module.BENCHMARK for module in modules if hasattr(module, "BENCHMARK")]
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}
