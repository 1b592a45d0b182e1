"""Recognise questions that were asked before in the same or nearly the same words."""

import re
from collections import defaultdict

from rapidfuzz import fuzz

from pipeline.checks.citations import REQUEST, without_citations
from pipeline.records import Example

MIN_SIMILARITY = 88.0  # of rapidfuzz's token_set_ratio, out of 100
WORD = re.compile(r"\w+")
QUOTED = re.compile(r"“[^”]*”")


class AskedQuestions:
    """The questions asked so far about each set of documents.

    Two questions are the same if their words are, or if they are similar, quote the same words and have one answer.
    Similarity alone is not enough: two questions of a template differ in one word and mean different things.
    """

    def __init__(self) -> None:
        """Start without questions."""
        self._by_words: dict[tuple[tuple[str, ...], str], str] = {}
        self._by_answer: dict[tuple[tuple[str, ...], str], list[tuple[str, Example]]] = defaultdict(list)

    def add(self, example: Example) -> str:
        """Return the id of the earlier example with the same question, '' if there is none; then remember this one."""
        words = " ".join(WORD.findall(example.question.removesuffix(REQUEST).casefold()))
        answer = " ".join(WORD.findall(without_citations(example.answer).casefold()))
        by_words, by_answer = (example.doc_ids, words), (example.doc_ids, answer)
        if by_words in self._by_words:
            return self._by_words[by_words]
        for other_words, other in self._by_answer[by_answer]:
            is_similar = fuzz.token_set_ratio(words, other_words) >= MIN_SIMILARITY
            if is_similar and QUOTED.findall(example.question) == QUOTED.findall(other.question):
                return other.example_id
        self._by_words[by_words] = example.example_id
        self._by_answer[by_answer].append((words, example))
        return ""
