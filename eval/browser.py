"""Open pages in Chromium and take pictures of them: for docs/pictures, and for tests."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import InputError

SIZES = ((1400, 900), (400, 860))  # pixels: a desk and a phone
SCHEMES = ("light", "dark")
NAMES = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = (  # a root user has no sandbox, and nothing is asked of other hosts
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NUM_COLOURS = 128  # of a picture, so that it stays small


def find_chromium() -> str | None:
    """Return the path of Chromium, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def open_browser() -> Iterator[Any]:
    """Yield a headless Chromium, as Playwright drives it.

    Raises:
        InputError: There is none.
    """
    from playwright.sync_api import sync_playwright  # of the extra `dev`

    path = find_chromium()
    if path is None:
        raise InputError("Chromium", found="none", expected="a browser", fix="Install it: apt-get install chromium.")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=list(SWITCHES))
        try:
            yield browser
        finally:
            browser.close()


def take_picture(page: Any, path: Path, size: tuple[int, int], scheme: str) -> Path:
    """Write what a page shows at a size and in a scheme of colours as PNG."""
    from PIL import Image  # comes with reportlab

    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        page.screenshot(path=file.name)
        Image.open(file.name).convert("RGB").quantize(NUM_COLOURS).save(path, optimize=True)
    return path
