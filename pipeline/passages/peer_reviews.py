"""Peer reviews of a paper, as `pipeline.readers.openreview` lays them out, and the passages that they are about.

A reviewer rarely quotes. The passage behind a remark is found by the rare words that both share, or by the section,
table or figure that the remark names. A remark without such a passage has no evidence and is not used.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log

import nupunkt
from pydantic import Field

from pipeline.params import Part
from pipeline.passages.passages import Passages
from pipeline.passages.spans import Span, trim_span
from pipeline.records import Document

NAMED = re.compile(r"\b(Section|Sec\.|Table|Tab\.|Figure|Fig\.|Appendix|Theorem|Algorithm)\s*(\d+(?:\.\d+)*|[A-Z]\b)")
LONG_NAMES = {"Sec.": "Section", "Tab.": "Table", "Fig.": "Figure"}
WORD = re.compile(r"[^\W\d_]{4,}")
HEADING_LINE = re.compile(r"^#+ .*\n+", re.MULTILINE)
MIN_SHARED_WORDS = 3  # of a remark and the sentence it is about
MIN_OVERLAP = 0.4  # the weight of the shared words, as a fraction of the weight of all words of the remark
MIN_WORDS = 6  # of a sentence that a remark can be about
LEADING_NUMBER = re.compile(r"\s*(\d+(?:\.\d+)?)")
FOR, AGAINST = (
    re.compile(r"\baccept|\babove\b", re.IGNORECASE),
    re.compile(r"\breject|\bbelow\b|not accept", re.IGNORECASE),
)


class ReviewRules(Part):
    """Part `human` of section `ask`: which reviews are good enough to be answers."""

    min_words: int = Field(ge=1)  # of an answer
    min_confidence: int  # of the reviewer, on the venue's scale: 3 of 5 is 'fairly confident'
    accept_rating: int  # a numeric rating of at least this counts as a vote for acceptance
    agreeing: bool  # whether a review must vote for what was decided
    num_passages: int = Field(ge=1)  # of the paper that support an answer, at least
    max_passages: int = Field(ge=1)


@dataclass(frozen=True)
class Post:
    """A review, response, meta-review or decision: its heading, and its fields as pairs of name and text."""

    heading: str
    fields: tuple[tuple[str, Span], ...]

    def get(self, *names: str) -> Span | None:
        """Return the first of the named fields that the post has, None if it has none of them."""
        found = dict(self.fields)
        return next((found[name] for name in names if name in found), None)


class Discussion:
    """The posts about a paper, parsed on first use."""

    def __init__(self, document: Document) -> None:
        """Take a document of category 'review'."""
        self.document = document
        venue = re.search(r"^Venue: (.+)$", document.text[:1_000], re.MULTILINE)
        self.venue = venue[1] if venue else ""

    @cached_property
    def posts(self) -> list[Post]:
        """All posts, in the order of the page."""
        found: dict[int, tuple[str, list[tuple[str, Span]]]] = {}
        start = -1
        for section in self.document.sections:
            if len(section.path) == 2:
                start = section.start
                found[start] = (section.path[1], [])
            elif len(section.path) == 3 and start in found:
                found[start][1].append(
                    (section.path[2].lower(), text_below_heading(self.document.text, section.start, section.end))
                )
        return [Post(heading, tuple(fields)) for heading, fields in found.values()]

    def of_kind(self, kind: str) -> list[Post]:
        """Return the posts of a kind, like 'Review', 'Meta-review', 'Decision': 'Review' gives 'Review 1' and so on."""
        return [each for each in self.posts if re.fullmatch(rf"{kind}(?: \d+)?", each.heading)]

    def responses_to(self, review: Post) -> list[Post]:
        """Return the authors' responses to a review."""
        number = review.heading.rpartition(" ")[2]
        return [each for each in self.posts if each.heading == f"Author response to review {number}"]

    def is_accepted(self) -> bool | None:
        """Say whether the paper was accepted, None if no decision is known."""
        for decision in self.of_kind("Decision"):
            if span := decision.get("decision"):
                return "accept" in span.text.lower() and "not accept" not in span.text.lower()
        return None

    def best_reviews(self, rules: ReviewRules) -> list[Post]:
        """Return the reviews that meet the rules, the most confident first, longer ones before shorter."""
        kept = [review for review in self.of_kind("Review") if self.meets_rules(review, rules)]
        confidence = {review: leading_number(review, "confidence") or 0 for review in kept}
        return sorted(kept, key=lambda review: (-confidence[review], -count_words(review), review.heading))

    def meets_rules(self, review: Post, rules: ReviewRules) -> bool:
        """Say whether a reviewer is confident enough and, if the rules ask for it, voted for what was decided."""
        confidence = leading_number(review, "confidence")
        if confidence is not None and confidence < rules.min_confidence:
            return False
        decided, vote = self.is_accepted(), favours_acceptance(review, rules.accept_rating)
        return not rules.agreeing or decided is None or vote is None or decided == vote


