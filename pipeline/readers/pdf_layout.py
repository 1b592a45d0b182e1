"""From the lines of PDF pages to Markdown: running heads off, paragraphs apart, headings and tables marked.

All of it goes by how a page is set (places, font sizes, repetition), and where that is not clear, lines stay as they
are: a line too many does less harm than a false sentence or a figure in the wrong column.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from statistics import median

from pipeline.readers.clean import runs_on
from pipeline.readers.pdf_lines import Line
from pipeline.readers.tables import Cell, Row, columns_of, is_number, join_cells, markdown_of

NUM_EDGE_LINES = 3  # at the top and at the bottom of a page, among which running heads are looked for
MIN_REPEATS = 3
PAGE_NUMBER = re.compile(
    r"(?:page\s*)?[-\u2013\u2014\[|]*\s*(?:[A-Z]{1,2}-?)?(?:\d{1,4}|[ivxlc]{1,7})\s*[-\u2013\u2014\]|]*(?:\s*(?:of|/)\s*\d{1,4})?",
    re.I,
)
NUMBER_ALONE = re.compile(r"(?:\d{1,2}|[A-Z]|[IVX]{1,5})(?:\.\d{1,2}){0,4}\.?")
PART = re.compile(r"PART\s+[IV]{1,3}\b.{0,60}", re.IGNORECASE)
ITEM = re.compile(r"ITEM\s+\d{1,2}[A-C]?\b.{0,120}", re.IGNORECASE)
NUMBERED = re.compile(
    r"(?:(?:chapter|part|appendix|section)\s+)?((?:\d{1,2}|[A-Z]|[IVX]{1,5})(?:\.\d{1,2}){0,4})\.?\s+(?=\S*[A-Za-z])",
    re.I,
)
BULLET = re.compile(r"(?:[•▪◦‣●■\u2013]|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)])\s")
LEADERS = re.compile(r"(?:[.·…]\s?){4,}|(?:\s\.){3,}")
SENTENCE_END = tuple('.!?:;”"\u2019)')
SOFT_BREAK = "\n"  # to Markdown a space: the lines of a paragraph stay those of the page, and so do its tokens
MAX_HEADING_CHARS = 120
MIN_TABLE_ROWS = 3
MAX_TABLE_COLUMNS = 16
NEIGHBOURS = 8  # lines before and after, by which the edges of a column are known


@dataclass(frozen=True)
class Outline:
    """The headings that the file itself names: page, title in letters and digits alone, level from 1."""

    entries: dict[tuple[int, str], int]


def key_of(text: str) -> str:
    """Return the letters and digits of a text, for comparison."""
    return "".join(char for char in text.casefold() if char.isalnum())


def markdown_pages(pages: list[list[Line]], outline: Outline) -> tuple[list[str], int]:
    """Return the Markdown of each page and how many running heads, feet and page numbers were left out."""
    kept, num_dropped = without_running_heads(pages)
    body = body_size(kept)
    by_outline = num_found(kept, outline) * 2 > len(outline.entries)
    headings = [
        outline_headings(lines, index, outline) if by_outline else looked_headings(lines, body)
        for index, lines in enumerate(kept)
    ]
    return [page_markdown(lines, marked) for lines, marked in zip(kept, headings, strict=True)], num_dropped


def without_running_heads(pages: list[list[Line]]) -> tuple[list[list[Line]], int]:
    """Drop what stands at the top or the bottom of at least three pages, at the same height and numbers aside."""
    edges = [edge_lines(lines) for lines in pages]
    counts = Counter(key for tops, feet in edges for key in {running_key(line) for line in (*tops, *feet)})
    dropped = [{id(line) for edge in pair for line in peel(edge, counts)} for pair in edges]
    kept = [[line for line in lines if id(line) not in ids] for lines, ids in zip(pages, dropped, strict=True)]
    return (kept, sum(map(len, dropped))) if any(kept) else (pages, 0)


def edge_lines(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """Return the topmost and the bottommost lines of a page, the outermost of each first."""
    ordered = sorted((line for line in lines if line.size), key=lambda line: -line.bottom)
    return ordered[:NUM_EDGE_LINES], ordered[NUM_EDGE_LINES:][: -NUM_EDGE_LINES - 1 : -1]


def peel(edge: list[Line], counts: Counter[tuple[str, int]]) -> Iterator[Line]:
    """Yield the running lines of an edge, from without to the first that is none: behind it the text begins."""
    return takewhile(lambda line: counts[running_key(line)] >= MIN_REPEATS, edge)


def running_key(line: Line) -> tuple[str, int]:
    """Return what a running head has in common from page to page: its words without numbers, and its height."""
    text = "#" if PAGE_NUMBER.fullmatch(line.text) else re.sub(r"\d+", "#", key_of(line.text))
    has_words = text == "#" or sum(char.isalpha() for char in text) >= MIN_REPEATS
    return (text if has_words else line.text, round(line.bottom / 4))


def body_size(pages: list[list[Line]]) -> float:
    """Return the font size of most of the text."""
    sizes: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            sizes[line.size] += len(line.text)
    return max(sizes, key=lambda size: (sizes[size], size), default=0.0)


def num_found(pages: list[list[Line]], outline: Outline) -> int:
    """Return how many headings of the outline stand on their pages."""
    return sum(len(outline_headings(lines, index, outline)) for index, lines in enumerate(pages))


def outline_headings(lines: list[Line], index: int, outline: Outline) -> dict[int, int]:
    """Return the headings of a page by its outline: index of the line -> level."""
    found = {}
    for number, line in enumerate(lines):
        texts = [line.text, f"{line.text} {lines[number + 1].text}" if number + 1 < len(lines) else ""]
        for text in filter(None, texts):
            level = outline.entries.get((index, key_of(text))) or outline.entries.get((index, key_of(unnumbered(text))))
            if level:
                found[number] = level
                if text is not texts[0]:
                    found[number + 1] = level
                break
    return found


def unnumbered(text: str) -> str:
    """Return a heading without its number."""
    return NUMBERED.sub("", text, count=1) if NUMBERED.match(text) else text


def looked_headings(lines: list[Line], body: float) -> dict[int, int]:
    """Return the headings of a page by their looks: index of the line -> level."""
    found = {}
    for number, line in enumerate(lines):
        level = heading_level(line, body)
        apart = number == 0 or lines[number - 1].bottom - line.bottom > 1.2 * line.size or number - 1 in found
        if level and (apart or lines[number - 1].bottom < line.bottom):
            found[number] = level
    return found


def heading_level(line: Line, body: float) -> int:
    """Return the level of a line that looks like a heading, 0 for others."""
    text = line.text
    number = NUMBERED.match(text)
    pieces = len(line.pieces) - (1 if NUMBER_ALONE.fullmatch(line.pieces[0].text) else 0)
    letters = sum(char.isalpha() for char in text)
    if not line.size or pieces > 1 or letters < 3 or letters < len(text) / 2 or len(text) > MAX_HEADING_CHARS:
        return 0
    if line.bold and (PART.fullmatch(text) or ITEM.fullmatch(text)):
        return 1 if PART.fullmatch(text) else 2
    if text.endswith((".", ",", ";")) or not (text[0].isupper() or text[0].isdigit()):
        return 0
    if line.size >= 1.15 * body and number is None:
        return 1 if line.size >= 1.4 * body else 2
    if number and (line.bold or line.size >= 1.15 * body):
        return 1 + number[1].count(".")
    return 3 if line.bold and line.size >= body else 0


def page_markdown(lines: list[Line], headings: dict[int, int]) -> str:
    """Return the Markdown of one page."""
    blocks: list[str] = []
    index = 0
    while index < len(lines):
        end, table = table_at(lines, index, headings)
        if table:
            blocks.append(table)
        elif index in headings:
            end = index + 1
            while headings.get(end) == headings[index] and goes_on(lines[end - 1], lines[end]):
                end += 1
            title = " ".join(line.text for line in lines[index:end])
            blocks.append(f"{'#' * min(6, 1 + headings[index])} {title}")
        else:
            end = index + 1
            while end < len(lines) and end not in headings and not table_at(lines, end, headings)[1]:
                end += 1
            blocks.append(prose(lines[index:end]))
        index = end
    return "\n\n".join(blocks)


def goes_on(before: Line, line: Line) -> bool:
    """Say whether a heading goes on in the next line."""
    close = 0 < before.bottom - line.bottom < 1.5 * line.size
    return close and before.size == line.size and not NUMBERED.match(line.text) and not ITEM.match(line.text)


def table_at(lines: list[Line], start: int, headings: dict[int, int]) -> tuple[int, str]:
    """Return where the table that begins at a line ends, and its Markdown; '' if there is none, or none is clear."""
    if len(lines[start].pieces) < 2 or start in headings:
        return start, ""
    end, last_row = start, start
    num_rows = 0
    while end < len(lines) and end - last_row <= 2 and end not in headings:
        if is_row(lines[end]):
            last_row = end
            num_rows += any(is_number(piece.text.strip("$ ")) for piece in lines[end].pieces[1:])
        elif end > start and lines[end - 1].bottom < lines[end].bottom:
            break
        end += 1
    if num_rows < MIN_TABLE_ROWS:
        return start, ""
    edge = min(piece.left for line in lines[start : last_row + 1] for piece in line.pieces[1:])
    rows = heads_over_figures([join_cells(row_of(line, edge)) for line in lines[start : last_row + 1]])
    return (last_row + 1, markdown_of(rows)[0]) if is_clear(rows) else (start, "")


def is_row(line: Line) -> bool:
    """Say whether a line may be a row of a table: several cells, and figures or short words in all but the first."""
    return len(line.pieces) > 1 and all(len(piece.text) < 40 for piece in line.pieces[1:])


def row_of(line: Line, edge: float) -> Row:
    """Return a line as a row of a table, on a grid of tenths of points; what begins left of `edge` is a label."""
    first, *others = [Cell(piece.text, int(10 * piece.left), int(10 * piece.right) + 1) for piece in line.pieces]
    return [replace(first, start=0) if line.left < edge else first, *others]


def heads_over_figures(rows: list[Row]) -> list[Row]:
    """Move the heads of columns that stand beside their figures over them: centred heads, figures to the right."""
    first = next((i for i, row in enumerate(rows) if any(is_number(cell.text) for cell in row)), len(rows))
    columns = [column for column in columns_of(rows[first:]) if column[0] > 0]
    return [[head if head.start == 0 else over(head, columns) for head in row] for row in rows[:first]] + rows[first:]


def over(head: Cell, columns: list[tuple[int, int]]) -> Cell:
    """Return a head over the nearest column of figures, if it stands over none."""
    if not columns or any(start < head.end and head.start < end for start, end in columns):
        return head
    start, end = min(columns, key=lambda column: abs(column[0] + column[1] - head.start - head.end))
    return replace(head, start=start, end=end)


def is_clear(rows: list[Row]) -> bool:
    """Say whether every figure falls into a column of its own."""
    columns = columns_of(rows)
    if not 2 <= len(columns) <= MAX_TABLE_COLUMNS:
        return False
    for row in rows:
        places = [
            [i for i, (start, end) in enumerate(columns) if start < cell.end and cell.start < end] for cell in row
        ]
        firsts = [place[0] for place in places if place]
        if len(set(firsts)) < len(firsts):
            return False
    return True


def prose(lines: list[Line]) -> str:
    """Write lines as paragraphs: the lines of one lie between blank lines, and no word is broken."""
    text = LEADERS.sub(" ... ", lines[0].text)
    leading = median([a.bottom - b.bottom for a, b in pairwise(lines) if a.bottom > b.bottom] or [0])
    for index, (before, line) in enumerate(pairwise(lines)):
        text += between(before, line, column_right(lines, index), leading) + LEADERS.sub(" ... ", line.text)
    return text


def column_right(lines: list[Line], index: int) -> float:
    """Return the right edge of the column in which a line stands, by the lines around it."""
    line = lines[index]
    around = lines[max(0, index - NEIGHBOURS) : index + NEIGHBOURS + 1]
    column = [other for other in around if other.left < line.right and abs(other.left - line.left) < 4 * line.size + 1]
    return max((other.right for other in column), default=line.right)


def between(before: Line, line: Line, right: float, leading: float) -> str:
    """Return what stands between two lines: a blank line between paragraphs, a soft break or nothing within one."""
    if before.text.endswith("\ufffe"):
        return ""  # within a word
    if not before.size or not line.size:
        return "\n"
    down = before.bottom - line.bottom
    if abs(down) < 0.6 * before.size and line.left >= before.right - 1:
        return " "  # one line that PDFium took for two
    if down < 0:
        return SOFT_BREAK if runs_on(before.text, line.text) else "\n\n"  # the next column
    if down > 1.5 * max(leading, before.size) or abs(before.size - line.size) > 0.15 * before.size:
        return "\n\n"
    ended = before.text.endswith(SENTENCE_END)
    if BULLET.match(line.text) and (ended or BULLET.match(before.text)):
        return "\n"
    if before.right + 0.3 * before.size + line.first_word <= right:
        return "\n\n" if ended else "\n"  # the next word would have had room
    if line.left > before.left + 0.7 * line.size and ended:
        return "\n\n"  # the first line of a paragraph is indented
    return SOFT_BREAK
