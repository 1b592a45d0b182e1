"""Which documents are asked about together: alone, series of reports, pairs, threes, papers with their reviews.

No group has documents of both splits.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pipeline.records import Category
from pipeline.stable_order import order_key
from pipeline.storage.parquet import DOCUMENT_SCHEMA, open_parquet, parquet_files

MIN_SERIES, MAX_SERIES = 3, 12  # documents; LongLoRA's demonstration reads twelve yearly outlooks
GROUP_SIZE = 3  # documents that are asked about together, at least
NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True)
class DocumentCard:
    """What is needed to group a document with others: its metadata without its text."""

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
        """The year of its date, '' if it has none."""
        return self.date[:4]


Relation = Callable[[Sequence[DocumentCard]], Iterator[tuple[DocumentCard, ...]]]


def read_cards(folder: Path) -> list[DocumentCard]:
    """Return the metadata of the documents in a folder, in their order, without reading a text.

    Raises:
        InputError: The folder has no Parquet file, or one with other columns.
    """
    columns = list(DocumentCard.__dataclass_fields__)
    cards = []
    for path in parquet_files(folder, "*.parquet"):
        with open_parquet(path, DOCUMENT_SCHEMA) as file:
            rows = file.read(columns=columns).to_pylist()
        cards += [DocumentCard(**row | {"authors": tuple(row["authors"])}) for row in rows]
    return cards


def alone(cards: Sequence[DocumentCard]) -> Iterator[tuple[DocumentCard, ...]]:
    """Yield each document by itself; reviews are left out, since they make no sense without their paper."""
    yield from ((card,) for card in cards if card.category != "review")


def in_series(cards: Sequence[DocumentCard]) -> Iterator[tuple[DocumentCard, ...]]:
    """Yield the series of reports or statements, oldest first: their titles differ only in numbers.

    Of several documents of one year the first by id is taken. A series of more than twelve is split.
    """
    series: dict[tuple[str, ...], dict[str, DocumentCard]] = {}
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


def in_pairs(cards: Sequence[DocumentCard]) -> Iterator[tuple[DocumentCard, ...]]:
    """Yield pairs of documents of one category, each document in two of them at most.

    The pairs are neighbours in the order of a hash of the ids, so the order of the list does not change them.
    """
    kinds: dict[tuple[str, str], list[DocumentCard]] = {}
    for card in cards:
        if card.category != "review":
            kinds.setdefault((card.category, card.split), []).append(card)
    for _, kind in sorted(kinds.items()):
        ranked = sorted(kind, key=lambda card: order_key(card.doc_id))
        yield from pairwise(ranked)


def in_threes(cards: Sequence[DocumentCard]) -> Iterator[tuple[DocumentCard, ...]]:
    """Yield groups of three to five documents of one category, each document in one of them at most.

    They follow one another in the order of a hash of the ids; of 7 documents, the groups have 3 and 4.
    """
    kinds: dict[tuple[str, str], list[DocumentCard]] = {}
    for card in cards:
        if card.category != "review":
            kinds.setdefault((card.category, card.split), []).append(card)
    for _, kind in sorted(kinds.items()):
        ranked = sorted(kind, key=lambda card: order_key("threes", card.doc_id))
        num_groups = len(ranked) // GROUP_SIZE
        for number in range(num_groups):
            end = (number + 1) * GROUP_SIZE if number < num_groups - 1 else len(ranked)
            yield tuple(ranked[number * GROUP_SIZE : end])


def with_reviews(cards: Sequence[DocumentCard]) -> Iterator[tuple[DocumentCard, ...]]:
    """Yield each paper followed by the documents of its reviews."""
    reviews: dict[str, list[DocumentCard]] = {}
    for card in sorted(cards, key=lambda card: card.doc_id):
        if card.category == "review" and card.group:
            reviews.setdefault(card.group, []).append(card)
    for card in cards:
        if card.category == "paper" and card.group in reviews:
            yield (card, *reviews[card.group])


def group_documents(
    cards: Iterable[DocumentCard], relations: Iterable[Relation]
) -> list[tuple[Relation, tuple[DocumentCard, ...]]]:
    """Return the groups of all relations, each with its relation."""
    listed = list(cards)
    return [(relation, group) for relation in relations for group in relation(listed)]
