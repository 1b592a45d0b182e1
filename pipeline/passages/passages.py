"""The parts of a document that questions are made of: sentences of its prose, and its tables."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import dropwhile, takewhile

import nupunkt

from pipeline.passages.review_rules import ReviewRules
from pipeline.records import Document, Section

NOT_PROSE = re.compile(r"\s*(#|\||>|```|[-*•] |\d+[.)] |\[)")
PARAGRAPH = re.compile(r"[^\n]+(?:\n[^\n]+)*")
LINES_ABOVE = 12  # of a table, among which its title may stand
MAX_TITLE, MAX_INTRODUCTION = 160, 240  # characters
UNIT = re.compile(r"\(|(?:(?:all )?(?:amounts|figures|dollars)|in (?:millions|thousands)|unaudited)\b", re.IGNORECASE)
MIN_WORDS, MAX_WORDS = 8, 50  # of a sentence that a question may quote
UNQUOTABLE = set('“”"|')
NOTE_MARK = re.compile(r"\s*\[[\w, *]{1,8}\]")
GENERIC = re.compile(  # labels that mean nothing without the row above them
    r"(?:sub)?total|other|basic|diluted|net|current|domestic|international|foreign|federal|state|low|high|average|none"
    r"|(?:beginning|end|ending|balance)\b.*",
    re.IGNORECASE,
)
YEAR = re.compile(r"\b(?:19|20)\d\d(?!\d)")
OPEN_ENDED = re.compile(r"\b(?:after|thereafter|beyond|later|before|since)\b", re.IGNORECASE)
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
    is_introduced: bool = False  # whether the title is a sentence that ends with a colon
    heading: str = ""  # the heading above it, where nothing nearer names it

    @property
    def name(self) -> str:
        """How a question names it; '' where nothing does."""
        if self.is_introduced:
            return f"the table after “{self.title}”"
        if self.title:
            return f"the table “{self.title}”"
        return f"the table under the heading “{self.heading}”" if self.heading else ""

    @property
    def figures(self) -> Iterator[Row]:
        """The rows whose label, and in them the figures whose column head, stands in the table once."""
        labels = Counter(label_of(cells) for cells, _ in self.rows)
        heads = Counter(self.header[1:])
        for cells, span in self.rows:
            label = label_of(cells)
            if labels[label] != 1 or not HAS_WORD.search(label) or GENERIC.fullmatch(label) or set(label) & UNQUOTABLE:
                continue
            named = zip(self.header[1:], cells[1:], strict=False)
            figures = tuple(
                (head, cell)
                for head, cell in named
                if head and heads[head] == 1 and not set(head) & UNQUOTABLE and is_figure(cell)
            )
            if figures:
                yield Row(label, figures, span)


@dataclass(frozen=True)
class Known:
    """A question whose answer a document is known to have, and the words that carry it."""

    question: str
    answer: str
    quote: str


def label_of(cells: Sequence[str]) -> str:
    """Return the label of a row without the marks of its notes."""
    return NOTE_MARK.sub("", cells[0]).strip().rstrip(":")


class Passages:
    """A document's sentences and tables, found once and kept while questions are made of it."""

    def __init__(
        self, document: Document, known: Sequence[Known] = (), review_rules: ReviewRules | None = None
    ) -> None:
        """Take the document and what is known to be in it; nothing is parsed before it is asked for."""
        self.document = document
        self.known = known
        self.review_rules = review_rules  # None where people's answers are not wanted

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
        """The Markdown tables, in order; one that nothing else names has the heading above it."""
        found = []
        for table in find_tables(self.document.text):
            path = () if table.title else self.heading_at(table.header_span.start)
            found.append(replace(table, heading=path[-1]) if path else table)
        return found

    @cached_property
    def named_tables(self) -> list[Table]:
        """The tables whose name no other table has."""
        names = Counter(table.name for table in self.tables)
        return [
            table
            for table in self.tables
            if table.name and names[table.name] == 1 and not set(table.title or table.heading) & UNQUOTABLE
        ]

    def heading_at(self, position: int) -> tuple[str, ...]:
        """Return the path of headings above a position, outermost first; empty before the first heading."""
        section = self.section_at(position)
        return section.path if section else ()

    def section_at(self, position: int) -> Section | None:
        """Return the innermost section around a position, None before the first heading."""
        inside = [section for section in self.document.sections if section.start <= position < section.end]
        return max(inside, key=lambda section: len(section.path)) if inside else None

    def heading_line(self, section: Section) -> Span:
        """Return the line of a section's heading."""
        text = self.document.text
        end = text.find("\n", section.start)
        return trimmed(text, section.start, len(text) if end < 0 else end)

    def sentence_at(self, position: int) -> Span | None:
        """Return the sentence around a position, None outside prose."""
        index = bisect_right(self._starts, position) - 1
        sentence = self.sentences[index] if index >= 0 else None
        return sentence if sentence and position < sentence.end else None

    @cached_property
    def sentences(self) -> list[Span]:
        """The sentences of all paragraphs, in order."""
        return [sentence for paragraph in self.paragraphs for sentence in paragraph]

    @cached_property
    def _starts(self) -> list[int]:
        return [sentence.start for sentence in self.sentences]

    @cached_property
    def flat(self) -> str:
        """The text with every stretch of white space as one space, for counting how often words stand in it."""
        return " ".join(self.document.text.split())


