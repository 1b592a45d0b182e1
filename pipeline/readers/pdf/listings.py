"""Find the listings of a PDF, and write them character for character.

Fonts do not tell which of them have one width for all characters, so it is measured: among lines whose words agree on
the width of a character, those of listings agree with each other, and the others do by chance.
"""

from collections import Counter
from dataclasses import replace

from pipeline.readers.pdf.lines import Line

MIN_WORDS = 3  # of a line that is counted
MIN_LINES = 5  # that must agree
MOST = 0.6  # of the lines counted


def mark_listings(pages: list[list[Line]]) -> list[list[Line]]:
    """Return pages with the lines of listings marked as fixed; a document from a typewriter has none."""
    found = Counter(
        pitch_key(line) for lines in pages for line in lines if line.pitch and line.text.count(" ") + 1 >= MIN_WORDS
    )
    pitch, count = max(found.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    if count < MIN_LINES or count < MOST * found.total():
        return pages
    marked = [
        [replace(line, fixed=True) if abs(pitch_key(line) - pitch) <= 1 else line for line in lines] for lines in pages
    ]
    num_fixed = sum(len(line.text) for lines in marked for line in lines if line.fixed)
    return marked if 2 * num_fixed <= sum(len(line.text) for lines in marked for line in lines) else pages


def pitch_key(line: Line) -> int:
    """Return the width of a character in hundredths of the font size; 0 if they are not equally wide."""
    return round(100 * line.pitch / line.size) if line.size else 0


def write_listing(lines: list[Line]) -> str:
    """Write lines in a font of one width, each character in its place."""
    longest = max((piece for line in lines for piece in line.pieces), key=lambda piece: len(piece.text))
    width = (longest.right - longest.left) / len(longest.text) or 1.0
    edge = min(line.left for line in lines)
    rows = []
    for line in lines:
        row = ""
        for piece in line.pieces:
            row = row.ljust(max(len(row) + bool(row), round((piece.left - edge) / width))) + piece.text
        rows.append(row.removesuffix("\ufffe") + "-" if row.endswith("\ufffe") else row)
    return "\n".join(["```", *rows, "```"])
