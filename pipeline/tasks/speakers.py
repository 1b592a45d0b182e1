"""List the characters who speak in a chapter of a book, in the order in which each first does."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.passages.passages import Passages, is_telling_heading
from pipeline.passages.spans import Span
from pipeline.records import Example, Section
from pipeline.tasks.build import build_example, choose, number_word
from pipeline.tasks.speech import NOT_NAMES, PERSON, VERBS
from pipeline.tasks.task import Task

NAME, VERSION = "speakers", "speakers-1"
MIN_SPEAKERS, MAX_SPEAKERS = 2, 8
ANY_VERB = rf"(?:{VERBS}|began|went on|continued|[a-z]+ed)"
ATTRIBUTION = re.compile(
    rf"[“\"][^“”\"]{{2,300}}[”\"],? ?(?:{ANY_VERB} (?P<after>{PERSON})|(?P<before>{PERSON}) (?:{VERBS})\b)(?![\w-])"
)
BEAT = re.compile(rf"(?<!\w)(?P<name>{PERSON}) [^“”\"\n]{{1,60}}[.:] [“\"]")  # 'Torvin took a seat. “I did not …'
WORDINGS = (
    "Which characters are named as speakers in “{chapter}”? List them in the order in which each first speaks.",
    "In “{chapter}”, whose words are marked with the speaker’s name? Count and list them, in the order of their first.",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each chapter with two to eight named speakers, none of whom has two names."""
    passages = documents[0]
    names = Counter(section.path[-1] for section in passages.document.sections)
    for section in passages.document.sections:
        if names[section.path[-1]] == 1 and is_telling_heading(section.path[-1]) and is_innermost(passages, section):
            firsts = find_speakers(passages.document.text, section)
            if MIN_SPEAKERS <= len(firsts) <= MAX_SPEAKERS:
                yield list_speakers(documents, section, firsts)


def is_innermost(passages: Passages, section: Section) -> bool:
    """Say whether a section has no other below it."""
    return not any(section.start < other.start < section.end for other in passages.document.sections)


def find_speakers(text: str, section: Section) -> dict[str, Span]:
    """Return the first attributed speech of each speaker of a section; none if it is not clear who they all are.

    That is so if a name is part of another's, or if someone else does something just before words without a speaker.
    """
    firsts: dict[str, Span] = {}
    for match in ATTRIBUTION.finditer(text, section.start, section.end):
        name = match["after"] or match["before"]
        if not NOT_NAMES.match(name):
            firsts.setdefault(name[0].upper() + name[1:], Span(match.start(), match.end(), match[0]))
    words = Counter(word for name in firsts for word in name.split() if word[0].isupper() and word[-1] != ".")
    others = {match["name"] for match in BEAT.finditer(text, section.start, section.end)} - firsts.keys()
    is_clear = max(words.values(), default=1) == 1 and all(map(NOT_NAMES.match, others))
    return firsts if is_clear else {}


def list_speakers(documents: Sequence[Passages], section: Section, firsts: dict[str, Span]) -> Example:
    """Return the question about the speakers of one chapter."""
    passages = documents[0]
    question = choose(WORDINGS, section.path[-1]).format(chapter=section.path[-1])
    answer = f"There are {number_word(len(firsts))}: {', '.join(firsts)}."
    evidence = [(passages, span) for span in (passages.heading_line(section), *firsts.values())]
    return build_example(documents, NAME, VERSION, question, answer, evidence)


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("book",),
    candidates=candidates,
    num_quotes=(MIN_SPEAKERS + 1, MAX_SPEAKERS + 1),
    quotes_may_repeat=True,  # a table of contents has every heading once more
)
