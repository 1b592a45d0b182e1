"""Check tables read from a filing against its tagged facts: right row, right column?

A filing in inline XBRL says of each figure what it is and for which period. Where such a figure is in a table, the
same figure has to be in the Markdown table, in the row with its label, and under a heading with the year in which its
period ends, or, where the filing has another heading over the column, under that. No code of the readers is used.

Source  Inline XBRL 1.1, https://www.xbrl.org/specification/inlinexbrl-part1/rec-2013-11-18/
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from pipeline.passages.markdown_tables import MarkdownTable, find_tables

IX = "{http://www.xbrl.org/2013/inlineXBRL}"
XBRLI = "{http://www.xbrl.org/2003/instance}"
YEAR = re.compile(r"(?<![\d,.])(?:19|20)\d\d(?![\d,.]*\d)")
HEAD = re.compile(rf"{YEAR.pattern}|[^\W\d_]")  # a year or a letter
DURATION = re.compile(r"\d[\d.]* (?:years?|months?|days?)", re.IGNORECASE)  # a datum, in a table without a header
RAISED = re.compile(r"vertical-align:\s*super|(?<![-\w])(?:top:\s*-\d|color:\s*#fff)", re.IGNORECASE)
NOTE = re.compile(r"\s*\[[\w, *]{1,8}\]")
HIDDEN = re.compile(rf"display:\s*none|{RAISED.pattern}", re.IGNORECASE)
NEIGHBOURS = 16  # letters and digits on either side of a figure in a sentence, by which it is found again
MAX_WORDS = 12  # letters beside a figure in its cell; with more it is part of a sentence


@dataclass(frozen=True)
class TableFact:
    """A tagged figure in a table of a filing."""

    concept: str
    period: str  # the last day of it, ISO 8601
    scale: int  # the figure is in units of ten to this
    negative: bool  # by its tag, whatever is displayed
    figure: str  # as displayed: digits, in parentheses if they are
    label: str  # the first text of its row
    heading: str  # the nearest above it, '' if there is none

    @property
    def is_dated(self) -> bool:
        """Whether the year of its period is over its column; opening balances and what falls due later have another."""
        return self.period[:4] in YEAR.findall(self.heading)


@dataclass(frozen=True)
class SourceCell:
    """A cell of a source table: its row, the columns `start` to `end` of the grid, its text and its facts."""

    row: int
    start: int
    end: int
    text: str
    facts: tuple[Any, ...]


@dataclass(frozen=True)
class FilingCheck:
    """How many of the facts were found in their places, and what is wrong with the others."""

    num_facts: int
    num_dated: int  # of them, those whose column is known by their period
    num_right: int
    wrong: tuple[tuple[TableFact, str], ...]


def check_filing(path: Path, text: str) -> FilingCheck:
    """Check all figures of a filing that are tagged in its tables against the text that was read from it."""
    return check(table_facts(path), text)


def check_sample(path: Path, text: str, num_figures: int, seed: int) -> FilingCheck:
    """Check figures of a filing that are drawn at random, without replacement."""
    facts = table_facts(path)
    return check(random.Random(seed).sample(facts, min(num_figures, len(facts))), text)  # noqa: S311


def check(facts: list[TableFact], text: str) -> FilingCheck:
    """Check facts against the Markdown tables of a text."""
    tables = list(find_tables(text))
    faults = [(fact, find_fault(fact, tables)) for fact in facts]
    wrong = tuple((fact, reason) for fact, reason in faults if reason)
    return FilingCheck(len(facts), sum(fact.is_dated for fact in facts), len(facts) - len(wrong), wrong)


def find_fault(fact: TableFact, tables: list[MarkdownTable]) -> str:
    """Return what is wrong with a figure in the tables that were read; '' if one of them has it in its place."""
    reason = "no row has its label"
    for table in tables:
        has_years = any(YEAR.search(head) for head in table.header[1:])
        for cells, _ in table.rows:
            if key(cells[0]) != key(fact.label) and key("".join(cells[:2])) != key(fact.label):
                continue
            headings = [
                head for head, cell in zip(table.header, cells, strict=False) if displayed_figure(cell) == fact.figure
            ]
            if not headings:
                reason = "its row has no such figure" if reason.startswith("no row") else reason
            elif any(heads_column(fact, head, has_years=has_years) for head in headings):
                return ""
            else:
                reason = f"it is under {headings}"
    return reason


def heads_column(fact: TableFact, head: str, *, has_years: bool) -> bool:
    """Say whether a column's heading is one for a fact."""
    if has_years and fact.is_dated:
        return fact.period[:4] in YEAR.findall(head)
    return key(fact.heading) in key(head)


def key(text: str) -> str:
    """Return the letters and digits of a text alone, without the marks of notes."""
    return re.sub(r"[\W_]+", "", NOTE.sub("", text)).casefold()


def displayed_figure(cell: str) -> str:
    """Return the digits of a cell as they are displayed, in parentheses if they are."""
    digits = re.search(r"\d[\d,.]*", NOTE.sub("", cell))
    return "" if digits is None else f"({digits[0]})" if "(" in cell[: digits.start()] else digits[0]


