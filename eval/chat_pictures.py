"""Take the pictures of the page that docs/chat.md shows, with a real model: `python -m eval.chat_pictures`.

Reads   MODEL, BASE, PARAMS    as `longalpaca chat`
Writes  OUT/chat-1400-light.png, chat-1400-dark.png, chat-400-light.png, chat-400-dark.png
"""

import argparse
import logging
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from eval.browser import SCHEMES, SIZES, open_browser, take_picture
from eval.chat_page.params import DEFAULT_MODEL
from pipeline.cli import exit_on_input_error, log_to_stderr
from pipeline.errors import InputError

START_SECONDS, READ_SECONDS, ANSWER_SECONDS = 120, 120, 600
log = logging.getLogger(__name__)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    own = argparse.ArgumentParser(
        prog="python -m eval.chat_pictures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    own.add_argument("--document", type=Path, required=True, metavar="FILE", help="what is asked about")
    own.add_argument("--question", nargs="+", required=True, help="asked in this order")
    own.add_argument("--model", default=DEFAULT_MODEL)
    own.add_argument("--base", default=None)
    own.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="FILE")
    own.add_argument("--port", type=int, default=7869)
    own.add_argument("--out", type=Path, required=True, metavar="DIR")
    return own


def main(argv: Sequence[str] | None = None) -> None:
    """Serve the page, talk to a document, and take the pictures."""
    options = parser().parse_args(argv)
    log_to_stderr()
    with exit_on_input_error("pictures"):
        options.out.mkdir(parents=True, exist_ok=True)
        with serve(options) as url:
            paths = take_pictures(options, url)
    log.info("pictures: %s", ", ".join(f"{path} ({path.stat().st_size // 1000} kB)" for path in paths))


@contextmanager
def serve(options: argparse.Namespace) -> Iterator[str]:
    """Run the page in a process of its own, and yield its address once it answers.

    Raises:
        InputError: It does not start.
    """
    command = [sys.executable, "-m", "eval.chat", "--model", options.model, "--port", str(options.port)]
    command += ["--params", str(options.params), *(["--base", options.base] if options.base else [])]
    url = f"http://127.0.0.1:{options.port}"
    with subprocess.Popen(command) as server:
        try:
            wait_for(url, server)
            yield url
        finally:
            server.terminate()


def wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    """Return once the page answers."""
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(url).raise_for_status()
            return
        except httpx.TransportError:
            time.sleep(0.2)
    raise InputError(url, found="no page", expected="the page of longalpaca chat", fix="See what it printed above.")


def take_pictures(options: argparse.Namespace, url: str) -> list[Path]:
    """Talk to the document once, and take a picture of each size in each scheme."""
    with open_browser() as browser:
        page = browser.new_page()
        talk(page, url, options)
        return [take(page, options.out, size, scheme) for size in SIZES for scheme in SCHEMES]


def talk(page: Any, url: str, options: argparse.Namespace) -> None:
    """Add the document, ask the questions, and open the place of the last link."""
    page.goto(url)
    page.set_input_files("#files", str(options.document))
    page.wait_for_selector("#documents li", timeout=1_000 * READ_SECONDS)
    for number, question in enumerate(options.question, 1):
        page.fill("#question", question)
        page.click("#send")
        page.wait_for_selector(f".question:nth-of-type({number}) .answer.done", timeout=1_000 * ANSWER_SECONDS)
        page.wait_for_selector("#send:visible")
    if page.locator(".link").count():
        page.locator(".link").last.click()
        page.wait_for_selector("#place-body :is(.page, .excerpt)")


def take(page: Any, out: Path, size: tuple[int, int], scheme: str) -> Path:
    """Take one picture of the answer."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    if page.locator(".box").count():
        page.locator(".box").first.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    return take_picture(page, out / f"chat-{size[0]}-{scheme}.png", size, scheme)


if __name__ == "__main__":
    main()
