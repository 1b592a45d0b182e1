"""What people wrote about a paper: its reviews as the reader of discussions prints them, and what they speak of in it.

A reviewer rarely quotes. What a remark speaks of is found by the rare words that it shares with a sentence of the
paper, or by the section, table or figure that it names; a remark about nothing that can be found has no evidence, and
is not used.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log

import nupunkt

from pipeline.passages.passages import Passages, Span, trimmed
from pipeline.passages.review_rules import ReviewRules
from pipeline.records import Document

NAMED = re.compile(r"\b(Section|Sec\.|Table|Tab\.|Figure|Fig\.|Appendix|Theorem|Algorithm)\s*(\d+(?:\.\d+)*|[A-Z]\b)")
LONG_NAMES = {"Sec.": "Section", "Tab.": "Table", "Fig.": "Figure"}
WORD = re.compile(r"[^\W\d_]{4,}")
HEADING_LINE = re.compile(r"^#+ .*\n+", re.MULTILINE)
MIN_SHARED, MIN_OVERLAP = 3, 0.4  # words that a remark and a sentence share, and their share of the remark's weight
MIN_WORDS = 6  # of a sentence that can be spoken of
LEADING_NUMBER = re.compile(r"\s*(\d+(?:\.\d+)?)")
FOR, AGAINST = (
    re.compile(r"\baccept|\babove\b", re.IGNORECASE),
    re.compile(r"\breject|\bbelow\b|not accept", re.IGNORECASE),
)


@dataclass(frozen=True)
class Written:
    """One review, response, meta-review or decision: its fields by their headings, in their order."""

    heading: str
    fields: tuple[tuple[str, Span], ...]

    def get(self, *names: str) -> Span | None:
        """Return the first of several fields that there is."""
        found = dict(self.fields)
        return next((found[name] for name in names if name in found), None)


class Discussion:
    """The reviews of a paper."""

    def __init__(self, document: Document) -> None:
        """Take the document that the reader of discussions made."""
        self.document = document
        venue = re.search(r"^Venue: (.+)$", document.text[:1_000], re.MULTILINE)
        self.venue = venue[1] if venue else ""

    @cached_property
    def written(self) -> list[Written]:
        """All that was written, in the order of the page."""
        found: dict[int, tuple[str, list[tuple[str, Span]]]] = {}
        start = -1
        for section in self.document.sections:
            if len(section.path) == 2:
                start = section.start
                found[start] = (section.path[1], [])
            elif len(section.path) == 3 and start in found:
                found[start][1].append(
                    (section.path[2].lower(), body_of(self.document.text, section.start, section.end))
                )
        return [Written(heading, tuple(fields)) for heading, fields in found.values()]

    def of_kind(self, kind: str) -> list[Written]:
        """Return what stands under headings that begin in some way: 'Review', 'Meta-review', 'Decision'."""
        return [each for each in self.written if re.fullmatch(rf"{kind}(?: \d+)?", each.heading)]

    def responses_to(self, review: Written) -> list[Written]:
        """Return what the authors replied to a review."""
        number = review.heading.rpartition(" ")[2]
        return [each for each in self.written if each.heading == f"Author response to review {number}"]

    def is_accepted(self) -> bool | None:
        """Say what was decided, None where nothing is known."""
        for decision in self.of_kind("Decision"):
            if span := decision.get("decision"):
                return "accept" in span.text.lower() and "not accept" not in span.text.lower()
        return None

    def good(self, rules: ReviewRules) -> list[Written]:
        """Return the reviews that keep to the rules, the most confident and then the longest first."""
        kept = [review for review in self.of_kind("Review") if self.keeps(review, rules)]
        return sorted(
            kept, key=lambda review: (-(number_in(review, "confidence") or 0), -length_of(review), review.heading)
        )

    def keeps(self, review: Written, rules: ReviewRules) -> bool:
        """Say whether a review keeps to the rules."""
        confidence = number_in(review, "confidence")
        if confidence is not None and confidence < rules.min_confidence:
            return False
        decided, leaning = self.is_accepted(), leaning_of(review, rules.accept_rating)
        return not rules.agreeing or decided is None or leaning is None or decided == leaning


def body_of(text: str, start: int, end: int) -> Span:
    """Return what stands below a heading."""
    heading = HEADING_LINE.match(text, start)
    return trimmed(text, heading.end() if heading else start, end)


def number_in(review: Written, field: str) -> float | None:
    """Return the number that a field begins with, None where there is none."""
    span = review.get(field)
    found = LEADING_NUMBER.match(span.text) if span else None
    return float(found[1]) if found else None


def length_of(review: Written) -> int:
    """Return the words of a review."""
    return sum(len(span.text.split()) for _, span in review.fields)


def leaning_of(review: Written, accept_rating: int) -> bool | None:
    """Say whether a rating is for acceptance: by its words, else by its number; None where there is no rating."""
    span = review.get("rating", "recommendation", "overall recommendation")
    if span is None:
        return None
    if AGAINST.search(span.text):
        return False
    if FOR.search(span.text):
        return True
    number = number_in(review, "rating")
    return None if number is None else number >= accept_rating


class Spoken:
    """Finds in a paper what a remark speaks of."""

    def __init__(self, paper: Passages) -> None:
        """Take the paper; nothing is parsed before it is asked for."""
        self._paper = paper

    @cached_property
    def _sentences(self) -> list[tuple[Span, frozenset[str]]]:
        """Every sentence that can be spoken of, with its words."""
        spans = [sentence for paragraph in self._paper.paragraphs for sentence in paragraph]
        return [(span, stems_of(span.text)) for span in spans if len(span.text.split()) >= MIN_WORDS]

    @cached_property
    def _weights(self) -> dict[str, float]:
        """What each word of the paper says: the rarer, the more."""
        counts = Counter(word for _, words in self._sentences for word in words)
        return {word: log((1 + len(self._sentences)) / count) for word, count in counts.items()}

    def passages(self, remarks: str, most: int) -> list[Span]:
        """Return the passages that remarks speak of, those that are surest first; each remark has one."""
        found: dict[Span, float] = {}
        for start, end in nupunkt.sent_spans(remarks):
            for span, score in self.of(remarks[start:end]):
                found[span] = max(score, found.get(span, 0.0))
        return sorted(found, key=lambda span: (-found[span], span.start))[:most]

    def of(self, remark: str) -> Iterator[tuple[Span, float]]:
        """Yield what one remark names, and the sentence that it shares most with, each with how sure that is."""
        yield from ((span, 1.0) for span in self.named(remark))
        words = stems_of(remark) & self._weights.keys()
        whole = sum(self._weights[word] for word in words)
        best: tuple[float, Span] | None = None
        for span, own in self._sentences:
            shared = words & own
            if len(shared) >= MIN_SHARED:
                score = sum(sorted(self._weights[word] for word in shared)) / whole
                if score >= MIN_OVERLAP and (best is None or score > best[0]):
                    best = score, span
        if best:
            yield best[1], best[0]

    def named(self, remark: str) -> Iterator[Span]:
        """Yield the headings and captions of the parts that a remark names."""
        text = self._paper.document.text
        for kind, number in NAMED.findall(remark):
            name = LONG_NAMES.get(kind, kind)
            if name == "Section":
                pattern = rf"^#+ {re.escape(number)}[. ].+$"
            else:
                pattern = rf"^(?:#+ |\*\*)?{name} {re.escape(number)}\b.{{12,}}$"
            if match := re.search(pattern, text, re.MULTILINE):
                yield trimmed(text, match.start(), match.end())


def stems_of(text: str) -> frozenset[str]:
    """Return the words of a text in small letters, without the endings that differ between speakers."""
    return frozenset(re.sub(r"(?:ies|es|s|ed|ing|ly)$", "", word.lower()) for word in WORD.findall(text))


def joined(parts: Sequence[tuple[str, Span]]) -> str:
    """Return an answer of several parts, each under its name if it has one."""
    if len(parts) == 1:
        return parts[0][1].text
    return "\n\n".join(f"{name}\n{span.text}".strip() for name, span in parts)