def stands_once(passages: Passages, gapped: str, gap: str) -> bool:
    """Say whether the longest part of a sentence with gaps stands in the document once, so that it can be found."""
    return passages.flat.count(max(gapped.split(gap), key=len).strip()) == 1


def is_askable(sentence: Span) -> bool:
    """Tell whether a sentence is whole and of a sensible length, and has no quotation marks that could be cut."""
    whole = sentence.text[0].isupper() and sentence.text[-1] in ".!?"
    return whole and MIN_WORDS <= len(sentence.text.split()) <= MAX_WORDS and not set(sentence.text) & UNQUOTABLE


def trimmed(text: str, start: int, end: int) -> Span:
    """Return the span without white space at its ends."""
    words = text[start:end]
    start += len(words) - len(words.lstrip())
    return Span(start, start + len(words.strip()), words.strip())


def find_tables(text: str) -> Iterator[Table]:
    """Yield the Markdown tables of a text, each with what stands above it as its title."""
    lines = [Span(match.start(), match.end(), match[0]) for match in re.finditer(r"[^\n]*(?:\n|\Z)", text)]
    lines = [Span(line.start, line.start + len(line.text.rstrip("\n")), line.text.rstrip("\n")) for line in lines]
    number = 1
    while number < len(lines):
        if SEPARATOR.match(lines[number].text) and "|" in lines[number - 1].text:
            header, rows = lines[number - 1], []
            title, is_intro = title_of(
                [line.text for line in reversed(lines[max(0, number - LINES_ABOVE) : number - 1])]
            )
            while number + 1 < len(lines) and lines[number + 1].text.lstrip().startswith("|"):
                number += 1
                rows.append((cells_of(lines[number].text), lines[number]))
            yield Table(title, cells_of(header.text), header, tuple(rows), is_intro)
        number += 1


def title_of(lines_above: Sequence[str]) -> tuple[str, bool]:
    """Return the title of a table, and whether it is a sentence that introduces it; '' where nothing above is one.

    Units are passed over. A line that goes on with a paragraph of prose is no title; a short paragraph that ends with a
    colon is an introduction.

    Args:
        lines_above: The nearest first, blank ones included.
    """
    above = list(dropwhile(lambda line: not line.strip() or UNIT.match(bare(line)), lines_above))
    if not above or "|" in above[0]:
        return "", False
    title = bare(above[0])
    is_marked = above[0].lstrip().startswith(("#", "**"))
    paragraph = list(takewhile(lambda line: line.strip() and "|" not in line, above))
    if is_marked or (len(paragraph) == 1 and title[-1:] not in ".;,:"):
        return (title, False) if 3 <= len(title) <= MAX_TITLE and title[0].isalnum() else ("", False)
    words = " ".join(" ".join(map(bare, reversed(paragraph))).split())
    is_intro = words.endswith(":") and len(words) <= MAX_INTRODUCTION and words[0].isupper()
    return (words, True) if is_intro and len(paragraph) < len(lines_above) else ("", False)


def bare(line: str) -> str:
    """Return a line without the marks of headings and emphasis."""
    return re.sub(r"[#*_]", "", line).strip()


def cells_of(line: str) -> tuple[str, ...]:
    """Split a row of a Markdown table into its cells, without emphasis."""
    cells = re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
    return tuple(re.sub(r"\*\*|__", "", cell).replace("\\|", "|").strip() for cell in cells)


def yearly(table: Table, row: Row) -> list[tuple[str, str]]:
    """Return the cells of a row whose columns are single years, in their order; empty where some are not.

    Columns like '2026-2027', '2030 and thereafter' or two of one year would make the others incomplete.
    """
    heads = [head for head in table.header[1:] if YEAR.search(head)]
    years = [year for head in heads for year in YEAR.findall(head)]
    is_plain = len(years) == len(heads) == len(set(years)) and not any(OPEN_ENDED.search(head) for head in heads)
    cells = [(head, value) for head, value in row.cells if YEAR.search(head)]
    return cells if is_plain and len(cells) == len(heads) else []


def is_figure(cell: str) -> bool:
    """Tell whether a cell holds a number and nothing but its signs, currency, parentheses and per cent."""
    return bool(FIGURE.fullmatch(cell))
