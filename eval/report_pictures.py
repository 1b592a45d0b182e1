"""Take the pictures of the report that the documentation shows: `python -m eval.report_pictures`.

Reads   REPORT    report.html, as `report` writes it
Writes  OUT/report-1400-light.png, report-1400-dark.png, report-400-light.png, report-400-dark.png
"""

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

from eval.browser import SCHEMES, SIZES, open_browser, take_picture
from eval.report_parts.part import require_file
from pipeline.cli import exit_on_input_error, log_to_stderr

log = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> None:
    """Open the report, and take a picture of each size in each scheme."""
    parser = argparse.ArgumentParser(prog="python -m eval.report_pictures", description=__doc__)
    parser.add_argument("--report", type=Path, default=Path("data/report/report.html"), metavar="FILE")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"), metavar="DIR")
    options = parser.parse_args(argv)
    log_to_stderr()
    with exit_on_input_error("report_pictures"), open_browser() as browser:
        require_file(options.report)
        options.out.mkdir(parents=True, exist_ok=True)
        page = browser.new_page()
        page.goto(options.report.resolve().as_uri())
        for size in SIZES:
            for scheme in SCHEMES:
                path = take_picture(page, options.out / f"report-{size[0]}-{scheme}.png", size, scheme)
                log.info("%s: %d kB", path, path.stat().st_size // 1_000)


if __name__ == "__main__":
    main()
