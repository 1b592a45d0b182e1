"""Tell questions that were asked before, in the same words or nearly so."""

import re
from collections import defaultdict

from rapidfuzz import fuzz

from pipeline.checks.citations import REQUEST, without_citations
from pipeline.records import Example

MIN_LIKENESS = 88.0  # of rapidfuzz's token_set_ratio, out of 100
WORD = re.compile(r"\w+")
QUOTED = re.compile(r"“[^”]*”")


class Asked:
    """The questions that were asked of each set of documents.

    Two questions are one if their words are the same, or if they are alike, quote the same words and have one answer:
    questions from a template differ in a single word and mean another thing.
    """

    def __init__(self) -> None:
        """Begin with no question."""
        self._same: dict[tuple[tuple[str, ...], str], str] = {}
        self._alike: dict[tuple[tuple[str, ...], str], list[tuple[str, Example]]] = defaultdict(list)

    def add(self, example: Example) -> str:
        """Return the id of the example whose question this one asks again; keep it if there is none."""
        words = " ".join(WORD.findall(example.question.removesuffix(REQUEST).casefold()))
        answer = " ".join(WORD.findall(without_citations(example.answer).casefold()))
        same, alike = (example.doc_ids, words), (example.doc_ids, answer)
        if same in self._same:
            return self._same[same]
        for other_words, other in self._alike[alike]:
            is_alike = fuzz.token_set_ratio(words, other_words) >= MIN_LIKENESS
            if is_alike and QUOTED.findall(example.question) == QUOTED.findall(other.question):
                return other.example_id
        self._same[same] = example.example_id
        self._alike[alike].append((words, example))
        return ""
