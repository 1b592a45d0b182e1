"""Link the sentences of an answer to the places of the documents that bear them out.

A sentence is linked when the text has it almost word for word, or when one sentence, two neighbouring sentences or a
row of a table have at least `MIN_COVERAGE` of its words, rare words counting more, and all of its numbers and names,
and deny something only if it does. Otherwise it has no link: none is better than a wrong one. docs/chat.md says how
often links are right.
"""

import math
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import nupunkt

from pipeline.checks.sentences import content_words
from pipeline.passages.quote_alignment import TOLD, locate
from pipeline.passages.spans import Span, trim_span

MIN_COVERAGE = 0.7  # of the weight of a sentence's words; a word's weight is its inverse document frequency
MIN_WORDS = 3  # of a sentence that is linked, words like 'the' and 'of' left out
MIN_LEAD = 0.02  # of coverage over the best place elsewhere, or the sentence could be from either
MIN_COPIED_CHARACTERS = 30  # of a sentence that is looked for word for word
CITATION = re.compile(r"\[\d+\]")
NAME = re.compile(r"(?<=[a-z,;“\"(] )[“\"(]?([A-Z][\w’'-]+)")  # within a sentence, where a capital says something
NEGATION = re.compile(r"\b(?:not|no|never|nor|none|neither|nothing|without|nobody|cannot)\b|n['’]t\b", re.IGNORECASE)
UNANSWERED = re.compile(
    r"\b(?:do(?:es)? not|don['’]t|doesn['’]t|cannot|can['’]t|could not|unable to|no) (?:\w+ ){0,2}"
    r"(?:say|state|mention|contain|provide|know|give|find|answer)\b",
    re.IGNORECASE,
)
LINE = re.compile(r"[^\n]+")
ITEM = r"[-*•] |\d+[.)] |#|>"  # how a line begins that goes on with no line before it
BLOCK = re.compile(rf"^(?:\|[^\n]*(?:\n\|[^\n]*)*|[^|\n][^\n]*(?:\n(?!\||{ITEM})[^\n]+)*)", re.MULTILINE)
WORD = re.compile(r"\w")
RULE = re.compile(r"[|:\-\s]+$")


@dataclass(frozen=True)
class Place:
    """A sentence or a row of a document, with the words that it is found by."""

    span: Span
    words: frozenset[str]
    told: frozenset[str]  # its numbers and negations
    is_denied: bool  # whether it says that something is not so
    names: frozenset[str]  # all of its words in lower case, which the names of an answer are looked for in

    def agrees(self, sentence: str) -> bool:
        """Say whether it has all numbers and names of a sentence, and denies something if the sentence does."""
        has_words = told_in(sentence) <= self.told and find_names(sentence) <= self.names
        return has_words and self.is_denied == bool(NEGATION.search(sentence))


@dataclass(frozen=True)
class Link:
    """A sentence of an answer, and where a document has it."""

    start: int  # characters of the answer
    end: int
    document: str  # the key of the document
    quote: Span  # of the document's text


class PlaceIndex:
    """The places of a document by their words."""

    def __init__(self, text: str) -> None:
        """Split a text into places and index them."""
        self.text = text
        self.places = list(find_places(text))
        self.by_word: dict[str, list[int]] = defaultdict(list)
        for number, place in enumerate(self.places):
            for word in place.words:
                self.by_word[word].append(number)

    def weight(self, word: str) -> float:
        """Return the inverse document frequency of a word; one that the text lacks weighs most."""
        return math.log(1 + len(self.places) / (0.5 + len(self.by_word.get(word, ()))))

    def find(self, sentence: str) -> tuple[float, Span] | None:
        """Return how well the best place covers a sentence, and the place; None where no place bears it out."""
        if copied := find_copied(self.text, sentence):
            return 1.0, copied
        words = set(content_words(sentence))
        if len(words) < MIN_WORDS or UNANSWERED.search(sentence):
            return None
        weights = {word: self.weight(word) for word in words}
        total = sum(weights.values())
        scores: Counter[int] = Counter()
        for word, weight in weights.items():
            for number in self.by_word.get(word, ()):
                scores[number] += weight / total  # type: ignore[assignment]  # typeshed has whole counts
        return self.choose(sentence, scores)

    def choose(self, sentence: str, scores: Mapping[int, float]) -> tuple[float, Span] | None:
        """Return the best place that has all numbers and names of a sentence, unless another is as good."""
        near = [(score, -number) for number, score in scores.items() if score >= MIN_COVERAGE]
        good = sorted((pair for pair in near if self.places[-pair[1]].agrees(sentence)), reverse=True)
        if not good or (len(good) > 1 and self.is_tied(good[0], good[1])):
            return None
        return good[0][0], self.places[-good[0][1]].span

    def is_tied(self, best: tuple[float, int], second: tuple[float, int]) -> bool:
        """Say whether two places are equally good and have different words."""
        one, other = self.places[-best[1]], self.places[-second[1]]
        is_elsewhere = one.span.end <= other.span.start or other.span.end <= one.span.start
        return best[0] - second[0] < MIN_LEAD and is_elsewhere and one.span.text != other.span.text


