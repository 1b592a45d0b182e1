"""Measure how documents are read and mixed: speed, memory, what the sandbox costs, and what it withstands.

Reads   DOCUMENTS        a folder of files, at any depth
Writes  OUT/NAME.json    figures, and what they depend on
        OUT/NAME.md      the same as tables
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from pipeline.benchmarks.endpoint import measure_endpoint
from pipeline.benchmarks.faithful import measure_faithful
from pipeline.benchmarks.fetching import measure_fetching
from pipeline.benchmarks.files import measure_files
from pipeline.benchmarks.hostile import measure_hostile
from pipeline.benchmarks.mixing import measure_mixing
from pipeline.benchmarks.mutants import measure_mutants
from pipeline.benchmarks.questions import draw_questions
from pipeline.benchmarks.reading import measure_reading
from pipeline.cli import exit_on_input_error, log_to_stderr
from pipeline.errors import InputError
from pipeline.extract import ExtractParams
from pipeline.fetch import FetchParams
from pipeline.mix import MixParams
from pipeline.tables import Table, conditions, write_tables

log = logging.getLogger(__name__)

NUM_HOSTS = 20  # that the benchmark of fetch asks

BENCHMARKS = {
    "reading": "pages and megabytes per core-second, other tools beside them, small files, one worker and two",
    "faithful": "words, order of columns and figures of tables, against what other means find",
    "hostile": "one row for each odd and broken file, and the PDFs with text beside each engine alone",
    "mutants": "an outcome for each of very many damaged PDFs",
    "endpoint": "requests a second to a server that costs nothing, and memory (of --count requests)",
    "questions": "draws examples of a folder of verify, to be read by a person",
    "fetch": "files a second from many hosts of this machine (of --count files)",
    "files": "memory and time of the stage on very many small files",
    "mix": "memory and time of mixing very many long rows",
}


def parser_of() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="name", required=True, metavar="BENCHMARK")
    for name, what in BENCHMARKS.items():
        command = commands.add_parser(name, help=what, description=what)
        if name not in ("files", "endpoint", "fetch", "mix"):
            command.add_argument("--documents", type=Path, required=name != "mutants", metavar="DIR")
        if name == "reading":
            command.add_argument("--tools-python", type=Path, metavar="FILE", help="a Python that has other tools")
        if name in ("faithful", "mutants", "files", "endpoint", "fetch", "mix", "questions"):
            command.add_argument("--count", type=int, required=True, metavar="N")
        if name in ("faithful", "mutants", "files", "mix", "questions"):
            command.add_argument("--seed", type=int, required=True, metavar="N")
        command.add_argument("--out", type=Path, required=True, metavar="DIR")
        command.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="FILE")
    return parser


def measure(options: argparse.Namespace) -> list[Table]:
    """Run the benchmark that the options name.

    Raises:
        InputError: There is nothing to read.
    """
    if options.name == "mix":
        return measure_mixing(MixParams.load(options.params), count=options.count, seed=options.seed)
    params = ExtractParams.load(options.params)
    if options.name == "reading":
        return measure_reading(params, documents=options.documents, tools_python=options.tools_python)
    if options.name == "hostile":
        return measure_hostile(params, documents=options.documents)
    if options.count < 1:
        raise InputError("--count", found=str(options.count), expected="at least 1", fix="Name another number.")
    if options.name == "faithful":
        return measure_faithful(params, documents=options.documents, count=options.count, seed=options.seed)
    if options.name == "mutants":
        return measure_mutants(params, documents=options.documents, count=options.count, seed=options.seed)
    if options.name == "endpoint":
        return measure_endpoint(count=options.count)
    if options.name == "fetch":
        return measure_fetching(FetchParams.load(options.params), count=options.count, num_hosts=NUM_HOSTS)
    if options.name == "questions":
        return draw_questions(documents=options.documents, count=options.count, seed=options.seed)
    return measure_files(params, count=options.count, seed=options.seed)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one benchmark; exit with 2 on a fault that the user can fix."""
    options = parser_of().parse_args(arguments)
    log_to_stderr()
    with exit_on_input_error("bench"):
        given = conditions()
        tables = measure(options)
        log.info("%s", write_tables(options.out, options.name, given, tables))
    log.info("bench: %d tables in %s", len(tables), options.out / f"{options.name}.md")


if __name__ == "__main__":
    main()
