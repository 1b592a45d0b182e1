"""Recognise scanned pages: rapidocr, with the models of its wheel (extra `ocr`).

It takes about two CPU seconds a page and 1.1 GB of address space, so it fits into the limits of a reader with a larger
allowance of time. Lines one by one, and no test for lines that are upside down, are what keeps it within them.
"""

import logging
from functools import lru_cache
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.readers.pdf.lines import Line, Piece

POINTS_PER_INCH = 72
RESOLUTION = 200  # dots per inch: smaller print is lost below, and time above
MAX_PIXELS = 4_000  # on the longer side of a page, whatever its size
DETECTION_PIXELS = 1_280  # to which the longer side is reduced to find lines: more takes more than a reader's memory
MIN_SCORE = 0.5  # of a line, below which what was recognised is noise
SAME_LINE = 0.5  # of the height of a line: pieces closer than this are on one line


LIBRARIES = ("rapidocr", "onnxruntime", "opencv-python-headless")


def is_installed() -> bool:
    """Say whether the extra is there."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def versions() -> dict[str, str]:
    """Return the versions of what recognises: another may read another text."""
    return {
        distribution.name: distribution.version for distribution in distributions() if distribution.name in LIBRARIES
    }


@lru_cache(maxsize=1)
def load_engine() -> Any:
    """Return the recogniser; on one thread, so that a limit on CPU time is one on time."""
    import cv2
    import rapidocr

    cv2.setNumThreads(0)
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    folder = Path(rapidocr.__file__).parent / "models"
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.model_root_dir": str(folder),
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Global.use_cls": False,
            "Det.limit_type": "max",
            "Det.limit_side_len": DETECTION_PIXELS,
            "Rec.rec_batch_num": 1,
        }
    )


def recognise_lines(page: Any) -> list[Line]:
    """Return the lines of a page that has none, from its picture; places are in points, as those of other pages."""
    width, height = page.get_size()
    scale = min(RESOLUTION / POINTS_PER_INCH, MAX_PIXELS / max(width, height, 1.0))
    picture = page.render(scale=scale).to_numpy()
    result = load_engine()(picture)
    if result.boxes is None:
        return []
    pieces = [
        (Piece(text, float(box[:, 0].min()) / scale, float(box[:, 0].max()) / scale), box[:, 1] / scale)
        for box, text, score in zip(result.boxes, result.txts, result.scores, strict=True)
        if score >= MIN_SCORE and text.strip()
    ]
    return join_into_lines([(piece, height - float(y.max()), float(y.max() - y.min())) for piece, y in pieces])


def join_into_lines(pieces: list[tuple[Piece, float, float]]) -> list[Line]:
    """Join pieces at one height into lines, from top to bottom.

    Args:
        pieces: Each with its lower edge, from the foot of the page, and its height.
    """
    rows: list[list[tuple[Piece, float, float]]] = []
    for entry in sorted(pieces, key=lambda entry: (-entry[1], entry[0].left)):
        if rows and rows[-1][0][1] - entry[1] < SAME_LINE * min(rows[-1][0][2], entry[2]):
            rows[-1].append(entry)
        else:
            rows.append([entry])
    lines = []
    for row in rows:
        placed = sorted((piece for piece, _, _ in row), key=lambda piece: piece.left)
        words = placed[0].text.split()
        first_word = (placed[0].right - placed[0].left) * len(words[0]) / len(placed[0].text)
        lines.append(Line(tuple(placed), row[0][1], float(round(0.8 * row[0][2])), bold=False, first_word=first_word))
    return lines
