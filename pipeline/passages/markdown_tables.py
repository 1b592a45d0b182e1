"""Markdown tables of a document: where they are, what names them, and which of their rows a question can name."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile, takewhile

from pipeline.passages.spans import Span

MIN_INTRODUCTION = 6  # words; 'Consider this example:' names no table
LINES_ABOVE = 12  # of a table, among which its title is looked for
MAX_TITLE, MAX_INTRODUCTION = 160, 240  # characters
UNIT = re.compile(r"\(|(?:(?:all )?(?:amounts|figures|dollars)|in (?:millions|thousands)|unaudited)\b", re.IGNORECASE)
CAPTION = re.compile(r"(?:Table|Exhibit) [A-Z]?[\d.]+[A-Z]?[.:]? \w")
UNQUOTABLE = set('“”"|')
NOTE_MARK = re.compile(r"\s*\[[\w, *]{1,8}\]|\s*\(\d{1,2}\)(?=:?$)")
GENERIC = re.compile(  # labels that mean nothing without the row above them
    r"(?:sub)?total(?: (?:current|non-?current|deferred|long-term|other|net))?|other|basic|diluted|net|current|domestic"
    r"|international|foreign|federal|state|low|high|average|none"
    r"|(?:beginning|end|ending|balance|less|plus|add)\b.*",
    re.IGNORECASE,
)
YEAR = re.compile(r"\b(?:19|20)\d\d(?!\d)")
OPEN_ENDED = re.compile(r"\b(?:after|thereafter|beyond|later|before|since)\b", re.IGNORECASE)
HAS_WORD = re.compile(r"[A-Za-z]{3}")
FIGURE = re.compile(r"[-–—(]?\s?[$€£¥]?\s?[-–—(]?\d{1,3}(?:\d*|(?:,\d{3})*)(?:\.\d+)?\s?%?\s?\)?\s?%?")
SEPARATOR = re.compile(r"^\s*\|?(\s*:?-{2,}:?\s*\|)+\s*(:?-{2,}:?\s*)?$")


@dataclass(frozen=True)
class TableRow:
    """A row that a question can name: its label, and its figures as pairs of column heading and cell."""

    label: str
    cells: tuple[tuple[str, str], ...]
    span: Span


@dataclass(frozen=True)
class MarkdownTable:
    """A Markdown table: its title, its column headings, and its rows of cells, each with its place in the text."""

    title: str
    header: tuple[str, ...]
    header_span: Span
    rows: tuple[tuple[tuple[str, ...], Span], ...]
    is_introduced: bool = False  # whether the title is a sentence that ends with a colon
    heading: str = ""  # the heading above it, where nothing nearer names it

    @property
    def name(self) -> str:
        """How a question names it; '' if nothing does."""
        if self.is_introduced:
            return f"the table after “{self.title}”"
        if self.title:
            return f"the table “{self.title}”"
        return f"the table under the heading “{self.heading}”" if self.heading else ""

    @property
    def figures(self) -> Iterator[TableRow]:
        """The rows that have a label of their own, each with the figures whose column heading is unique as well."""
        labels = Counter(row_label(cells) for cells, _ in self.rows)
        headings = Counter(self.header[1:])
        for cells, span in self.rows:
            label = row_label(cells)
            if labels[label] != 1 or not is_telling(label):
                continue
            named = zip(self.header[1:], cells[1:], strict=False)
            figures = tuple(
                (heading, cell)
                for heading, cell in named
                if heading and headings[heading] == 1 and not set(heading) & UNQUOTABLE and is_figure(cell)
            )
            if any(is_figure(cell) and not heading for heading, cell in zip(self.header[1:], cells[1:], strict=False)):
                continue  # a heading beside an empty one may be that of both columns
            if figures:
                yield TableRow(label, figures, span)


def row_label(cells: Sequence[str]) -> str:
    """Return the label of a row without its footnote marks: 'Revenue [2]:' gives 'Revenue'."""
    return NOTE_MARK.sub("", cells[0]).strip().rstrip(":")


def is_telling(label: str) -> bool:
    """Say whether a label tells what its row is about, and can be quoted; 'Total' and 'Other' tell nothing."""
    return bool(HAS_WORD.search(label)) and not GENERIC.fullmatch(label) and not set(label) & UNQUOTABLE


def find_tables(text: str) -> Iterator[MarkdownTable]:
    """Yield the Markdown tables of a text in order, each with its title if the lines above have one."""
    lines = [Span(match.start(), match.end(), match[0]) for match in re.finditer(r"[^\n]*(?:\n|\Z)", text)]
    lines = [Span(line.start, line.start + len(line.text.rstrip("\n")), line.text.rstrip("\n")) for line in lines]
    number = 1
    while number < len(lines):
        if SEPARATOR.match(lines[number].text) and "|" in lines[number - 1].text:
            header, rows = lines[number - 1], []
            above = lines[max(0, number - LINES_ABOVE) : number - 1]
            title, is_introduced = find_title([line.text for line in reversed(above)])
            while number + 1 < len(lines) and lines[number + 1].text.lstrip().startswith("|"):
                number += 1
                rows.append((split_cells(lines[number].text), lines[number]))
            yield MarkdownTable(title, split_cells(header.text), header, tuple(rows), is_introduced)
        number += 1


def find_title(lines_above: Sequence[str]) -> tuple[str, bool]:
    """Return the title of a table, '' if there is none, and whether it is a sentence that introduces the table.

    Lines that name units, like '(in millions)', are skipped. The last line of a paragraph of prose is no title; a short
    paragraph that ends with a colon is an introduction.

    Args:
        lines_above: The nearest first, blank ones included.
    """
    above = list(dropwhile(lambda line: not line.strip() or UNIT.match(strip_markup(line)), lines_above))
    if not above or "|" in above[0]:
        return "", False
    title = strip_markup(above[0])
    if CAPTION.match(title) and len(title) <= MAX_TITLE:
        return title.rstrip("."), False
    is_marked = above[0].lstrip().startswith(("#", "**"))
    paragraph = list(takewhile(lambda line: line.strip() and "|" not in line, above))
    if is_marked or (len(paragraph) == 1 and title[-1:] not in ".;,:"):
        return (title, False) if 3 <= len(title) <= MAX_TITLE and title[0].isalnum() else ("", False)
    words = " ".join(" ".join(map(strip_markup, reversed(paragraph))).split())
    is_long_enough = len(words.split()) >= MIN_INTRODUCTION and len(words) <= MAX_INTRODUCTION
    is_introduction = words.endswith(":") and is_long_enough and words[0].isupper()
    return (words, True) if is_introduction and len(paragraph) < len(lines_above) else ("", False)


def strip_markup(line: str) -> str:
    """Return a line without the characters that mark headings and emphasis."""
    return re.sub(r"[#*_]", "", line).strip()


def split_cells(line: str) -> tuple[str, ...]:
    """Split a row of a Markdown table into its cells, without emphasis."""
    cells = re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
    return tuple(re.sub(r"\*\*|__", "", cell).replace("\\|", "|").strip() for cell in cells)


def yearly_cells(table: MarkdownTable, row: TableRow) -> list[tuple[str, str]]:
    """Return the cells of a row by year, in their order; empty if they are not a complete list of years.

    Columns like '2026-2027', '2030 and thereafter' or two of one year would make the list incomplete.
    """
    headings = [heading for heading in table.header[1:] if YEAR.search(heading)]
    years = [year for heading in headings for year in YEAR.findall(heading)]
    has_single_years = len(years) == len(headings) == len(set(years))
    is_closed = not any(OPEN_ENDED.search(heading) for heading in table.header[1:])
    cells = [(heading, value) for heading, value in row.cells if YEAR.search(heading)]
    return cells if has_single_years and is_closed and len(cells) == len(headings) else []


def is_figure(cell: str) -> bool:
    """Say whether a cell holds a number and nothing but its sign, currency, parentheses and percent sign."""
    return bool(FIGURE.fullmatch(cell))
