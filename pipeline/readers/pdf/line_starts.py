"""Join large initials to their words, and remove printed line numbers."""

import re
from dataclasses import replace
from itertools import pairwise

from pipeline.readers.pdf.lines import Line, Piece

LARGER = 1.8  # than the text, an initial is
SAME_WORD = 0.3  # of the font size, between an initial and the rest of its word
ONE_LETTER_WORDS = "AIO"
NUMBER = re.compile(r"(\d{1,2})\s+(?=\S)")
MIN_NUMBERED = 8  # lines in a row
MIN_SHARE = 0.6  # of the lines of a page, that are numbered
LINE_NUMBERS = "line numbers left out"


def join_initials(lines: list[Line]) -> list[Line]:
    """Join large initials at the start of chapters to the lines that go on with their words: 'T', 'HE HARBOUR'."""
    kept: list[Line] = []
    for line in lines:
        initial = kept[-1] if kept else None
        if initial and is_initial(initial, line):
            first = line.pieces[0]
            is_apart = first.left - initial.right > SAME_WORD * line.size
            space = " " if is_apart and initial.text in ONE_LETTER_WORDS else ""
            text = f"{initial.text}{space}{first.text}"
            kept[-1] = replace(line, pieces=(Piece(text, initial.left, first.right), *line.pieces[1:]))
        else:
            kept.append(line)
    return kept


def is_initial(initial: Line, line: Line) -> bool:
    """Say whether a line is one large letter beside the start of another."""
    is_letter = len(initial.text) == 1 and initial.text.isupper()
    beside = initial.right <= line.left + line.size and line.left - initial.right < 2 * max(line.size, 1)
    level = initial.bottom <= line.bottom + line.size <= initial.bottom + 1.5 * initial.size
    return is_letter and line.size > 0 and initial.size >= LARGER * line.size and beside and level


def strip_line_numbers(lines: list[Line]) -> tuple[list[Line], int]:
    """Return the lines of a page without the numbers that bills and transcripts print before each, and their count."""
    numbered = [(index, int(match[1])) for index, line in enumerate(lines) if (match := NUMBER.match(line.text))]
    runs = sum(b[0] - a[0] <= 2 and b[1] - a[1] == 1 for a, b in pairwise(numbered))
    if runs + 1 < MIN_NUMBERED or len(numbered) < MIN_SHARE * len(lines):
        return lines, 0
    words = [line for index, line in enumerate(lines) if any(index == place for place, _ in numbered)]
    if sum(sum(map(str.isalpha, line.text)) > len(line.text) / 2 for line in words) < len(words) / 2:
        return lines, 0  # rows of figures
    places = {index for index, _ in numbered}
    return [without_number(line) if index in places else line for index, line in enumerate(lines)], len(places)


def without_number(line: Line) -> Line:
    """Return a line without the number before it."""
    first = line.pieces[0]
    if first.text.isdecimal():
        return replace(line, pieces=line.pieces[1:])
    match = NUMBER.match(first.text)
    end = match.end() if match else 0
    left = first.left + (first.right - first.left) * end / len(first.text)
    return replace(line, pieces=(Piece(first.text[end:], left, first.right), *line.pieces[1:]))
