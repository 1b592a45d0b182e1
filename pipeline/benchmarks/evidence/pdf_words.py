"""Measure how faithfully PDFs are read, by means that the reader does not use.

`measure_recall` asks pypdf for the words of each page. `measure_order` uses only the positions of
words: columns are what lies between gaps.
"""

import logging
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pypdf
import pypdfium2 as pdfium

from pipeline.readers.common.reading import ReadContext, Reading
from pipeline.readers.pdf.chars import page_chars
from pipeline.readers.pdf.hidden_text import Page, find_hidden_words
from pipeline.readers.pdf.lines import enclosing_box, extract_lines
from pipeline.readers.pdf.pdf import read
from pipeline.readers.pdf.running_headers import remove_running_headers

HYPHEN = re.compile(r"(?<=\w)[-\u2010\u00ad\ufffe]\s*")
PLACED = re.compile(r"[^\s\ufffe]+\ufffe?")  # the sign of a hyphen at the end of a line has no line end after it
TOKEN = re.compile(r"[^\W_]+")
SHINGLE = 5  # words in a row
MIN_COLUMN_LINES = 15
MAX_CROSSING = 0.2  # of the lines of a page, over a gap
SAME_ROW = 0.4  # of the height of a word: words closer than this are in one row
PLACES = 200  # at which a gap is looked for, over the width of a page


class PlacedWord(NamedTuple):
    """A word and its place, in points from the lower left corner of the page."""

    text: str
    left: float
    right: float
    bottom: float
    top: float


@dataclass(frozen=True)
class PageRecall:
    """How many words of the other engine are in the text of a page, or were left out of it on purpose."""

    page: int  # from 1
    num_words: int
    num_in_text: int
    num_left_out: int  # running heads, feet, page numbers, hidden words
    num_run_together: int  # in the text, but not as a word: the engines part words differently

    @property
    def recall(self) -> float:
        """Return the share of words that are accounted for."""
        return (self.num_in_text + self.num_left_out + self.num_run_together) / max(1, self.num_words)


@dataclass(frozen=True)
class PageOrder:
    """Whether the columns of a page are read one after the other."""

    page: int  # from 1
    num_columns: int
    num_shingles: int  # runs of five words within one column
    num_found: int  # of them, in a row in the text
    in_order: bool  # the middle of each column comes before that of the next


def words_in(text: str) -> list[str]:
    """Return the words of a text as they are compared: letters and digits alone, with no hyphen to divide them."""
    return TOKEN.findall(HYPHEN.sub("", unicodedata.normalize("NFKC", text)).casefold())


def page_texts(reading: Reading) -> list[str]:
    """Return the text of each page."""
    ends = [*reading.page_offsets[1:], len(reading.text)]
    return [reading.text[start:end] for start, end in zip(reading.page_offsets, ends, strict=True)]


def read_plainly(path: Path) -> Reading:
    """Read a file as `extract` does, without its limits."""
    return read(path, ReadContext(allow_all))


def allow_all(num_pages: int, num_scanned: int = 0) -> None:
    """Allow any number of pages."""
    logging.getLogger(__name__).debug("%d pages, %d to be recognised", num_pages, num_scanned)


def measure_recall(path: Path) -> list[PageRecall]:
    """Compare each page with pypdf's words for it; pages for which pypdf has none are left out."""
    texts = page_texts(read_plainly(path))
    dropped = omitted_texts(path)
    found = []
    for index, page in enumerate(pypdf.PdfReader(path).pages):
        expected = Counter(words_in(page.extract_text()))
        ours, gone = Counter(words_in(texts[index])), Counter(words_in(dropped[index]))
        missing = expected - ours
        whole = "".join(words_in(texts[index]))
        num_left_out = (missing & gone).total()
        together = sum(count for word, count in (missing - gone).items() if len(word) >= SHINGLE and word in whole)
        if expected:
            in_text = expected.total() - missing.total()
            found.append(PageRecall(index + 1, expected.total(), in_text, num_left_out, together))
    return found


def omitted_texts(path: Path) -> list[str]:
    """Return what of each page is left out as running head, foot or page number, or because nobody sees it."""
    document = pdfium.PdfDocument(path)
    pages = [extract_lines(page, page.get_textpage())[0] for page in document]
    kept, _ = remove_running_headers(pages)
    running = [
        " ".join(line.text for line in lines if all(line is not other for other in rest))
        for lines, rest in zip(pages, kept, strict=True)
    ]
    return [f"{words} {hidden_text(page)}" for words, page in zip(running, document, strict=True)]


def hidden_text(page: Any) -> str:
    """Return the words of an open page that the reader takes for hidden."""
    textpage = page.get_textpage()  # `chars` is valid as long as it lives
    text, chars = page_chars(textpage)
    if chars is None:
        return ""
    spans = [match.span() for match in PLACED.finditer(text)]
    boxes = [enclosing_box(chars.box(start), chars.box(end - 1)) for start, end in spans]
    hidden, _ = find_hidden_words(Page(page.raw), chars, [start for start, _ in spans], boxes)
    return " ".join(text[slice(*spans[number])] for number in hidden)


