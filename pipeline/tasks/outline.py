"""Ask for the headings directly below another, in order."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.passages.passages import Passages, is_telling_heading
from pipeline.records import Example, Section
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task

NAME, VERSION = "outline", "outline-2"
MIN_PARTS, MAX_PARTS = 3, 12
NUMBER = re.compile(r"(?:(?:Item|Note|Chapter|Section|Part|Appendix)\s+)?(?:[A-Z\d]+\.)*(\d+)\b", re.IGNORECASE)
WORDINGS = (
    "Which headings stand directly under “{heading}”? List them in their order.",
    "Into which parts is “{heading}” divided? Name their headings, first to last.",
    "List the headings one level below “{heading}” as they follow each other.",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each heading with three to twelve distinct ones directly below it."""
    passages = documents[0]
    names = Counter(section.path[-1] for section in passages.document.sections)
    for section, parts in sections_with_parts(passages.document.sections):
        titles = [part.path[-1] for part in parts]
        is_plain = all(map(is_telling_heading, [section.path[-1], *titles])) and are_numbered_alike(titles)
        if names[section.path[-1]] != 1 or len(set(titles)) != len(titles) or not is_plain:
            continue
        question = choose(WORDINGS, section.path[-1]).format(heading=section.path[-1])
        answer = "; ".join(f"“{title}”" for title in titles) + "."
        evidence = [(passages, passages.heading_line(part)) for part in (section, *parts)]
        yield build_example(documents, NAME, VERSION, question, answer, evidence)


def are_numbered_alike(titles: Sequence[str]) -> bool:
    """Say whether all headings have the next number each, or none has one; else one was lost, or is no heading."""
    numbers = [NUMBER.match(title) for title in titles]
    found = [int(number[1]) for number in numbers if number]
    return not found or (len(found) == len(titles) and found == list(range(found[0], found[0] + len(found))))


def sections_with_parts(sections: Sequence[Section]) -> Iterator[tuple[Section, list[Section]]]:
    """Yield each section with three to twelve direct subsections, and these."""
    for number, section in enumerate(sections):
        parts = []
        for other in sections[number + 1 :]:
            if other.start >= section.end:
                break
            if other.path[:-1] == section.path:
                parts.append(other)
        if MIN_PARTS <= len(parts) <= MAX_PARTS:
            yield section, parts


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("book", "paper", "report", "statement"),
    candidates=candidates,
    num_quotes=(MIN_PARTS, MAX_PARTS + 1),
    quotes_may_repeat=True,  # a table of contents has every heading once more
)
