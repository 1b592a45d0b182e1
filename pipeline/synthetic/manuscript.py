"""A document before it has a format: its blocks in reading order, and the facts that are known to be in it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.records import Category, Statement

Kind = Literal["table", "prose", "series", "several"]


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 opens a chapter."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Prose:
    """A paragraph; a `whole` one is not broken over two pages, so that its words stay together in a PDF."""

    text: str
    whole: bool = False


@dataclass(frozen=True)
class Tag:
    """What a figure is in inline XBRL: `value` times 10 to the power of `scale`, of a concept in a context."""

    concept: str
    context: str
    unit: str
    scale: int
    decimals: int
    is_negative: bool = False  # whatever the sign that is shown


@dataclass(frozen=True)
class Cell:
    """A figure as it is shown, like `$ (1,204)`."""

    text: str
    tag: Tag | None = None


@dataclass(frozen=True)
class Row:
    """A row of a table: its label and its cells, none for a subheading."""

    label: str
    cells: tuple[Cell, ...] = ()
    is_total: bool = False


@dataclass(frozen=True)
class Table:
    """A table; the first column of its header stands over the labels."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A line chart with one line a name, and the caption below it."""

    caption: str
    lines: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True)
class Box:
    """A shaded text beside the main one."""

    title: str
    paragraphs: tuple[Prose, ...]


Block: TypeAlias = Heading | Prose | Table | Figure | Box


@dataclass(frozen=True)
class Fact:
    """A question whose answer the document is known to hold, and the words of the document that carry it."""

    kind: Kind
    question: str
    answer: str
    quote: str = ""  # a sentence, or a row's label and its cells; '' where there are several
    row: str = ""
    column: str = ""
    quotes: tuple[str, ...] = ()  # of a fact of several places, in their order
    task: str = ""  # what kind of question it is; '' for a look-up
    statements: tuple[Statement, ...] = ()  # parts of the answer, in their order


@dataclass(frozen=True)
class Manuscript:
    """One document without a format."""

    category: Category
    title: str
    authors: tuple[str, ...]
    date: str
    blocks: tuple[Block, ...]
    facts: tuple[Fact, ...]
    running_head: str = ""


def row_of(label: str, figures: list[str]) -> Row:
    """Return a row of figures without tags."""
    return Row(label, tuple(Cell(figure) for figure in figures))


def quote_of(row: Row) -> str:
    """Return the words of a row as they appear."""
    return " ".join([row.label, *(cell.text for cell in row.cells)])


def fact_of_cell(question: str, row: Row, column: str, index: int, unit: str = "") -> Fact:
    """Return the fact that one cell of a table holds; `unit` follows the figure in the answer."""
    return Fact("table", question, row.cells[index].text + unit, quote_of(row), row.label, column)
