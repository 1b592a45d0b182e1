"""Join words split at the ends of a PDF's lines; keep the hyphens of compounds.

Whether `mixed-` and `mode` are one word or two, the rest of the document knows: the hyphen stays where the compound
occurs elsewhere with it and the joined word does not.
"""

import re
from dataclasses import replace

from pipeline.readers.pdf.lines import Line, Piece

MARKED = "\ufffe"  # PDFium's sign for a hyphen at the end of a line
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
FIRST_HALF = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)*)[\ufffe-]$")
SECOND_HALF = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def join_words(pages: list[list[Line]]) -> list[list[Line]]:
    """Return pages whose lines end with U+FFFE where, and only where, their last word goes on without a hyphen.

    A word that goes on on the next page is marked in the same way.
    """
    flat = [line for lines in pages for line in lines]
    if not any(line.text.endswith((MARKED, "-")) for line in flat):
        return pages
    known = {word for line in flat for word in WORD.findall(line.text.lower())}
    following = iter([*flat[1:], None])
    return [[fix_line_end(line, next(following), known) for line in lines] for lines in pages]


def fix_line_end(line: Line, after: Line | None, known: set[str]) -> Line:
    """Return a line with the right sign at its end."""
    text = line.pieces[-1].text
    if not text.endswith((MARKED, "-")):
        return line
    first, second = FIRST_HALF.search(text), SECOND_HALF.match(after.text) if after and not after.turned else None
    if not first or not second:
        return replace_hyphen(line, "-" + MARKED if after and text.endswith(MARKED) else "-")
    joined, compound = f"{first[1]}{second[0]}".lower(), f"{first[1]}-{second[0]}".lower()
    if text.endswith(MARKED):
        keeps = joined not in known and (compound in known or second[0][0].isupper())
        return replace_hyphen(line, "-" + MARKED if keeps else MARKED)
    return replace_hyphen(line, MARKED if joined in known and compound not in known else "-")


def replace_hyphen(line: Line, end: str) -> Line:
    """Return a line with another sign in place of its hyphen."""
    last = line.pieces[-1]
    return replace(line, pieces=(*line.pieces[:-1], Piece(last.text[:-1] + end, last.left, last.right)))
