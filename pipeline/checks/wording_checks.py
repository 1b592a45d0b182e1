"""Checks on the words of a question and an answer: their length, language and tone, and whether one answer is right."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache

from pipeline.checks.citations import without_citations
from pipeline.checks.finding import Finding, fault, is_by_model
from pipeline.curation.language_id import detect_language, detector
from pipeline.records import Document, Example
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
SPEAKS_OF_ITSELF = re.compile(  # what only someone who looks at the quotes would say
    r"\b(?:according to|as|in|from) the (?:passages?|quotes?|excerpts?|snippets?|context|evidence)\b"
    r"|\baccording to the text\b|\bas the text\b"
    r"|\bthe (?:passages?|quotes?|excerpts?|snippets?|evidence)\s+(?:also |then |itself )?"
    r"(?:says?|states?|mentions?|tells?|shows?|notes?|describes?|explains?|indicates?|suggests?|provides?|gives?|do)\b"
    r"|\bdoes the (?:passage|quote|excerpt|snippet|evidence)\b"
    r"|\bthe text (?:says|states|mentions|tells|notes|explains)\b"
    r"|\b(?:this|these|the following|the above|the first|the second) (?:passages?|quotes?|excerpts?|snippets?)\b",
    re.IGNORECASE,
)
MIN_SCRIPT_LETTERS = 8  # of an answer, to tell its script
MAX_SCRIPT_CHARACTERS = 20_000
MIN_LANGUAGE_CHARACTERS = 60  # of prose; the language of less is a guess
MAX_LANGUAGE_CHARACTERS = 600
MIN_LANGUAGE_SCORE = 0.6


def lengths_are_sensible(
    example: Example, *, max_question_characters: int, max_answer_characters: int
) -> Iterator[Finding]:
    """Refuse an empty or too long question or answer."""
    for name, words, limit in (
        ("question", example.question, max_question_characters),
        ("answer", example.answer, max_answer_characters),
    ):
        if not words.strip():
            yield fault(f"empty {name}")
        if len(words) > limit:
            yield fault(f"long {name}", f"more than {limit} characters")


def is_free_of_chatter(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse words of a chatbot: 'as an AI', 'the provided text'; and of a model, 'the passage says'."""
    patterns = (CHATTER, SPEAKS_OF_ITSELF) if is_by_model(example) else (CHATTER,)
    for words in (example.question, without_citations(example.answer)):
        for match in filter(None, (pattern.search(words) for pattern in patterns)):
            if not any(match[0] in span.quote for span in example.evidence):
                yield fault("chatter", match[0])


def question_is_answerable_once(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse a question that quotes words which occur in its documents more than once or never."""
    if get_task(example.task).quotes_may_repeat:
        return
    for words in QUOTED.findall(example.question):
        longest = max(words.split(GAP), key=len).strip()
        times = sum(collapse_white_space(documents[doc_id].text).count(longest) for doc_id in example.doc_ids)
        if times != 1:
            yield fault("ambiguous", f"the quoted words are in the document {times} times")


@lru_cache(maxsize=64)
def collapse_white_space(text: str) -> str:
    """Return a text with all white space collapsed to single spaces."""
    return " ".join(text.split())


def language_is_the_documents(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse a question or an answer in another language or script than its first document's.

    Where the record of the document does not name its language, that of its text is found.
    """
    document = documents[example.doc_ids[0]]
    answer = without_citations(example.answer)
    if is_by_model(example):
        scripts = {find_script(words) for words in (example.question, answer)} - {""}
        own = find_script(document.text[:MAX_SCRIPT_CHARACTERS])
        if own and scripts - {own}:
            yield fault("wrong language", f"{min(scripts - {own})} letters, the document has {own} ones")
            return
    expected = document.language or (find_language(document.text) if is_by_model(example) else "")
    for words in (answer, example.question) if is_by_model(example) else (answer,):
        prose = " ".join(re.findall(r"[^\W\d_]{2,}", words))
        if not expected or len(prose) < MIN_LANGUAGE_CHARACTERS:
            continue
        found = detector().detect(prose[:MAX_LANGUAGE_CHARACTERS].lower(), k=1)[0]
        if found["lang"] != expected and found["score"] >= MIN_LANGUAGE_SCORE:
            yield fault("wrong language", f"{found['lang']}, the document is in {expected}")
            return


@lru_cache(maxsize=64)
def find_language(text: str) -> str:
    """Return the language of a text; kept, since many examples share a document."""
    return detect_language(text)


def find_script(words: str) -> str:
    """Return the script of most letters, like 'LATIN' or 'CJK', '' if there are few."""
    letters = [character for character in words if character.isalpha()]
    if len(letters) < MIN_SCRIPT_LETTERS:
        return ""
    scripts = Counter(unicodedata.name(letter, "NONE").split()[0] for letter in letters)
    name, times = scripts.most_common(1)[0]
    return name if times > len(letters) / 2 else ""
