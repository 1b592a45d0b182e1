"""How many places of its documents an example's evidence is in, in buckets.

The more places an answer has to be put together from, the more often models fail: in a study of 11 million pairs, 51 %
were right with one page of evidence, 23 % with four, 15 % with six.
Source  NVIDIA's Data Designer, as quoted in docs/questions.md
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Literal, get_args

from pipeline.records import Document, Evidence, Example

Bucket = Literal["1", "2-3", "4-5", "6+"]
BUCKETS: tuple[Bucket, ...] = get_args(Bucket)
Quotes = tuple[Evidence, ...]
Buckets = dict[Quotes, Bucket]  # by the evidence of an example; citations change its id, and not this
NEAR_CHARACTERS = 600  # quotes closer than a passage are read at a glance
BLANK_LINE = re.compile(r"\n\s*\n")


def count_places(spans: Sequence[Evidence], text: str) -> int:
    """Return how many places of one document some quotes are in.

    Quotes of one paragraph or table are in one place, however long it is, and so are quotes that are near each other.
    """
    ordered = sorted(spans, key=lambda span: span.start)
    return bool(ordered) + sum(
        after.start - before.end > NEAR_CHARACTERS and bool(BLANK_LINE.search(text, before.end, after.start))
        for before, after in pairwise(ordered)
    )


def find_bucket(num_places: int) -> Bucket:
    """Return the bucket of a number of places."""
    return BUCKETS[(num_places > 1) + (num_places > 3) + (num_places > 5)]


def find_example_bucket(example: Example, text_of: Callable[[str], str]) -> Bucket:
    """Return the bucket of an example's evidence, given what returns the text of a document by its id.

    Only the documents that a prompt shows count: reviews that an answer was taken from do not.
    """
    return find_bucket(
        sum(count_places([s for s in example.evidence if s.doc_id == i], text_of(i)) for i in set(example.doc_ids))
    )


def find_buckets(examples: Iterable[Example], documents: Iterable[Document]) -> Buckets:
    """Return the bucket of each example by its evidence, in one pass over the documents."""
    by_document: dict[str, dict[Quotes, list[Evidence]]] = {}
    num_places: Counter[Quotes] = Counter()
    for example in examples:
        num_places[example.evidence] = 0
        for span in dict.fromkeys(span for span in example.evidence if span.doc_id in example.doc_ids):
            by_document.setdefault(span.doc_id, {}).setdefault(example.evidence, []).append(span)
    for document in documents:
        for quotes, spans in by_document.get(document.doc_id, {}).items():
            num_places[quotes] += count_places(spans, document.text)
    return {quotes: find_bucket(number) for quotes, number in num_places.items()}


def count_by_bucket(examples: Iterable[Example], buckets: Buckets) -> dict[str, int]:
    """Return how many examples there are in each bucket, for a report."""
    counts = Counter(buckets[example.evidence] for example in examples)
    return {bucket: counts[bucket] for bucket in BUCKETS}
