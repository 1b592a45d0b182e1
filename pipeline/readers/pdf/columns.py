"""Put the lines of a PDF page into the order in which they are read.

Nearly every file has its columns in order, and then nothing is changed: what a program wrote column by column it knew
better than any measure of gaps. Only where the lines jump to and fro over one gap, between texts that are no table, is
the page read again: above and below lines that cross the gap, first all on its left, then all on its right.
"""

from dataclasses import replace
from itertools import pairwise
from statistics import median

from pipeline.readers.common.tables import is_number
from pipeline.readers.pdf.lines import CELL_GAP, Line, Piece

MIN_LINES = 8  # in columns, on a page whose order is doubted
MIN_JUMPS = 6
MIN_GAP = 0.9  # of the font size, between columns
MIN_CHARS = 18  # of most lines of a column: less is a table
MAX_CROSSING = 0.2  # of the lines
MIN_SIDE = 0.25  # of the lines, on each side
SAME_LINE = 0.1  # of the font size, between heights
SAME_WORD = 0.1  # of the font size, between two characters of one word
MIN_CELLS = 3  # of a row of figures beside a label of several lines
MAX_LABEL_LINES = 4
LEADING = 1.6  # of the font size, between the lines of a label
MIN_BESIDE = 0.6  # of the lines on the shorter side of a gap, that have one on the other at their height
FILLED = 0.8  # of the width of its side, at which a line is full, as most lines of running text are
MAX_FILLED = 0.5  # of the lines of a side, in rows
STEP = 3.0  # points between the places at which a gap is looked for


def sort_for_reading(lines: list[Line]) -> list[Line]:
    """Return the lines of a page, column by column."""
    lines = split_merged_lines(join_wrapped_labels(join_split_lines(lines)))
    placed = [line for line in lines if line.size and not line.turned]
    if len(placed) < MIN_LINES or num_jumps(placed) < MIN_JUMPS:
        return lines
    return [*order_by_columns(placed), *(line for line in lines if not line.size or line.turned)]


def join_split_lines(lines: list[Line]) -> list[Line]:
    """Join what is on one line: PDFium takes a lone dash, or a word in small print, for a line of its own."""
    kept: list[Line] = []
    for line in lines:
        before = kept[-1] if kept else None
        if before and continues_line(before, line):
            kept[-1] = replace(before, pieces=join_pieces(before, line), bold=before.bold and line.bold)
        else:
            kept.append(line)
    return kept


def continues_line(before: Line, line: Line) -> bool:
    """Say whether a line begins to the right of another and at its height."""
    size = max(before.size, line.size)
    if not before.size or not line.size or before.text.endswith("\ufffe"):
        return False
    return abs(before.bottom - line.bottom) < SAME_LINE * size and line.left > before.right - SAME_LINE * size


def join_pieces(before: Line, line: Line) -> tuple[Piece, ...]:
    """Return the pieces of two lines as those of one."""
    last, first = before.pieces[-1], line.pieces[0]
    if first.left - last.right >= CELL_GAP * before.size:
        return before.pieces + line.pieces
    space = " " if first.left - last.right > SAME_WORD * before.size else ""
    both = Piece(f"{last.text}{space}{first.text}", last.left, max(last.right, first.right))
    return (*before.pieces[:-1], both, *line.pieces[1:])


def join_wrapped_labels(lines: list[Line]) -> list[Line]:
    """Join the figures of a table's row to a label of several lines beside them, whose middle they are set at."""
    kept: list[Line] = []
    for line in lines:
        num_figures = sum(is_number(piece.text) for piece in line.pieces)
        labels = wrapped_label(kept, line) if len(line.pieces) >= MIN_CELLS and num_figures > 1 else []
        if labels:
            del kept[-len(labels) :]
            text = " ".join(label.text for label in labels)
            label = Piece(text, min(each.left for each in labels), max(each.right for each in labels))
            line = replace(line, pieces=(label, *line.pieces))
        kept.append(line)
    return kept


def wrapped_label(before: list[Line], line: Line) -> list[Line]:
    """Return the lines right before another that are left of it and reach from above to below its middle."""
    labels: list[Line] = []
    for label in reversed(before[-MAX_LABEL_LINES:]):
        is_beside = len(label.pieces) == 1 and label.right < line.left and label.size > 0
        if not is_beside or abs(label.bottom - line.bottom) > MAX_LABEL_LINES * line.size:
            break
        if labels and not 0 < label.bottom - labels[0].bottom < LEADING * line.size:
            break
        labels.insert(0, label)
    spans = len(labels) > 1 and labels[0].bottom >= line.bottom >= labels[-1].bottom
    return labels if spans else []


