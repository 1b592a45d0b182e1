"""Choose questions about held-out documents, and the text of each that a model is shown.

A document that is longer than the length at hand is shown in part: the window that has the evidence of most questions,
so that all of them are asked about one text, which a model reads once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from pipeline.passages.evidence_places import BUCKETS, Bucket, count_places, find_bucket
from pipeline.records import Category, CharRange, Document, Example
from pipeline.stable_order import round_robin, stable_shuffle
from pipeline.tokenization.token_grid import Grid

Needs = Literal["whole", "part"]
STEPS = 4  # windows of a length start at each quarter of it
MAX_LINE = 400  # characters that a window may begin or end between
WIDE = 0.5  # of the text, between the first and the last evidence, for a question to need the whole


@dataclass(frozen=True)
class HeldOutQuestion:
    """A question, and the text that it is asked about."""

    example: Example
    category: Category
    length: int  # tokens of the text, at most
    text: str
    span: CharRange  # of the document
    position: float  # the middle of the evidence in the text: 0 at its start, 1 at its end
    places: Bucket
    needs: Needs  # how much of the text the answer takes, after LongBench Pro (arXiv 2601.02872)


def choose_questions(
    examples: Iterable[Example],
    documents: Mapping[str, Document],
    length: int,
    count_each: Callable[[list[str]], list[int]],
    *,
    num_per_document: int,
    seed: int,
) -> list[HeldOutQuestion]:
    """Return the questions that are asked at a length, those of a document after each other.

    Args:
        examples: With evidence in one document each; others are left out.
        documents: By id, the held-out ones.
        length: Tokens of the text that is shown, at most.
        count_each: Counts the tokens of texts.
        num_per_document: At most; tasks take turns.
        seed: Of the order in which examples are taken.
    """
    grouped: dict[str, list[Example]] = {}
    for example in examples:
        if len(example.doc_ids) == 1 and example.doc_ids[0] in documents and is_plain(example):
            grouped.setdefault(example.doc_ids[0], []).append(example)
    chosen = []
    for doc_id in sorted(grouped):
        document = documents[doc_id]
        span, inside = choose_window(document, grouped[doc_id], length, count_each)
        asked = take_turns(inside, seed)[:num_per_document]
        chosen += [make_question(example, document, length, span) for example in asked]
    return chosen


def is_plain(example: Example) -> bool:
    """Say whether an example is one question with evidence in the document that it is about."""
    return not example.earlier and bool(example.evidence) and {s.doc_id for s in example.evidence} == {*example.doc_ids}


def choose_window(
    document: Document, examples: Sequence[Example], length: int, count_each: Callable[[list[str]], list[int]]
) -> tuple[CharRange, list[Example]]:
    """Return the window of a document with the evidence of most examples, the first of equals, and these examples."""
    windows = list(list_windows(count_by_line(document.text, count_each), length))
    found = [(window, [example for example in examples if lies_within(example, window)]) for window in windows]
    return max(found, key=lambda pair: len(pair[1]))


def count_by_line(text: str, count_each: Callable[[list[str]], list[int]]) -> Grid:
    """Return how many tokens come before each line of a text, so that windows are of whole lines."""
    ends = [0, *find_line_ends(text)]
    pieces = [text[start:end] for start, end in pairwise(ends)]
    return Grid(np.array(ends, np.int64), np.cumsum([0, *count_each(pieces)], dtype=np.int64))


def find_line_ends(text: str) -> Iterator[int]:
    """Yield where the lines of a text end; a long line, as of a paragraph, is cut at spaces."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        if end - start > MAX_LINE:
            space = text.rfind(" ", start, start + MAX_LINE)
            end = space + 1 if space >= start else start + MAX_LINE
        yield end
        start = end


def list_windows(grid: Grid, length: int) -> Iterator[CharRange]:
    """Yield the windows of a text, each of at most so many tokens; one for a text that is shorter."""
    num_tokens = int(grid.tokens[-1])
    for start in range(0, max(1, num_tokens - length + length // STEPS), max(1, length // STEPS)):
        first = int(np.searchsorted(grid.tokens, start))
        last = int(np.searchsorted(grid.tokens, grid.tokens[first] + length, side="right")) - 1
        if last > first:
            yield int(grid.cuts[first]), int(grid.cuts[last])
        if int(grid.tokens[last]) >= num_tokens:
            return


def lies_within(example: Example, window: CharRange) -> bool:
    """Say whether all evidence of an example is in a window."""
    return all(window[0] <= span.start and span.end <= window[1] for span in example.evidence)


def take_turns(examples: Iterable[Example], seed: int) -> list[Example]:
    """Return examples so that tasks take turns, in an order drawn by the seed."""
    by_task: dict[str, list[Example]] = {}
    for example in stable_shuffle(examples, seed, key=lambda one: one.example_id):
        by_task.setdefault(example.task, []).append(example)
    tasks = stable_shuffle(by_task, seed, key=str)
    return round_robin(by_task[task] for task in tasks)


def make_question(example: Example, document: Document, length: int, span: CharRange) -> HeldOutQuestion:
    """Return an example with what it is shown with, and where its evidence is in that."""
    start, end = span
    first, last = min(s.start for s in example.evidence), max(s.end for s in example.evidence)
    places = find_bucket(count_places(example.evidence, document.text))
    is_whole = places == BUCKETS[-1] or last - first > WIDE * (end - start)
    position = ((first + last) / 2 - start) / (end - start)
    text = document.text[start:end]
    needs: Needs = "whole" if is_whole else "part"
    return HeldOutQuestion(example, document.category, length, text, span, position, places, needs)