def find_copied(text: str, sentence: str) -> Span | None:
    """Return where a text has a sentence almost word for word."""
    bare = CITATION.sub("", sentence).strip()
    return locate(text, bare) if len(bare) >= MIN_COPIED_CHARACTERS else None


def find_places(text: str) -> Iterator[Place]:
    """Yield the sentences, pairs of neighbouring sentences, and rows of a text; a row has the words of its header."""
    title = ""
    for block in BLOCK.finditer(text):
        if block[0].startswith("|"):
            yield from find_rows(text, block, title)
        else:
            yield from find_sentences(text, block)
            title = block[0].rpartition("\n")[2]


def find_rows(text: str, table: re.Match[str], title: str) -> Iterator[Place]:
    """Yield the rows of a table, its header left out."""
    header, *rows = LINE.finditer(table[0])
    for row in rows:
        if not RULE.match(row[0]):
            span = trim_span(text, table.start() + row.start(), table.start() + row.end())
            yield make_place(span, f"{title} {header[0]}")


def find_sentences(text: str, block: re.Match[str]) -> Iterator[Place]:
    """Yield the sentences of a paragraph, each alone and with the next one."""
    found = nupunkt.sent_spans(block[0])
    spans = [trim_span(text, block.start() + start, block.start() + end) for start, end in found]
    yield from (make_place(span) for span in spans)
    yield from (make_place(trim_span(text, one.start, other.end)) for one, other in pairwise(spans))


def make_place(span: Span, header: str = "") -> Place:
    """Return a place; the words of its header are found in it too."""
    words = f"{header} {span.text}"
    names = frozenset(re.findall(r"[\w’'-]+", words.lower()))
    is_denied = bool(NEGATION.search(span.text))
    return Place(span, frozenset(content_words(words)), frozenset(told_in(words)), is_denied, names)


def told_in(words: str) -> set[str]:
    """Return the numbers and negations of some words."""
    return {word.lower() for word in TOLD.findall(CITATION.sub("", words))}


def find_names(sentence: str) -> set[str]:
    """Return the words that a sentence writes with a capital, its first word left out."""
    return {match[1].lower() for match in NAME.finditer(sentence)}


def split_answer(answer: str) -> Iterator[Span]:
    """Yield the sentences of an answer, and the rows of its tables; a line may end within a sentence."""
    for block in BLOCK.finditer(answer):
        split = [row.span() for row in LINE.finditer(block[0])] if block[0][0] == "|" else nupunkt.sent_spans(block[0])
        spans = (trim_span(answer, block.start() + start, block.start() + end) for start, end in split)
        yield from (span for span in spans if WORD.search(span.text))


def link_sentences(answer: str, indices: Mapping[str, PlaceIndex]) -> list[Link]:
    """Return the sentences of an answer that a document bears out, in their order, each with its best place."""
    links = []
    for sentence in split_answer(answer):
        found = [(key, match) for key, index in indices.items() if (match := index.find(sentence.text))]
        if found:
            key, (_, quote) = max(found, key=lambda pair: pair[1][0])
            links.append(Link(sentence.start, sentence.end, key, quote))
    return links


def find_page(page_offsets: Sequence[int], position: int) -> int | None:
    """Return the page that a position of a text is on, from 1; None for a document without pages."""
    return max(1, bisect_right(page_offsets, position)) if page_offsets else None
