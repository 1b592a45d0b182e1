"""The parts of a document that questions are made of: sentences of its prose, and its tables."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import nupunkt

from pipeline.records import Document

NOT_PROSE = re.compile(r"\s*(#|\||>|```|[-*•] |\d+[.)] |\[)")
PARAGRAPH = re.compile(r"[^\n]+(?:\n[^\n]+)*")
LINES_ABOVE = 3  # of a table, among which its title may stand
UNIT = re.compile(r"\(|(?:(?:all )?(?:amounts|figures|dollars)|in (?:millions|thousands)|unaudited)\b", re.IGNORECASE)
HAS_WORD = re.compile(r"[A-Za-z]{3}")
FIGURE = re.compile(r"[-–—(]?\s?[$€£¥]?\s?[-–—(]?\d{1,3}(?:\d*|(?:,\d{3})*)(?:\.\d+)?\s?%?\s?\)?\s?%?")
SEPARATOR = re.compile(r"^\s*\|?(\s*:?-{2,}:?\s*\|)+\s*(:?-{2,}:?\s*)?$")


@dataclass(frozen=True)
class Span:
    """A range of characters of a document's text, and the words in it."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Row:
    """A row of a table that can be named: its label, and its figures by the heads of their columns."""

    label: str
    cells: tuple[tuple[str, str], ...]
    span: Span


@dataclass(frozen=True)
class Table:
    """A Markdown table: its title, the heads of its columns, and its rows of cells with where each stands."""

    title: str
    header: tuple[str, ...]
    header_span: Span
    rows: tuple[tuple[tuple[str, ...], Span], ...]

    @property
    def figures(self) -> Iterator[Row]:
        """The rows whose label, and in them the figures whose column head, stands in the table once."""
        labels = Counter(cells[0] for cells, _ in self.rows)
        heads = Counter(self.header[1:])
        for cells, span in self.rows:
            if labels[cells[0]] == 1 and HAS_WORD.search(cells[0]):
                named = zip(self.header[1:], cells[1:], strict=False)
                figures = tuple((head, cell) for head, cell in named if head and heads[head] == 1 and is_figure(cell))
                if figures:
                    yield Row(cells[0], figures, span)


class Passages:
    """A document's sentences and tables, found once and kept while questions are made of it."""

    def __init__(self, document: Document) -> None:
        """Take the document; nothing is parsed before it is asked for."""
        self.document = document

    @cached_property
    def paragraphs(self) -> list[list[Span]]:
        """The sentences of each paragraph of prose, in order; headings, tables and lists are left out."""
        text = self.document.text
        found = []
        for match in PARAGRAPH.finditer(text):
            if not NOT_PROSE.match(match[0]):
                spans = nupunkt.sent_spans(match[0])
                found.append([trimmed(text, match.start() + start, match.start() + end) for start, end in spans])
        return found

    @cached_property
    def once(self) -> frozenset[str]:
        """The sentences that stand in the document exactly once."""
        counts = Counter(sentence.text for paragraph in self.paragraphs for sentence in paragraph)
        return frozenset(sentence for sentence, count in counts.items() if count == 1)

    @cached_property
    def tables(self) -> list[Table]:
        """The Markdown tables, in order."""
        return list(find_tables(self.document.text))

    @property
    def named_tables(self) -> list[Table]:
        """The tables whose title no other table has."""
        titles = Counter(table.title for table in self.tables)
        return [table for table in self.tables if table.title and titles[table.title] == 1]

    def heading_at(self, position: int) -> tuple[str, ...]:
        """Return the path of headings above a position, outermost first; empty before the first heading."""
        inside = [section for section in self.document.sections if section.start <= position < section.end]
        return max(inside, key=lambda section: len(section.path)).path if inside else ()


def trimmed(text: str, start: int, end: int) -> Span:
    """Return the span without white space at its ends."""
    words = text[start:end]
    start += len(words) - len(words.lstrip())
    return Span(start, start + len(words.strip()), words.strip())


def find_tables(text: str) -> Iterator[Table]:
    """Yield the Markdown tables of a text, each with the line of prose or heading above it as its title."""
    lines = [Span(match.start(), match.end(), match[0]) for match in re.finditer(r"[^\n]+", text)]
    number = 1
    while number < len(lines):
        if SEPARATOR.match(lines[number].text) and "|" in lines[number - 1].text:
            header, rows = lines[number - 1], []
            title = title_of(line.text for line in reversed(lines[max(0, number - 1 - LINES_ABOVE) : number - 1]))
            while number + 1 < len(lines) and lines[number + 1].text.lstrip().startswith("|"):
                number += 1
                rows.append((cells_of(lines[number].text), lines[number]))
            yield Table(title, cells_of(header.text), header, tuple(rows))
        number += 1


def title_of(lines_above: Iterable[str]) -> str:
    """Return the first of the lines above a table, the nearest first, that is a title and no unit; '' without one."""
    for line in lines_above:
        title = re.sub(r"[#*_]", "", line).strip()
        if "|" in line or not title:
            return ""
        if not UNIT.match(title):
            return title if 3 <= len(title) <= 160 and title[0].isalnum() else ""
    return ""


def cells_of(line: str) -> tuple[str, ...]:
    """Split a row of a Markdown table into its cells, without emphasis."""
    cells = re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
    return tuple(re.sub(r"\*\*|__", "", cell).replace("\\|", "|").strip() for cell in cells)


def is_figure(cell: str) -> bool:
    """Tell whether a cell holds a number and nothing but its signs, currency, parentheses and per cent."""
    return bool(FIGURE.fullmatch(cell))
