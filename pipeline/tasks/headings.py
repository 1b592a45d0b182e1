"""List all headings of a document that have a word, wherever they are."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.passages.passages import CREDITS, Passages, is_telling_heading
from pipeline.records import Example, Section
from pipeline.tasks.build import build_example, choose, number_word
from pipeline.tasks.task import Task

NAME, VERSION = "headings", "headings-1"
MIN_FOUND, MAX_FOUND = 3, 8
WORD = re.compile(r"[^\W\d_]{5,}")
EMPTY = frozenset(re.findall(r"\w+", (
    "about after against among before between chapter during first from general introduction other section second "
    "summary third under using where which while without would their these those other others information related "
    "changes change additional certain defined following further making managing including through towards within "
    "being based general overview conclusion appendix results details available material matters items remarks "
    "various different several notes policy policies example examples number"
)))  # fmt: skip
WORDINGS = (
    "Which headings of the document have the word “{word}”? List them all in their order, and count them.",
    "How many headings contain the word “{word}”? Name each, from the first to the last.",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each word that three to eight headings have in different places, and not all of one part."""
    passages = documents[0]
    by_word: dict[str, list[Section]] = {}
    for section in passages.document.sections:
        if section.path[-1].casefold() == passages.document.title.casefold():
            continue
        for word in dict.fromkeys(
            word.lower() for word in WORD.findall(section.path[-1]) if word[-3:].lower() != "ing"
        ):
            by_word.setdefault(word, []).append(section)
    names = Counter(section.path[-1] for section in passages.document.sections)
    for word, sections in by_word.items():
        titles = [section.path[-1] for section in sections]
        are_plain = all(is_telling_heading(title) and not CREDITS.match(title) for title in titles)
        are_once = all(names[title] == 1 for title in titles)
        # A word of headings that are all below one and the same is the name of a pattern, as in 'Chapter 3'.
        are_apart = len({section.path[:-1] for section in sections}) > 1
        if MIN_FOUND <= len(titles) <= MAX_FOUND and word not in EMPTY and are_plain and are_once and are_apart:
            yield list_headings(documents, word, sections)


def list_headings(documents: Sequence[Passages], word: str, sections: Sequence[Section]) -> Example:
    """Return the question about the headings with a word."""
    passages = documents[0]
    question = choose(WORDINGS, f"{passages.document.doc_id}|{word}").format(word=word)
    listed = "; ".join(f"“{section.path[-1]}”" for section in sections)
    answer = f"There are {number_word(len(sections))}: {listed}."
    evidence = [(passages, passages.heading_line(section)) for section in sections]
    return build_example(documents, NAME, VERSION, question, answer, evidence)


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("book", "paper", "report", "statement"),
    candidates=candidates,
    num_quotes=(MIN_FOUND, MAX_FOUND),
    quotes_may_repeat=True,  # the word is in the text as well
)