def placed_words(page: Any) -> list[PlacedWord]:
    """Return the words of an open page with their places."""
    textpage = page.get_textpage()  # `chars` is valid as long as it lives
    text, chars = page_chars(textpage)
    spans = [match.span() for match in PLACED.finditer(text)] if chars else []
    words = []
    for start, end in spans:
        assert chars is not None
        first, last = chars.box(start), chars.box(end - 1)
        words.append(PlacedWord(text[start:end], first[0], last[2], min(first[3], last[3]), max(first[1], last[1])))
    return words


def measure_order(path: Path) -> list[PageOrder]:
    """Check the order of the pages that have columns of text, by the places of their words."""
    texts = page_texts(read_plainly(path))
    document = pdfium.PdfDocument(path)
    found = []
    for index, page in enumerate(document):
        columns = split_into_columns(placed_words(page))
        if len(columns) > 1:
            found.append(check_order(index + 1, columns, *split_page_notes(texts[index])))
    return found


def split_into_columns(words: list[PlacedWord]) -> list[list[PlacedWord]]:
    """Return the words of each column of a page from above, those of lines over several columns left out."""
    lines = group_by_line(words)
    if len(lines) < MIN_COLUMN_LINES:
        return []
    gaps = find_gaps(lines, min(word.left for word in words), max(word.right for word in words))
    columns: list[list[PlacedWord]] = [[] for _ in range(len(gaps) + 1)]
    for line in lines:
        if not any(word.left < gap < word.right or closes_gap(line, gap) for gap in gaps for word in line):
            for word in line:
                columns[sum(word.left >= gap for gap in gaps)].append(word)
    return columns if all(len(group_by_line(column)) >= MIN_COLUMN_LINES for column in columns) else []


def closes_gap(line: list[PlacedWord], gap: float) -> bool:
    """Say whether words of a line are as close on both sides of a gap as words of one sentence do."""
    left = max((word.right for word in line if word.right <= gap), default=None)
    right = min((word.left for word in line if word.left >= gap), default=None)
    return left is not None and right is not None and right - left < (line[0].top - line[0].bottom) / 2


def find_gaps(lines: list[list[PlacedWord]], left: float, right: float) -> list[float]:
    """Return the places over which few lines run: the middle of each run of such places."""
    gaps: list[float] = []
    run: list[float] = []
    for number in range(PLACES // 6, PLACES - PLACES // 6):
        place = left + (right - left) * number / PLACES
        crossing = sum(
            any(word.left <= place <= word.right for word in line) or closes_gap(line, place) for line in lines
        )
        if crossing <= MAX_CROSSING * len(lines):
            run.append(place)
        elif run:
            gaps.append(run[len(run) // 2])
            run = []
    return gaps


def group_by_line(words: list[PlacedWord]) -> list[list[PlacedWord]]:
    """Return words by lines, from above, each from left to right."""
    rows: list[list[PlacedWord]] = []
    for word in sorted(words, key=lambda word: -word.bottom):
        if rows and rows[-1][0].bottom - word.bottom < (word.top - word.bottom) * SAME_ROW:
            rows[-1].append(word)
        else:
            rows.append([word])
    return [sorted(row, key=lambda word: word.left) for row in rows]


def split_page_notes(text: str) -> tuple[str, str]:
    """Separate the text of a page from its notes, which are moved behind it from any column."""
    blocks = text.split("\n\n")
    parts = [[block for block in blocks if block.startswith("[^") == is_note] for is_note in (False, True)]
    return "\n\n".join(parts[0]), "\n\n".join(parts[1])


def word_shingles(words: list[str]) -> list[tuple[str, ...]]:
    """Return the runs of words of a text."""
    return [tuple(words[place : place + SHINGLE]) for place in range(len(words) - SHINGLE + 1)]


def check_order(number: int, columns: list[list[PlacedWord]], text: str, notes: str) -> PageOrder:
    """Compare the columns of a page with the words of its text."""
    places: dict[tuple[str, ...], int] = {}
    for place, shingle in enumerate(word_shingles(words_in(text))):
        places.setdefault(shingle, place)
    in_notes = set(word_shingles(words_in(notes)))
    num_shingles = num_found = 0
    middles = []
    for column in columns:
        words = words_in("\n".join(" ".join(word.text for word in row) for row in group_by_line(column)))
        shingles = word_shingles(words)
        known = sorted(places[shingle] for shingle in shingles if shingle in places)
        num_shingles += len(shingles)
        num_found += sum(shingle in places or shingle in in_notes for shingle in shingles)
        middles.append(known[len(known) // 2] if known else -1)
    return PageOrder(number, len(columns), num_shingles, num_found, middles == sorted(middles) and -1 not in middles)
