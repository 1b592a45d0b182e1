"""Serve a page on which one talks to documents: drop files, ask, and see where the answer is in them.

Reads   MODEL    a folder, the name of a model on the Hub, or the address of an OpenAI-compatible server (…/v1)
Serves  http://HOST:PORT, to this machine alone unless --host says otherwise; docs/chat.md describes the page
"""

import argparse
import logging
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from eval.chat_page.params import DEFAULT_MODEL, ChatParams
from eval.models.open import open_model
from eval.models.records import ChatModel
from pipeline.cli import exit_on_input_error, log_to_stderr
from pipeline.errors import InputError
from pipeline.extract import ExtractParams

log = logging.getLogger(__name__)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    own = argparse.ArgumentParser(
        prog="longalpaca chat", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    own.add_argument("--model", default=DEFAULT_MODEL, help="who answers; default: %(default)s")
    own.add_argument("--base", help="a second model, to compare with side by side")
    own.add_argument("--host", default="127.0.0.1", help="the address to listen on; 0.0.0.0 for every network")
    own.add_argument("--port", type=int, default=7860)
    own.add_argument(
        "--allow-host", nargs="+", default=[], metavar="NAME", help="names that the page may be opened under"
    )
    own.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="FILE")
    return own


def main(argv: Sequence[str] | None = None) -> None:
    """Run `longalpaca chat`."""
    options = parser().parse_args(argv)
    log_to_stderr()
    with exit_on_input_error("chat"):
        check_installed()
        serve(options, ChatParams.load(options.params), ExtractParams.load(options.params))


def check_installed() -> None:
    """Raise an InputError if the libraries of the extra `chat` are missing."""
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise InputError(
            "longalpaca chat",
            found=f"{' and '.join(missing)} not installed",
            expected="the extra `chat`",
            fix="Run pip install 'longalpaca[chat]'.",
        )


def serve(options: argparse.Namespace, params: ChatParams, extract: ExtractParams) -> None:
    """Serve the page until interrupted; files of users are in a temporary folder that goes with the server."""
    import uvicorn  # of the extra `chat`, as what `server` imports

    from eval.chat_page.server import make_app
    from eval.chat_page.service import ChatService

    with tempfile.TemporaryDirectory(prefix="longalpaca-chat-") as folder:
        models = open_models(options.model, options.base, params, Path(folder))
        service = ChatService(models, params, extract, Path(folder))
        app = make_app(service, [options.host, *options.allow_host])
        log.info("chat: %s at http://%s:%d (Ctrl+C ends it)", " and ".join(models), options.host, options.port)
        uvicorn.run(app, host=options.host, port=options.port, log_level="warning", server_header=False)


def open_models(model: str, base: str | None, params: ChatParams, store: Path) -> dict[str, ChatModel]:
    """Return the models of the page by their labels; the one that is asked by default is first.

    Raises:
        InputError: One of them cannot be opened.
    """
    models = {"tuned" if base else "model": open_model(model, params.model, params.endpoint, store=store)}
    if base:
        models["base"] = open_model(base, params.model, params.endpoint, store=store)
    return models


if __name__ == "__main__":
    main()
