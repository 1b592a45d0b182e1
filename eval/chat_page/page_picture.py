"""Draw a page of a PDF and find the boxes of words on it, in a process with limits: the file may be hostile.

`draw` starts the process, which gets a request as JSON on standard input and answers with JSON on standard output.
"""

import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
from rapidfuzz import fuzz

from pipeline.processes import die_with_parent
from pipeline.readers.sandbox import ENVIRONMENT, FIXED_ENVIRONMENT
from pipeline.readers.worker import Limits, apply_limits, leave_folder, leave_network

WIDTH = 1_000  # pixels of a picture
MAX_HEIGHT = 3_000
MIN_SCORE = 85.0  # of rapidfuzz's partial ratio between the letters of a quote and those of a page
MAX_QUOTE = 2_000  # letters that are looked for

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class PagePicture:
    """A page as PNG, and the boxes of words on it as fractions of its width and height."""

    png: str  # base64
    width: int
    height: int
    boxes: tuple[Box, ...]  # one a line of text, from top to bottom; none where the words were not found


def draw(path: Path, page: int, quote: str, limits: Limits) -> PagePicture | None:
    """Return the picture of a page with a quote boxed, None if the page cannot be drawn.

    Args:
        path: Of a PDF.
        page: From 1.
        quote: Words of the page, spelled as the reader spells them.
        limits: What drawing may use.
    """
    environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ} | FIXED_ENVIRONMENT
    environment["PYTHONPATH"] = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path)
    request = {"path": str(path.resolve()), "page": page, "quote": quote, "limits": vars(limits)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "eval.chat_page.page_picture", str(os.getpid())],
            input=json.dumps(request).encode(),
            capture_output=True,
            env=environment,
            timeout=limits.wall_seconds,
            check=False,
        )
        answer = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):  # it was killed by a limit, or crashed
        return None
    return PagePicture(answer["png"], answer["width"], answer["height"], tuple(map(tuple, answer["boxes"])))


def main() -> None:
    """Answer one request."""
    die_with_parent(int(sys.argv[1]))
    request = json.load(sys.stdin)
    with pdfium.PdfDocument(Path(request["path"]).read_bytes()) as document:
        leave_network()
        leave_folder()
        apply_limits(Limits(**request["limits"]))
        answer = draw_page(document[request["page"] - 1], request["quote"])
    sys.stdout.write(json.dumps(answer))


def draw_page(page: Any, quote: str) -> dict[str, Any]:
    """Return the picture of a page and the boxes of a quote."""
    scale = min(WIDTH / page.get_width(), MAX_HEIGHT / page.get_height())
    bitmap = page.render(scale=scale, rev_byteorder=True)
    picture, file = bitmap.to_pil(), io.BytesIO()
    picture.convert("RGB").quantize(64).save(file, "PNG", optimize=True)
    boxes = box_words(page, bitmap, quote)
    width, height = picture.size
    fractions = [(left / width, top / height, right / width, bottom / height) for left, top, right, bottom in boxes]
    return {"png": base64.b64encode(file.getvalue()).decode(), "width": width, "height": height, "boxes": fractions}


def box_words(page: Any, bitmap: Any, quote: str) -> list[Box]:
    """Return the boxes of the lines of a quote, in pixels of a bitmap; none if the page does not have its words."""
    textpage = page.get_textpage()
    letters, places = list_letters(textpage)
    found = find_letters(letters, quote)
    if found is None:
        return []
    converter = bitmap.get_posconv(page)
    boxes = []
    for place in places[slice(*found)]:
        left, bottom, right, top = textpage.get_charbox(place)
        one, other = converter.to_bitmap(left, top), converter.to_bitmap(right, bottom)
        xs, ys = sorted((one[0], other[0])), sorted((one[1], other[1]))  # a page may be turned
        boxes.append((float(xs[0]), float(ys[0]), float(xs[1]), float(ys[1])))
    return join_lines(boxes)


def list_letters(textpage: Any) -> tuple[str, list[int]]:
    """Return the letters and digits of a page in lower case, and the place of each among its characters."""
    letters, places = [], []
    for place in range(textpage.count_chars()):
        for one in chr(pdfium.raw.FPDFText_GetUnicode(textpage, place)).lower():
            if one.isalnum():
                letters.append(one)
                places.append(place)
    return "".join(letters), places


def find_letters(letters: str, quote: str) -> tuple[int, int] | None:
    """Return the range of a page's letters that a quote is, None if there is none that is like it enough."""
    sought = "".join(letter for letter in quote.lower() if letter.isalnum())[:MAX_QUOTE]
    if not sought:
        return None
    start = letters.find(sought)
    if start >= 0:
        return start, start + len(sought)
    found = fuzz.partial_ratio_alignment(sought, letters, score_cutoff=MIN_SCORE)
    return (found.dest_start, found.dest_end) if found and found.dest_end > found.dest_start else None


def join_lines(boxes: Sequence[Box]) -> list[Box]:
    """Join the boxes of characters that follow each other in a line."""
    lines: list[Box] = []
    for box in boxes:
        if lines and min(lines[-1][3], box[3]) - max(lines[-1][1], box[1]) > 0 and box[0] >= lines[-1][0]:
            left, top, right, bottom = lines[-1]
            lines[-1] = (left, min(top, box[1]), max(right, box[2]), max(bottom, box[3]))
        else:
            lines.append(box)
    return lines


if __name__ == "__main__":
    main()
