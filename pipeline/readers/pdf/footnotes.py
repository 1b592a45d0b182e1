"""Separate the footnotes of a PDF page from its sentences.

A footnote begins with a raised mark in lines smaller than the text. Its mark in the text becomes `[^mark]`, the note
`[^mark]: …`, at the end of its page, or before the last paragraph of the page where that goes on on the next.
"""

import re

from pipeline.readers.pdf.lines import MARKS, RAISED, Line
from pipeline.readers.pdf.paragraphs import SENTENCE_END, write_paragraphs

BEGINS = re.compile(rf"{RAISED[0]}(\d{{1,4}}|[{MARKS}]{{1,3}}){RAISED[1]}\s*(?=\S)")
MARK = re.compile(rf"( ?){RAISED[0]}([^{RAISED}]+){RAISED[1]}(?: (?=[.,;:!?)]))?")
FRACTION = re.compile(r" ?[/\u2044] ?\d{1,2}(?!\d)")  # after a raised numerator
SIGNED = re.compile(r"[-+\u2212\u2013]\d{1,4}|\d?[-+\u2212]")
ION = re.compile(r"(?<![a-z])[A-Z][a-z]?\d{0,2}$")  # before its charge: 'Ca', 'SO4'
BASE = re.compile(r"(?:\d|(?<![A-Za-z\u00c0-\u024f])(?:[A-Za-z\u0370-\u03ff]|[kcmdnµμ]m|ft|yd|mi|sec|hr|kg)|\))$")
REFERENCE_AT_END = re.compile(r"\[\^[^\]]*\]$")
SMALLER = 0.96  # than the text of the document, a note is


def split_notes(lines: list[Line], body: float) -> tuple[list[Line], dict[str, list[Line]]]:
    """Separate the notes of a page from its other lines: mark -> lines."""
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
    """Return raised characters that are no mark of a note: the numerator of a fraction, or an exponent of a base."""
    text = match[2]
    before = match.string[max(0, match.start() - 8) : match.start()] if not match[1] else ""
    if text.isdecimal() and FRACTION.match(match.string, match.end()) and not before.endswith("10"):
        return f"{match[1]}{' ' if before[-1:].isdigit() else ''}{text}"
    is_charge = not text[-1].isdigit()
    if SIGNED.fullmatch(text) and (ION if is_charge else BASE).search(before):
        return f"^{{{text}}}" if is_charge else "^" + text.replace("\u2212", "-").replace("\u2013", "-")
    is_power = text.isdecimal() and BASE.search(before) is not None and not (before.endswith(")") and len(text) > 1)
    return f"{match[1]}{'^' if is_power else ''}{text}"
