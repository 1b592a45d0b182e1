"""The command line: `longalpaca STAGE …`, and the same stage as `python -m pipeline.STAGE …`.

A stage is a function `run(params, *, name=Path, …)`. Its options are the paths that it reads and writes, one for each
keyword argument, and `--params`; a keyword argument that is a bool is a flag.
"""

import argparse
import importlib
import inspect
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_type_hints

from pipeline.errors import InputError
from pipeline.params import Params

Run = Callable[..., None]

STAGES = {
    "sample": "pipeline.sample",
    "fetch": "pipeline.fetch",
    "extract": "pipeline.extract",
    "curate": "pipeline.curate",
    "ask": "pipeline.ask",
    "verify": "pipeline.verify",
    "contamination": "pipeline.contamination",
    "short": "pipeline.short",
    "mix": "pipeline.mix",
    "base": "train.base",
    "extend": "train.extend",
    "sft": "train.sft",
    "merge": "train.merge",
    "perplexity": "eval.perplexity",
    "passkey": "eval.passkey",
    "report": "eval.report",
}
TOOLS = {"find": "pipeline.find"}  # with options of their own: what they do depends on the world, not on inputs
COMMANDS = {  # what is no part of the graph: it brings from elsewhere, or gives away
    "import": "pipeline.importing",
    "publish": "pipeline.publish",
}
QUIET_LOGGERS = ("arxiv", "httpx", "filelock", "fontTools", "matplotlib", "urllib3", "absl")


def run_stage(run: Run, argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Parse the options of one stage and run it; exit with 2 on a fault that the user can fix."""
    stage = sys.modules[run.__module__]
    hints = get_type_hints(run)
    parser = argparse.ArgumentParser(
        prog=prog, description=stage.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, parameter in inspect.signature(run).parameters.items():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            if hints[name] is bool:
                parser.add_argument(f"--{name.replace('_', '-')}", action="store_true")
                continue
            is_path = hints[name] is Path
            parser.add_argument(
                f"--{name.replace('_', '-')}",
                type=hints[name],
                required=True,
                metavar=("DIR" if name == "out" else "PATH") if is_path else "NAME",
            )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="FILE")
    options = vars(parser.parse_args(argv))
    log_to_stderr()
    params_type: type[Params] = hints["params"]
    with exit_on_input_error((stage.__spec__.name if stage.__spec__ else stage.__name__).split(".")[-1]):
        run(params_type.load(options.pop("params")), **options)


@contextmanager
def exit_on_input_error(command: str) -> Iterator[None]:
    """Turn a fault that the user can fix into one line on stderr and exit status 2."""
    try:
        yield
    except InputError as error:
        sys.stderr.write(f"longalpaca {command}: error: {error}\n")
        sys.exit(2)


def log_to_stderr() -> None:
    """Send our own lines to stderr, and only the warnings of libraries."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def main(argv: Sequence[str] | None = None) -> None:
    """Run `longalpaca STAGE …`."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="longalpaca",
        description="From long documents to a long-context chat model, one stage at a time.",
        epilog="'longalpaca STAGE --help' shows the options of a stage; 'dvc repro' runs them all.",
    )
    modules = {**STAGES, **COMMANDS, **TOOLS}
    parser.add_argument("stage", choices=modules, metavar="STAGE", help=", ".join(modules))
    chosen = parser.parse_args(arguments[:1]).stage
    module: Any = importlib.import_module(modules[chosen])
    if chosen in TOOLS:
        module.main(arguments[1:])
        return
    run_stage(module.run, arguments[1:], prog=f"longalpaca {chosen}")
