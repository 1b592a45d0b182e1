"""A figure that a document tags itself; apart from the records, since readers must not load what stores those."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """A figure that the document itself tags with its meaning (inline XBRL), and where it stands in the text."""

    concept: str  # qualified name, like 'us-gaap:Revenues'
    value: str  # in whole units, sign and scale applied: '-1250000'
    unit: str  # 'USD', 'USD/shares', 'shares', 'pure'
    period: str  # ISO 8601: '2023-12-31', or 'start/end', both included
    dimensions: tuple[str, ...]  # 'axis=member' each, sorted; empty for the whole company
    scale: int  # power of ten by which the printed figure is multiplied
    start: int  # characters of `Document.text`: the printed figure
    end: int
