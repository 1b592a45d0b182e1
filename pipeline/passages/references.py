"""Which section refers the reader to which other: 'see Note 5' leads to 'NOTE 5: HEDGING'."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.passages.passages import Passages, is_telling_heading
from pipeline.passages.spans import Span
from pipeline.records import Section

MAX_SECTIONS = 5  # of a path
NUMBER = r"\d+(?:\.\d+)*|[A-Z](?:\.\d+)+"
REFERENCE = re.compile(rf"\b(?:Sections?|Chapters?|Notes?|Appendix|Annex|Item)\s+(?P<number>{NUMBER}|[A-Z]\b)")
HEADING_NUMBER = re.compile(
    rf"(?:(?P<kind>section|chapter|note|appendix|annex|item)\s+)?(?P<number>{NUMBER}|[A-Z](?=\.? ))", re.IGNORECASE
)


@dataclass(frozen=True)
class Link:
    """A reference: the sentence with it, where it leads, and where what that heading is about ends."""

    sentence: Span
    target: Section
    end: int  # a note goes on to the next note, whatever the levels of the headings within it


def find_links(passages: Passages) -> dict[Section, Link]:
    """Return the reference of each section whose text, up to the next heading, refers to one other section alone."""
    sections = passages.document.sections
    targets = number_sections(sections)
    names = Counter(section.path[-1] for section in sections)
    starts = [*sorted({section.start for section in sections}), len(passages.document.text)]
    following = dict(pairwise(starts))
    found = {}
    for section in sections:
        heading = passages.heading_line(section)
        text = passages.document.text[heading.end : following[section.start]]
        numbers = {match["number"] for match in REFERENCE.finditer(text)}
        target, end = targets.get(min(numbers, default=""), (section, 0))
        if len(numbers) == 1 and target != section and names[section.path[-1]] == names[target.path[-1]] == 1:
            sentence = find_sentence(passages, heading.end, following[section.start])
            if sentence:
                found[section] = Link(sentence, target, end)
    return found


def number_sections(sections: Sequence[Section]) -> dict[str, tuple[Section, int]]:
    """Return the sections by the number in their heading, each with its end; numbers that occur twice are left out."""
    numbered = [(match, s) for s in sections if (match := HEADING_NUMBER.match(s.path[-1]))]
    times = Counter(match["number"] for match, _ in numbered)
    found = {}
    for index, (match, section) in enumerate(numbered):
        kind = (match["kind"] or "").lower()
        after = [other.start for m, other in numbered[index + 1 :] if kind and (m["kind"] or "").lower() == kind]
        if times[match["number"]] == 1 and is_telling_heading(section.path[-1]):
            found[match["number"]] = (section, max([section.end, *after[:1]]))
    return found


def find_sentence(passages: Passages, start: int, end: int) -> Span | None:
    """Return the first sentence of a range that has a reference, None if only a table or a list has one."""
    inside = (sentence for sentence in passages.sentences if start <= sentence.start < end)
    return next((sentence for sentence in inside if REFERENCE.search(sentence.text)), None)


def follow_links(start: Section, links: dict[Section, Link]) -> list[Section]:
    """Return the sections from one on along the links, up to five; none if they lead back."""
    path = [start]
    while path[-1] in links and len(path) < MAX_SECTIONS:
        link = links[path[-1]]
        if any(link.target.start <= section.start < link.end for section in path):
            return []
        path.append(link.target)
    return path
