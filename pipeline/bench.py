"""Measure speed, memory and fidelity of the stages, the cost of the sandbox, and what the sandbox withstands.

Reads   DOCUMENTS        a folder of files, at any depth
Writes  OUT/NAME.json    figures, and what they depend on
        OUT/NAME.md      the same as tables
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from pipeline.benchmarks.benchmark import all_benchmarks
from pipeline.cli import exit_on_input_error, log_to_stderr
from pipeline.errors import InputError
from pipeline.tables import conditions, write_tables

log = logging.getLogger(__name__)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line: a subcommand for each benchmark."""
    parser = argparse.ArgumentParser(
        prog="longalpaca bench",
        description=__doc__,
        epilog="Of training, each with its own --help: attention, step, memory.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="name", required=True, metavar="BENCHMARK")
    for name, benchmark in all_benchmarks().items():
        command = commands.add_parser(name, help=benchmark.description, description=benchmark.description)
        for each in benchmark.arguments:
            command.add_argument(
                each.flag,
                type=each.type,
                required=each.required,
                metavar=each.metavar,
                help=each.help,
                nargs=each.nargs,
            )
        command.add_argument("--out", type=Path, required=True, metavar="DIR")
        command.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="FILE")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one benchmark; exit with 2 on a fault that the user can fix."""
    options = build_parser().parse_args(arguments)
    log_to_stderr()
    with exit_on_input_error("bench"):
        if "count" in options and options.count < 1:
            raise InputError("--count", found=str(options.count), expected="at least 1", fix="Name another number.")
        given = conditions()
        tables = all_benchmarks()[options.name].measure(options)
        log.info("%s", write_tables(options.out, options.name, given, tables))
    log.info("bench: %d tables in %s", len(tables), options.out / f"{options.name}.md")


if __name__ == "__main__":
    main()
