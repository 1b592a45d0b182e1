"""Checks on the words of a question and an answer: their length, language and tone, and whether one answer is right."""

import re
from collections.abc import Mapping
from functools import lru_cache

from pipeline.checks.citations import without_citations
from pipeline.curation.language_id import detector
from pipeline.records import Document, Example
from pipeline.rejections import Reason
from pipeline.tasks.task import get_task

QUOTED = re.compile(r"“([^”]{12,})”")
GAP = "____"
CHATTER = re.compile(
    r"\bas an? (?:AI|artificial intelligence|(?:large )?language model)\b|\bI(?:'m| am) (?:sorry|unable|not able)\b"
    r"|\bI (?:cannot|can't|can not) (?:answer|help|assist|provide|determine|access)\b|\bmy training data\b"
    r"|\b(?:provided|given|above) (?:text|document|context|passage|excerpt)\b"
    r"|^(?:sure|certainly|of course|great question)\b",
    re.IGNORECASE,
)
MIN_LANGUAGE_CHARACTERS = 60  # of prose; the language of less is a guess
MAX_LANGUAGE_CHARACTERS = 600
MIN_LANGUAGE_SCORE = 0.6


def lengths_are_sensible(
    example: Example, *, max_question_characters: int, max_answer_characters: int
) -> Reason | None:
    """Refuse an empty or too long question or answer."""
    for name, words, limit in (
        ("question", example.question, max_question_characters),
        ("answer", example.answer, max_answer_characters),
    ):
        if not words.strip():
            return Reason(f"empty {name}")
        if len(words) > limit:
            return Reason(f"long {name}", f"more than {limit} characters")
    return None


def is_free_of_chatter(example: Example, documents: Mapping[str, Document]) -> Reason | None:
    """Refuse words of a chatbot: 'as an AI', 'I cannot answer', 'the provided text'."""
    for words in (example.question, without_citations(example.answer)):
        match = CHATTER.search(words)
        if match and not any(match[0] in span.quote for span in example.evidence):
            return Reason("chatter", match[0])
    return None


def question_is_answerable_once(example: Example, documents: Mapping[str, Document]) -> Reason | None:
    """Refuse a question that quotes words which occur in its documents more than once or never."""
    if get_task(example.task).quotes_may_repeat:
        return None
    for words in QUOTED.findall(example.question):
        longest = max(words.split(GAP), key=len).strip()
        times = sum(collapse_white_space(documents[doc_id].text).count(longest) for doc_id in example.doc_ids)
        if times != 1:
            return Reason("ambiguous", f"the quoted words are in the document {times} times")
    return None


@lru_cache(maxsize=64)
def collapse_white_space(text: str) -> str:
    """Return a text with all white space collapsed to single spaces."""
    return " ".join(text.split())


def language_is_the_documents(example: Example, documents: Mapping[str, Document]) -> Reason | None:
    """Refuse an answer in another language than its first document's, if both are known."""
    expected = documents[example.doc_ids[0]].language
    prose = " ".join(re.findall(r"[^\W\d_]{2,}", without_citations(example.answer)))
    if not expected or len(prose) < MIN_LANGUAGE_CHARACTERS:
        return None
    found = detector().detect(prose[:MAX_LANGUAGE_CHARACTERS].lower(), k=1)[0]
    is_other = found["lang"] != expected and found["score"] >= MIN_LANGUAGE_SCORE
    return Reason("wrong language", f"{found['lang']}, the document is in {expected}") if is_other else None