def split_merged_lines(lines: list[Line]) -> list[Line]:
    """Split the lines that hold the last line of a column and the first of the next, at the same height."""
    split: list[Line] = []
    for index, line in enumerate(lines):
        before = lines[index - 1] if index else None
        after = lines[index + 1] if index + 1 < len(lines) else None
        if before and after and spans_columns(before, line, after):
            sides = split_at_gap(line, (line.pieces[0].right + line.pieces[1].left) / 2)
            split += [*sides[0], *sides[1]] if sides else [line]
        else:
            split.append(line)
    return split


def spans_columns(before: Line, line: Line, after: Line) -> bool:
    """Say whether a line ends the column of the line before it and begins that of the line after it."""
    if len(line.pieces) != 2 or len(before.pieces) > 1 or len(after.pieces) > 1 or not line.size:
        return False
    (left, right), near = line.pieces, 2 * line.size
    goes_down = after.bottom < line.bottom < before.bottom < line.bottom + near
    at_edges = abs(before.left - left.left) < near and abs(after.left - right.left) < near
    return goes_down and at_edges and before.right < right.left and left.right < after.left


def num_jumps(lines: list[Line]) -> int:
    """Return how often the order of lines goes from one column to another at the same height."""
    wide = sum(len(long_pieces(line)) > 1 for line in lines)
    level = sum(
        abs(a.bottom - b.bottom) < 0.6 * a.size and max(b.left - a.right, a.left - b.right) > MIN_GAP * a.size
        for a, b in pairwise(lines)
    )
    return wide + level


def long_pieces(line: Line) -> list[Piece]:
    """Return the pieces of a line that are no cells of a table."""
    return [piece for piece in line.pieces if len(piece.text) >= MIN_CHARS]


def order_by_columns(lines: list[Line]) -> list[Line]:
    """Return lines in the order of their columns, each column again by its own; as they are where there are none."""
    gap = find_gap(lines)
    if gap is None:
        return lines
    ordered: list[Line] = []
    left: list[Line] = []
    right: list[Line] = []
    for line in sorted(lines, key=lambda line: -line.bottom):
        sides = split_at_gap(line, gap)
        if sides is None:
            ordered += [*order_by_columns(left), *order_by_columns(right), line]
            left, right = [], []
        else:
            left += sides[0]
            right += sides[1]
    return [*ordered, *order_by_columns(left), *order_by_columns(right)]


def split_at_gap(line: Line, gap: float) -> tuple[list[Line], list[Line]] | None:
    """Split a line at a gap; None if it crosses it."""
    if any(piece.left < gap < piece.right for piece in line.pieces):
        return None
    left = tuple(piece for piece in line.pieces if piece.right <= gap)
    right = line.pieces[len(left) :]
    if not right:
        return [line], []
    if not left:
        return [], [line]
    first = right[0].text.split(" ", 1)[0]
    width = (right[0].right - right[0].left) * len(first) / len(right[0].text)
    return [replace(line, pieces=left)], [replace(line, pieces=right, first_word=width)]


def find_gap(lines: list[Line]) -> float | None:
    """Return the place of the gap between two columns of running text, None if there is none."""
    if len(lines) < MIN_LINES:
        return None
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    places = [left + STEP * n for n in range(int(0.15 * (right - left) / STEP), int(0.85 * (right - left) / STEP))]
    crossing = [sum(p.left < place < p.right for line in lines for p in line.pieces) for place in places]
    if not places or min(crossing) > MAX_CROSSING * len(lines):
        return None
    best = [place for place, count in zip(places, crossing, strict=True) if count == min(crossing)]
    gap = best[len(best) // 2]
    sides = [split_at_gap(line, gap) for line in lines]
    if are_rows(lines, sides):
        return None
    for side in (0, 1):
        texts = [part.text for found in sides if found for part in found[side]]
        if len(texts) < MIN_SIDE * len(lines) or median(map(len, texts)) < MIN_CHARS:
            return None
    return gap


def are_rows(lines: list[Line], sides: list[tuple[list[Line], list[Line]] | None]) -> bool:
    """Say whether the lines on both sides of a gap are rows of a table: side by side, in several cells or not full."""
    split = [(line, found) for line, found in zip(lines, sides, strict=True) if found]
    both = sum(bool(found[0]) and bool(found[1]) for _, found in split)
    counts = [sum(bool(found[side]) for _, found in split) for side in (0, 1)]
    if both < MIN_BESIDE * min(counts):
        return False
    rows = [line for line, found in split if found[0] and found[1]]
    num_cells = sum(len(line.pieces) >= MIN_CELLS and len(long_pieces(line)) < len(line.pieces) for line in rows)
    shares = [share_filled([part for _, found in split for part in found[side]]) for side in (0, 1)]
    return 2 * num_cells >= both or max(shares) < MAX_FILLED


def share_filled(lines: list[Line]) -> float:
    """Return the share of lines that reach the right edge of most of them."""
    if not lines:
        return 0.0
    rights = sorted(line.right for line in lines)
    left, right = min(line.left for line in lines), rights[int(0.9 * (len(rights) - 1))]
    return sum(line.right - left >= FILLED * (right - left) for line in lines) / len(lines)