def text_below_heading(text: str, start: int, end: int) -> Span:
    """Return the text of a section without its heading."""
    heading = HEADING_LINE.match(text, start)
    return trim_span(text, heading.end() if heading else start, end)


def leading_number(review: Post, field: str) -> float | None:
    """Return the number at the start of a field, as 8 in '8: accept, good paper', None if it has none."""
    span = review.get(field)
    found = LEADING_NUMBER.match(span.text) if span else None
    return float(found[1]) if found else None


def count_words(review: Post) -> int:
    """Return how many words a review has."""
    return sum(len(span.text.split()) for _, span in review.fields)


def favours_acceptance(review: Post, accept_rating: int) -> bool | None:
    """Say whether a review is for acceptance, by the words of its rating, else by the number; None without a rating."""
    span = review.get("rating", "recommendation", "overall recommendation")
    if span is None:
        return None
    if AGAINST.search(span.text):
        return False
    if FOR.search(span.text):
        return True
    number = leading_number(review, "rating")
    return None if number is None else number >= accept_rating


class PassageFinder:
    """Finds the passages of a paper that remarks are about."""

    def __init__(self, paper: Passages) -> None:
        """Take the paper; nothing is parsed yet."""
        self._paper = paper

    @cached_property
    def _sentences(self) -> list[tuple[Span, frozenset[str]]]:
        """The sentences that a remark can be about, each with its word stems."""
        return [(span, word_stems(span.text)) for span in self._paper.sentences if len(span.text.split()) >= MIN_WORDS]

    @cached_property
    def _weights(self) -> dict[str, float]:
        """The inverse document frequency of each word stem, with a sentence as a document."""
        counts = Counter(word for _, words in self._sentences for word in words)
        return {word: log((1 + len(self._sentences)) / count) for word, count in counts.items()}

    def find_passages(self, remarks: str, max_passages: int) -> list[Span]:
        """Return the passages that remarks are about, the best matches first."""
        found: dict[Span, float] = {}
        for start, end in nupunkt.sent_spans(remarks):
            for span, score in self.score_passages(remarks[start:end]):
                found[span] = max(score, found.get(span, 0.0))
        return sorted(found, key=lambda span: (-found[span], span.start))[:max_passages]

    def score_passages(self, remark: str) -> Iterator[tuple[Span, float]]:
        """Yield the parts that one remark names and the sentence most like it, each with a score of at most 1."""
        yield from ((span, 1.0) for span in self.named_parts(remark))
        words = word_stems(remark) & self._weights.keys()
        total = sum(self._weights[word] for word in words)
        best: tuple[float, Span] | None = None
        for span, own in self._sentences:
            shared = words & own
            if len(shared) >= MIN_SHARED_WORDS:
                score = sum(sorted(self._weights[word] for word in shared)) / total
                if score >= MIN_OVERLAP and (best is None or score > best[0]):
                    best = score, span
        if best:
            yield best[1], best[0]

    def named_parts(self, remark: str) -> Iterator[Span]:
        """Yield the headings and captions of the parts that a remark names."""
        text = self._paper.document.text
        for kind, number in NAMED.findall(remark):
            name = LONG_NAMES.get(kind, kind)
            if name == "Section":
                pattern = rf"^#+ {re.escape(number)}[. ].+$"
            else:
                pattern = rf"^(?:#+ |\*\*)?{name} {re.escape(number)}\b.{{12,}}$"
            if match := re.search(pattern, text, re.MULTILINE):
                yield trim_span(text, match.start(), match.end())


def word_stems(text: str) -> frozenset[str]:
    """Return the words of a text in lower case without common endings: 'Methods shared' gives 'method' and 'shar'."""
    return frozenset(re.sub(r"(?:ies|es|s|ed|ing|ly)$", "", word.lower()) for word in WORD.findall(text))


def join_parts(parts: Sequence[tuple[str, Span]]) -> str:
    """Join the parts of an answer, given as pairs of name and text; each has its name above it if it has one."""
    if len(parts) == 1:
        return parts[0][1].text
    return "\n\n".join(f"{name}\n{span.text}".strip() for name, span in parts)
