"""The command line: `longalpaca COMMAND …`; stages also run as `python -m pipeline.STAGE …`.

A stage is a function `run(params, *, name=Path, …)`. Its options are the paths that it reads and writes, one for each
keyword argument, and `--params`; a keyword argument that is a bool is a flag. An argument before them that has a
default is an option that may be left out, and that the graph does not use.
"""

import argparse
import ast
import importlib
import inspect
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_type_hints

from pipeline.errors import InputError
from pipeline.params import Params

Run = Callable[..., None]

GROUPS = {
    "Documents": {
        "find": "pipeline.find",
        "sample": "pipeline.sample",
        "fetch": "pipeline.fetch",
        "extract": "pipeline.extract",
        "curate": "pipeline.curate",
    },
    "Dataset": {
        "ask": "pipeline.ask",
        "verify": "pipeline.verify",
        "contamination": "pipeline.contamination",
        "short": "pipeline.short",
        "mix": "pipeline.mix",
        "import": "pipeline.importing",
        "publish": "pipeline.publish",
    },
    "Model": {
        "plan": "train.plan",
        "base": "train.base",
        "extend": "train.extend",
        "sft": "train.sft",
        "merge": "train.merge",
    },
    "Evidence": {
        "perplexity": "eval.perplexity",
        "passkey": "eval.passkey",
        "needle": "eval.needle",
        "ruler": "eval.ruler",
        "longqa": "eval.longqa",
        "demos": "eval.demos",
        "report": "eval.report",
        "compare": "eval.compare",
        "judge": "eval.judge",
        "scores": "eval.scores",
        "short_ability": "eval.short_ability",
        "harness": "eval.harness",
        "methods": "eval.ablation",
    },
    "Use": {"chat": "eval.chat", "answer": "eval.answer"},
    "Tools": {"bench": "pipeline.bench"},
}
MODULES = {name: module for group in GROUPS.values() for name, module in group.items()}
TOOLS = ("find", "plan", "methods", "chat", "answer", "compare", "bench")  # with options of their own: no stage
TRAINING_BENCHMARKS = ("attention", "step", "memory")  # `longalpaca bench` has these of training beside the pipeline's
COMMANDS = {
    name: MODULES[name] for name in ("import", "publish", "judge", "scores", "short_ability", "harness")
}  # run as stages are, but no part of the graph
STAGES = {name: module for name, module in MODULES.items() if name not in (*TOOLS, *COMMANDS)}
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
        elif parameter.default is not inspect.Parameter.empty:
            flag = f"--{name.replace('_', '-')}"
            metavar = "N" if hints[name] is int else "PATH"
            parser.add_argument(flag, type=hints[name], default=parameter.default, metavar=metavar)
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
    """Run `longalpaca COMMAND …`."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="longalpaca",
        usage="longalpaca COMMAND [OPTIONS]",
        description="From long documents to a long-context chat model, one stage at a time.",
        epilog=list_commands(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=version("longalpaca"))
    parser.add_argument("command", choices=MODULES, metavar="COMMAND", help=argparse.SUPPRESS)
    command = parser.parse_args(arguments[:1]).command
    is_of_training = command == "bench" and arguments[1:2] and arguments[1] in TRAINING_BENCHMARKS
    module: Any = importlib.import_module("train.bench" if is_of_training else MODULES[command])
    if command in TOOLS:
        module.main(arguments[1:])
        return
    run_stage(module.run, arguments[1:], prog=f"longalpaca {command}")


def list_commands() -> str:
    """Return the commands by group, each with the first line of its module's docstring."""
    lines = []
    for group, modules in GROUPS.items():
        lines += [f"{group}:", *(f"  {name:15}{summarise(module)}" for name, module in modules.items()), ""]
    return "\n".join([*lines, "'longalpaca COMMAND --help' shows the options; 'dvc repro' runs every stage."])


def summarise(module: str) -> str:
    """Return the first line of a module's docstring; the module is read, not imported."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    docstring = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))
    assert docstring, module
    return docstring.partition("\n")[0].rstrip(".")
