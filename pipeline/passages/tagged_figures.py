"""The figures that a document tags itself (inline XBRL), each with the table row that prints it."""

import datetime
import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from pipeline.passages.markdown_tables import MarkdownTable, is_telling, row_label
from pipeline.passages.passages import Passages
from pipeline.passages.spans import Span
from pipeline.records import Fact

SCALES = {0: "", 3: " thousand", 6: " million", 9: " billion", 12: " trillion"}
CURRENCY = re.compile(r"[A-Z]{3}")
PRINTED = re.compile(r"\d[\d,]*(?:\.\d+)?")  # not a dash or a word, which may be tagged as zero, nor decimal commas
SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
YEAR_DAYS = (350, 380)  # fiscal years of 52 or 53 weeks have 364 or 371 days
QUARTER_DAYS = (80, 100)
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True)
class TaggedFigure:
    """A tagged figure in a row of a table."""

    fact: Fact
    label: str
    table: MarkdownTable
    row: Span
    printed: str  # the digits as the cell has them: '84,284'
    in_parentheses: bool

    @property
    def amount(self) -> str:
        """The figure with its unit: '$84,284 million'."""
        unit, scale = self.fact.unit, self.fact.scale
        if unit.endswith("/shares"):
            return f"{money(unit.split('/')[0], self.printed)}{SCALES[scale]} per share"
        if unit == "shares":
            return f"{self.printed}{SCALES[scale]} shares"
        if unit == "pure":
            return f"{self.printed} percent" if scale == -2 else self.printed
        return f"{money(unit, self.printed)}{SCALES[scale]}"

    @property
    def value(self) -> Decimal:
        """The figure as it is printed, without its scale."""
        return Decimal(self.printed.replace(",", ""))

    @property
    def period(self) -> str:
        """Its period in words; '' if that is neither a day, a quarter nor a year."""
        return period_words(self.fact.period)


def money(currency: str, digits: str) -> str:
    """Return an amount with its currency: '$12' for USD, 'CHF 12' where there is no sign."""
    return f"{SIGNS[currency]}{digits}" if currency in SIGNS else f"{currency} {digits}"


def period_words(period: str) -> str:
    """Return the period of a fact in words: 'as of June 30, 2025', 'for the year that ended on June 30, 2025'."""
    start, _, end = period.rpartition("/")
    try:
        last = datetime.date.fromisoformat(end)
        if not start:
            return f"as of {date_words(last)}"
        days = (last - datetime.date.fromisoformat(start)).days + 1
    except ValueError:
        return ""
    if YEAR_DAYS[0] <= days <= YEAR_DAYS[1]:
        return f"for the year that ended on {date_words(last)}"
    return f"for the quarter that ended on {date_words(last)}" if QUARTER_DAYS[0] <= days <= QUARTER_DAYS[1] else ""


def date_words(date: datetime.date) -> str:
    """Return a date as filings write it: 'June 30, 2025', in English whatever the locale."""
    return f"{MONTHS[date.month - 1]} {date.day}, {date.year}"


def is_plain(fact: Fact) -> bool:
    """Say whether a fact is about the whole company, in a unit and scale that can be put into words."""
    units = fact.unit.split("/")
    has_words = fact.unit in ("shares", "pure") or (bool(CURRENCY.fullmatch(units[0])) and fact.unit.count("/") < 2)
    return not fact.dimensions and has_words and (fact.scale in SCALES or (fact.unit == "pure" and fact.scale == -2))


def tagged_figures(passages: Passages) -> list[TaggedFigure]:
    """Return the tagged figures that a question can name: no other in the table has the same label and period."""
    rows = [(span, cells, table) for table in passages.named_tables for cells, span in table.rows]
    starts = [span.start for span, _, _ in rows]
    found = []
    for fact in passages.document.facts:
        index = bisect_right(starts, fact.start) - 1
        if index < 0 or fact.end > rows[index][0].end or not is_plain(fact) or not period_words(fact.period):
            continue
        span, cells, table = rows[index]
        if fact.start < span.start + span.text.find("|", 1):
            continue  # it is in the label
        label = row_label(cells)
        text = passages.document.text
        if not is_telling(label) or not PRINTED.fullmatch(text[fact.start : fact.end]):
            continue
        before = text[max(span.start, fact.start - 3) : fact.start]
        found.append(TaggedFigure(fact, label, table, span, text[fact.start : fact.end], "(" in before))
    times = Counter((figure.table.name, figure.label, figure.fact.period) for figure in found)
    return [figure for figure in found if times[figure.table.name, figure.label, figure.fact.period] == 1]
