"""Keep the footnotes of a PDF page apart from the sentences that they stand between.

A footnote begins with a raised mark in lines smaller than the text. Its mark in the text becomes `[^mark]`, the note
`[^mark]: …`, at the end of its page, or before the last paragraph of the page where that goes on on the next.
"""

import re

from pipeline.readers.pdf.lines import MARKS, RAISED, Line
from pipeline.readers.pdf.paragraphs import SENTENCE_END, write_paragraphs

BEGINS = re.compile(rf"{RAISED[0]}(\d{{1,4}}|[{MARKS}]{{1,3}}){RAISED[1]}\s*(?=\S)")
MARK = re.compile(rf"( ?){RAISED[0]}([^{RAISED}]+){RAISED[1]}(?: (?=[.,;:!?)]))?")
REFERENCE_AT_END = re.compile(r"\[\^[^\]]*\]$")
SMALLER = 0.96  # than the text of the document, a note is


def split_notes(lines: list[Line], body: float) -> tuple[list[Line], dict[str, list[Line]]]:
    """Part the notes of a page from its other lines: mark -> lines."""
    kept: list[Line] = []
    notes: dict[str, list[Line]] = {}
    note: list[Line] | None = None
    for line in lines:
        begins = BEGINS.match(line.text) if 0 < line.size < SMALLER * body else None
        if begins and begins[1] not in notes:
            note = notes[begins[1]] = [line]
        elif note and continues_note(note[-1], line):
            note.append(line)
        else:
            note = None
            kept.append(line)
    return (kept, notes) if kept else (lines, {})


def continues_note(before: Line, line: Line) -> bool:
    """Say whether a line goes on with the note of the line before it, perhaps in the next column."""
    if abs(before.size - line.size) > 0.5 or line.turned:
        return False
    down = before.bottom - line.bottom
    return 0 < down < 2 * before.size or (down < 0 and not before.text.endswith(SENTENCE_END))


def insert_notes(blocks: list[str], notes: dict[str, list[Line]]) -> list[str]:
    """Return the blocks of a page with its notes, and the marks of both as they are to be read."""
    marked = [write_marks(block, notes) for block in blocks]
    written = [format_footnote(mark, lines) for mark, lines in notes.items()]
    place = len(marked) - 1 if len(marked) > 1 and paragraph_continues(marked[-1]) else len(marked)
    return [*marked[:place], *written, *marked[place:]]


def format_footnote(mark: str, lines: list[Line]) -> str:
    """Return a note as a block."""
    text = MARK.sub(write_exponent, BEGINS.sub("", write_paragraphs(lines).replace("\n\n", "\n"), count=1))
    return f"[^{mark}]: {text}"


def paragraph_continues(block: str) -> bool:
    """Say whether the paragraph at the end of a page goes on on the next."""
    return block[0] not in "#|`" and not REFERENCE_AT_END.sub("", block).endswith(SENTENCE_END)


def write_marks(block: str, notes: dict[str, list[Line]]) -> str:
    """Return a block with its raised marks written out: references to notes of the page, and exponents."""
    if RAISED[0] not in block:
        return block

    def written(match: re.Match[str]) -> str:
        return f"[^{match[2]}]" if match[2] in notes else write_exponent(match)

    return MARK.sub(written, block)


def write_exponent(match: re.Match[str]) -> str:
    """Return what stands above a line and is no mark of a note: after a figure, an exponent."""
    before = match.string[match.start() - 1 : match.start()] if not match[1] else ""
    return f"{match[1]}{'^' if before.isdigit() and match[2].isdigit() else ''}{match[2]}"
