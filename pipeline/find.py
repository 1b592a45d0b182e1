"""List documents of a catalogue, with their licences, in a sources file; nothing is downloaded.

Writes  OUT    a YAML list of {url | path | remote | dataset, category, licence, ...}, below a comment with the query
"""

import argparse
import importlib
import inspect
import logging
import os
import pkgutil
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

import yaml

import pipeline.sources
from pipeline.cli import exit_on_input_error, log_to_stderr
from pipeline.downloads.sources_file import Source
from pipeline.errors import InputError
from pipeline.files import replacing
from pipeline.rejections import list_rejections
from pipeline.sources.found import Found, Skip

log = logging.getLogger(__name__)

ARGUMENT = re.compile(r"^ {8}(\w+): (.+(?:\n {12}.+)*)", re.MULTILINE)


def finder_modules() -> dict[str, str]:
    """Return the modules of `pipeline.sources` with a function `find`; `standard_ebooks` is of kind 'standard-ebooks'.

    The files are read, not imported: the client that one of them needs may not be installed.
    """
    found = {}
    for module in pkgutil.iter_modules(pipeline.sources.__path__):
        text = Path(pipeline.sources.__path__[0], f"{module.name}.py").read_text(encoding="utf-8")
        if "\ndef find(" in text:
            found[module.name.replace("_", "-")] = f"pipeline.sources.{module.name}"
    return found


KINDS = finder_modules()


def load(kind: str) -> ModuleType:
    """Import the finder of a kind of source.

    Raises:
        InputError: A client library that it needs is not installed.
    """
    try:
        return importlib.import_module(KINDS[kind])
    except ModuleNotFoundError as error:
        advice = "Install it: pip install 'longalpaca[sources]'."
        raise InputError(kind, found=f"no package {error.name}", expected="an installed one", fix=advice) from error


def build_parser(kinds: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of the command line, with the options of the given kinds."""
    parser = argparse.ArgumentParser(
        prog="longalpaca find", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="kind", required=True, metavar="KIND", help=", ".join(KINDS))
    for kind in kinds:
        finder = load(kind)
        command = commands.add_parser(
            kind, description=finder.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        add_options(command, finder)
    return parser


def add_options(command: argparse.ArgumentParser, finder: ModuleType) -> None:
    """Add an option for each argument of a finder, with the help of its docstring."""
    hints, explained = get_type_hints(finder.find), dict(ARGUMENT.findall(finder.find.__doc__ or ""))
    for name, parameter in inspect.signature(finder.find).parameters.items():
        required = parameter.default is inspect.Parameter.empty
        choices = [choice for choice in get_args(hints[name]) if isinstance(choice, str)]
        command.add_argument(
            f"--{name.replace('_', '-')}",
            type=str if choices else hints[name],
            choices=choices or None,
            required=required,
            default=None if required else parameter.default,
            help=" ".join(explained[name].split()).replace("%", "%%"),
            metavar=None if choices else hints[name].__name__.upper(),
        )
    command.add_argument("--max", type=int, required=True, metavar="N", help="The most entries to list.")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="The sources file.")


def collect(found: Iterator[Found], most: int) -> tuple[list[Source], Counter[str]]:
    """Return the first sources, each location once, and the counted reasons for skips; reviews follow their paper."""
    sources: list[Source] = []
    skipped: Counter[str] = Counter()
    places: set[str] = set()
    for each in found:
        if isinstance(each, Skip):
            skipped[each.reason] += 1
            continue
        if len(sources) >= most and not (each.category == "review" and each.group == sources[-1].group):
            break
        place = each.url or each.path or each.remote or f"{each.dataset}#{each.row}"
        if place in places:
            skipped["listed twice"] += 1
            continue
        places.add(place)
        sources.append(each)
    return sources, skipped


def write_sources(file: Path, sources: Sequence[Source], comment: str) -> None:
    """Write a sources file, with a comment on how it was made."""
    rows = [with_relative_paths(file, source).model_dump(exclude_defaults=True) for source in sources]
    text = yaml.safe_dump(rows, allow_unicode=True, sort_keys=False, width=120)
    with replacing(file) as beside:
        beside.write_text(f"# {comment}\n{text}", encoding="utf-8")


def with_relative_paths(file: Path, source: Source) -> Source:
    """Return a source with local paths relative to the sources file, so that both can be moved together."""
    places = {"path": source.path, "dataset": source.dataset}
    here = {name: place for name, place in places.items() if place and Path(place).is_absolute()}
    folder = file.absolute().parent
    return source.model_copy(update={name: os.path.relpath(place, folder) for name, place in here.items()})


def find(kind: str, options: dict[str, Any], most: int, out: Path) -> None:
    """Find documents of a kind and write their sources file.

    Raises:
        InputError: Nothing was found.
    """
    if most < 1:
        raise InputError("--max", found=str(most), expected="at least 1", fix="Raise it.")
    sources, skipped = collect(load(kind).find(**options), most)
    left_out = list_rejections(dict(sorted(skipped.items()))).replace("refused", "left out")
    if not sources:
        raise InputError(kind, found=f"no document ({left_out})", expected="at least one", fix="Change the query.")
    chosen = {name: value for name, value in options.items() if value != "" and name != "contact"}
    words = " ".join(f"--{name.replace('_', '-')} {str(value)!r}" for name, value in chosen.items())
    write_sources(out, sources, f"longalpaca find {kind} {words} --max {most}")
    log.info("find: %d documents in %s, %s", len(sources), out, left_out)


def check_kind(arguments: Sequence[str]) -> None:
    """Require a known kind of source as the first argument, or an option.

    Raises:
        InputError: It is neither.
    """
    for kind in arguments[:1]:
        if kind not in KINDS and not kind.startswith("-"):
            raise InputError("KIND", found=kind, expected=f"one of {', '.join(KINDS)}", fix="Name one of them.")


def main(arguments: Sequence[str]) -> None:
    """Run `longalpaca find KIND …`; exit with 2 on a fault that the user can fix."""
    with exit_on_input_error("find"):
        check_kind(arguments)
        options = vars(build_parser([kind for kind in arguments[:1] if kind in KINDS]).parse_args(arguments))
        log_to_stderr()
        kind, most, out = (options.pop(name) for name in ("kind", "max", "out"))
        find(kind, options, most, out)


if __name__ == "__main__":
    main(sys.argv[1:])
