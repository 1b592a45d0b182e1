"""Which documents are asked about together: each alone, the reports of a series, pairs, papers with their reviews.

Documents of both sides of the split are never put together.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pipeline.records import Category
from pipeline.stable_order import order_key
from pipeline.storage.parquet import DOCUMENT_SCHEMA, open_parquet, parquet_files

MIN_SERIES, MAX_SERIES = 3, 12  # LongLoRA's demonstration reads twelve yearly outlooks
NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True)
class Card:
    """What relates a document to others, without its text."""

    doc_id: str
    category: Category
    title: str
    authors: tuple[str, ...]
    date: str
    split: str
    group: str
    source: str
    num_tokens: int

    @property
    def year(self) -> str:
        """The year of its date, '' where it has none."""
        return self.date[:4]


Relation = Callable[[Sequence[Card]], Iterator[tuple[Card, ...]]]


def read_cards(folder: Path) -> list[Card]:
    """Return the cards of a folder of documents in their order; no text is read.

    Raises:
        InputError: The folder holds no Parquet file, or one of another kind.
    """
    columns = list(Card.__dataclass_fields__)
    cards = []
    for path in parquet_files(folder, "*.parquet"):
        with open_parquet(path, DOCUMENT_SCHEMA) as file:
            rows = file.read(columns=columns).to_pylist()
        cards += [Card(**row | {"authors": tuple(row["authors"])}) for row in rows]
    return cards


def alone(cards: Sequence[Card]) -> Iterator[tuple[Card, ...]]:
    """Yield each document by itself; reviews are never read without their paper."""
    yield from ((card,) for card in cards if card.category != "review")


def in_series(cards: Sequence[Card]) -> Iterator[tuple[Card, ...]]:
    """Yield the reports or statements whose titles differ in numbers alone, in the order of their years.

    Of several of one year the first by id is taken; a longer series than twelve is parted.
    """
    series: dict[tuple[str, ...], dict[str, Card]] = {}
    for card in sorted(cards, key=lambda card: card.doc_id):
        name = " ".join(NUMBERS.sub("", card.title).split()).casefold()
        if card.category in ("report", "statement") and name and card.year:
            series.setdefault((card.category, card.split, name, *card.authors), {}).setdefault(card.year, card)
    for _, by_year in sorted(series.items()):
        ordered = [by_year[year] for year in sorted(by_year)]
        for start in range(0, len(ordered), MAX_SERIES):
            part = ordered[start : start + MAX_SERIES]
            if len(part) >= MIN_SERIES:
                yield tuple(part)


def in_pairs(cards: Sequence[Card]) -> Iterator[tuple[Card, ...]]:
    """Yield pairs of documents of one category, each document in two of them at most.

    Neighbours in the order of a hash of their ids: neither the order of the list nor other categories change a pair.
    """
    kinds: dict[tuple[str, str], list[Card]] = {}
    for card in cards:
        if card.category != "review":
            kinds.setdefault((card.category, card.split), []).append(card)
    for _, kind in sorted(kinds.items()):
        ranked = sorted(kind, key=lambda card: order_key(card.doc_id))
        yield from pairwise(ranked)


def with_reviews(cards: Sequence[Card]) -> Iterator[tuple[Card, ...]]:
    """Yield each paper followed by the documents of its reviews."""
    reviews: dict[str, list[Card]] = {}
    for card in sorted(cards, key=lambda card: card.doc_id):
        if card.category == "review" and card.group:
            reviews.setdefault(card.group, []).append(card)
    for card in cards:
        if card.category == "paper" and card.group in reviews:
            yield (card, *reviews[card.group])


def units_of(cards: Iterable[Card], relations: Iterable[Relation]) -> list[tuple[Relation, tuple[Card, ...]]]:
    """Return what is asked about, relation by relation; documents by themselves come in the order of the list."""
    known = list(cards)
    return [(relation, unit) for relation in relations for unit in relation(known)]