def table_facts(path: Path) -> list[TableFact]:
    """Return the figures with digits that are tagged in the tables of a filing, in their order."""
    return [fact for _, fact in iter_tagged_cells(parse_filing(path))]


def parse_filing(path: Path) -> Any:
    """Return the tree of a filing."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    return etree.fromstring(path.read_bytes(), parser)


def iter_tagged_cells(root: Any) -> Iterator[tuple[Any, TableFact]]:
    """Yield the tags of figures that are alone in their cells, each with its place in its table."""
    periods = {context.get("id"): context_end(context) for context in root.iter(f"{XBRLI}context")}
    tables = [table for table in root.iter("{*}table") if table.find(".//{*}table") is None]
    for table in tables:
        yield from iter_facts(list(iter_source_cells(table)), periods)


@dataclass(frozen=True)
class OtherFact:
    """A tagged figure in a sentence, or with others in a cell: its letters and digits, and those next to it."""

    before: str
    figure: str
    after: str


def other_facts(path: Path) -> list[OtherFact]:
    """Return the tagged figures with digits that are seen in a filing, but are not alone in a cell of a table."""
    root = parse_filing(path)
    alone = {tag for tag, _ in iter_tagged_cells(root)}
    parts, places = [], []
    length = 0
    for text, tag in iter_visible(next(root.iter("{*}body"), root)):
        letters = key(text)
        if tag is not None and tag not in alone and letters.isalnum() and any(map(str.isdigit, letters)):
            places.append((length, letters))
        parts.append(letters)
        length += len(letters)
    whole = "".join(parts)
    return [
        OtherFact(whole[max(0, start - NEIGHBOURS) : start], figure, whole[start + len(figure) :][:NEIGHBOURS])
        for start, figure in places
    ]


def iter_visible(body: Any) -> Iterator[tuple[str, Any]]:
    """Yield the texts of a page without hidden parts and the marks of notes; a tagged figure with its tag."""
    walk = etree.iterwalk(body, events=("start", "end"))
    for event, element in walk:
        if event == "end":
            yield element.tail or "", None
            continue
        name = element.tag if isinstance(element.tag, str) else ""
        if name == f"{IX}nonFraction" and len(element) == 0:
            yield element.text or "", element
        elif name == f"{IX}header" or name.endswith("}sup") or HIDDEN.search(element.get("style") or ""):
            walk.skip_subtree()
        elif name:
            yield element.text or "", None


def count_found(facts: list[OtherFact], text: str) -> int:
    """Return how many figures are in a text with the letters and digits before them, or with those after them."""
    letters = key(text)
    return sum(fact.before + fact.figure in letters or fact.figure + fact.after in letters for fact in facts)


def context_end(context: Any) -> str:
    """Return the last day of a context's period."""
    ends = [element.text for element in context.iter(f"{XBRLI}instant", f"{XBRLI}endDate")]
    return (ends[0] or "").strip() if ends else ""


def iter_source_cells(table: Any) -> Iterator[SourceCell]:
    """Yield the cells with text of a table, at their places in its grid."""
    taken: set[tuple[int, int]] = set()
    for row, tr in enumerate(table.iter("{*}tr")):
        column = 0
        for cell in tr.iterchildren("{*}td", "{*}th"):
            while (row, column) in taken:
                column += 1
            width, height = int(cell.get("colspan") or 1), int(cell.get("rowspan") or 1)
            taken |= {(row + down, column + right) for down in range(1, height) for right in range(width)}
            if text := visible_text(cell):
                yield SourceCell(row, column, column + width, text, tuple(cell.iter(f"{IX}nonFraction")))
            column += width


def visible_text(cell: Any) -> str:
    """Return the text of a cell without the marks of notes and what is printed in white."""
    parts = []
    walk = etree.iterwalk(cell, events=("start", "end"))
    for event, element in walk:
        if event == "end":
            parts.append((element.tail or "") if element is not cell else "")
        elif element.tag.endswith("}sup") or RAISED.search(element.get("style") or ""):
            walk.skip_subtree()
        else:
            parts.append(element.text or "")
    return " ".join("".join(parts).split())


def iter_facts(cells: list[SourceCell], periods: dict[str, str]) -> Iterator[tuple[Any, TableFact]]:
    """Yield the facts of a table that are alone in their cells, each with its tag."""
    first = min((cell.row for cell in cells if cell.facts), default=0)
    headings = [
        cell for cell in cells if cell.row < first and HEAD.search(cell.text) and not DURATION.fullmatch(cell.text)
    ]
    for cell in cells:
        figure = displayed_figure(cell.text)
        if len(cell.facts) != 1 or not figure or len(re.findall(r"[^\W\d_]", cell.text)) > MAX_WORDS:
            continue
        row = [other for other in cells if other.row == cell.row and other.start < cell.start]
        if not row:
            continue
        above = [head.text for head in headings if row[0].end <= head.start < cell.end and cell.start < head.end]
        tag = cell.facts[0]
        yield (
            tag,
            TableFact(
                concept=tag.get("name"),
                period=periods.get(tag.get("contextRef"), ""),
                scale=int(tag.get("scale") or 0),
                negative=tag.get("sign") == "-",
                figure=figure,
                label=row[0].text,
                heading=above[-1] if above else "",
            ),
        )
