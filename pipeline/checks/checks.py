"""What an example must pass before it enters the dataset: pure functions, one fault each.

A check returns why an example is refused, or ''. It looks at the example and its documents alone.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from pipeline.checks.arithmetic import CONSTANTS, equations_of
from pipeline.checks.citations import MARK, citations_of, without_citations
from pipeline.checks.common_words import COMMON
from pipeline.checks.prompt_injection import canaries, injections
from pipeline.curation.language_id import detector
from pipeline.records import Document, Example
from pipeline.tasks.task import Task, all_tasks

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
NAME = re.compile(r"(?<![\w’'-])[A-Z][a-z]{2,}(?![\w-])")
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


@dataclass(frozen=True)
class Bounds:
    """What the checks take from params.yaml."""

    max_question_characters: int
    max_answer_characters: int


Check = Callable[[Example, Mapping[str, Document], Bounds], str]


def task_of(example: Example) -> Task:
    """Return the task of an example; one that this version does not know has no rules of its own."""
    return all_tasks().get(example.task, Task(example.task, "", ()))


def lengths_are_sensible(example: Example, documents: Mapping[str, Document], bounds: Bounds) -> str:
    """Neither question nor answer is empty or longer than params.yaml allows."""
    for name, words, limit in (
        ("question", example.question, bounds.max_question_characters),
        ("answer", example.answer, bounds.max_answer_characters),
    ):
        if not words.strip():
            return f"empty {name}"
        if len(words) > limit:
            return f"long {name}: more than {limit} characters"
    return ""


def evidence_is_verbatim(example: Example, documents: Mapping[str, Document], bounds: Bounds) -> str:
    """Each quote stands in its document where it is said to stand, and there is at least one.

    A quote is from a document that the prompt shows, or from the reviews of one.
    """
    if not example.evidence:
        return "no evidence"
    groups = {documents[doc_id].group for doc_id in example.doc_ids} - {""}
    for span in example.evidence:
        document = documents.get(span.doc_id)
        is_review = document is not None and document.category == "review" and document.group in groups
        if document is None or not (span.doc_id in example.doc_ids or is_review):
            return f"evidence from another document: {span.doc_id[:16]}"
        if not 0 <= span.start < span.end or document.text[span.start : span.end] != span.quote:
            return f"quote not in its place: characters {span.start} to {span.end}"
    return ""


def evidence_is_enough(example: Example, documents: Mapping[str, Document], bounds: Bounds) -> str:
    """There are as many quotes as the task wants, and of each document that the prompt shows at least one."""
    least = task_of(example).num_quotes[0]
    if len({(span.doc_id, span.start) for span in example.evidence}) < least:
        return f"little evidence: {len(example.evidence)} quotes, {least} wanted"
    quoted = {span.doc_id for span in example.evidence}
    missing = [doc_id for doc_id in example.doc_ids if doc_id not in quoted]
    return f"little evidence: none from {len(missing)} of its documents" if missing else ""


def arithmetic_holds(example: Example, documents: Mapping[str, Document], bounds: Bounds) -> str:
    """Every equation of the answer comes out as it says."""
    wrong = next((equation for equation in equations_of(example.answer) if not equation.holds), None)
    return f"wrong arithmetic: {wrong.words}" if wrong else ""


def carried_by(example: Example, about: Iterable[str] = ()) -> str:
    """Return all words that an answer may take numbers and names from: evidence, question, and what else is named."""
    return " ".join([*(span.quote for span in example.evidence), example.question, *about])


def names_of(example: Example, documents: Mapping[str, Document]) -> list[str]:
    """Return what the documents of an example are called: titles, and who reports what a report or statement says."""
    shown = [documents[doc_id] for doc_id in example.doc_ids]
    filed = [document for document in shown if document.category in ("report", "statement")]
    return [*(document.title for document in shown), *(author for document in filed for author in document.authors)]


def years_of(example: Example, documents: Mapping[str, Document]) -> list[str]:
    """Return the years by which an answer tells documents apart: in titles of several, in dates of a series."""
    shown = [documents[doc_id] for doc_id in example.doc_ids]
    titles = [document.title for document in shown] if len(shown) > 1 else []
    return [*titles, *(document.date[:4] for document in shown if len(shown) > 2)]


def numbers_are_in_evidence(example: Example, documents: Mapping[str, Document], bounds: Bounds) -> str:
    """Each number of the answer stands in the evidence, or comes from such numbers by stated arithmetic."""
    known = {number_of(digits) for digits in NUMBER.findall(carried_by(example, years_of(example, documents)))}
    answer = without_citations(example.answer)
    for equation in equations_of(answer):
        terms = Decimal(len(equation.operands) - 1)  # an average is divided by how many it is of
        if all(operand in known or operand in CONSTANTS or operand == terms for operand in equation.operands):
            known |= {equation.result, abs(equation.result), *CONSTANTS}
    missing = next((digits for digits in NUMBER.findall(answer) if number_of(digits) not in known), None)
    return f"number not in evidence: {missing}" if missing else ""


def number_of(digits: str) -> Decimal:
    """Return the value of a number as it is printed."""
    return Decimal(digits.replace(",", "").rstrip("."))


def names_are_in_evidence(example: Example, documents: Mapping[str, Document], bounds: Bounds) -> str:
    """Each name of the answer stands in the evidence, in the question or in a title.

    A capital within a sentence makes a name. At the start of one, a word is a name unless it is a common one, or the
    documents write it small.
    """
    carried = carried_by(example, names_of(example, documents))
    for sentence in re.split(r"(?<=[.!?:;])\s+|\n+", without_citations(example.answer)):
        for match in NAME.finditer(sentence):
            word = match[0]
            if word in carried or re.search(rf"\b{word}\b", carried, re.IGNORECASE):
                continue
            is_first = not re.search(r"\w", sentence[: match.start()])
            if is_first and (word.lower() in COMMON or written_small(word, example, documents)):
                continue
            return f"name not in evidence: {word}"
    return ""


def written_small(word: str, example: Example, documents: Mapping[str, Document]) -> bool:
    """Say whether a document of an example has a word in small letters."""
    return any(word.lower() in small_words(documents[doc_id].text) for doc_id in example.doc_ids)


@lru_cache(maxsize=64)
def small_words(text: str) -> frozenset[str]:
    """Return the words that a text has without a capital."""
    return frozenset(re.findall(r"(?<![\w’'-])[a-z]{3,}(?![\w-])", text))


@lru_cache(maxsize=64)
def flat(text: str) -> str:
    """Return a text with every stretch of white space as one space."""
    return " ".join(text.split())


def citations_are_in_evidence(example: Example, documents: Mapping[str, Document], bounds: Bounds) -> str:
    """An answer that cites has the words of each citation below it, and these are evidence."""
    listed = citations_of(example.answer)
    if not listed:
        return ""
    quotes = [" ".join(span.quote.split()) for span in example.evidence]
    for number, words in listed.items():
        if not any(words in quote for quote in quotes):
            return f"citation not in evidence: [{number}]"
    missing = set(MARK.findall(example.answer.split("\n\n")[0])) - set(listed)
    return f"citation without words: [{min(missing)}]" if missing else ""


def question_is_answerable_once(example: Example, documents: Mapping[str, Document], bounds: Bounds) -> str:
    """The words that a question quotes stand in its documents once, so that it has one answer."""
    if task_of(example).quotes_may_repeat:
        return ""
    for words in QUOTED.findall(example.question):
        longest = max(words.split(GAP), key=len).strip()
        times = sum(flat(documents[doc_id].text).count(longest) for doc_id in example.doc_ids)
        if times != 1:
            return f"ambiguous: the quoted words stand in the document {times} times"
    return ""


def is_free_of_chatter(example: Example, documents: Mapping[str, Document], bounds: Bounds) -> str:
    """Neither question nor answer speaks of the one who wrote it, refuses, or talks about 'the provided text'."""
    for words in (example.question, without_citations(example.answer)):
        match = CHATTER.search(words)
        if match and not any(match[0] in span.quote for span in example.evidence):
            return f"chatter: {match[0]}"
    return ""


def language_is_the_documents(example: Example, documents: Mapping[str, Document], bounds: Bounds) -> str:
    """The answer is in the language of its first document, as far as either is known."""
    wanted = documents[example.doc_ids[0]].language
    prose = " ".join(re.findall(r"[^\W\d_]{2,}", without_citations(example.answer)))
    if not wanted or len(prose) < MIN_LANGUAGE_CHARACTERS:
        return ""
    found = detector().detect(prose[:MAX_LANGUAGE_CHARACTERS].lower(), k=1)[0]
    is_other = found["lang"] != wanted and found["score"] >= MIN_LANGUAGE_SCORE
    return f"wrong language: {found['lang']}, the document is in {wanted}" if is_other else ""


def no_order_to_a_model_was_followed(example: Example, documents: Mapping[str, Document], bounds: Bounds) -> str:
    """The answer has none of the conspicuous words of such orders, and no quote is one."""
    for doc_id in {*example.doc_ids, *(span.doc_id for span in example.evidence)}:
        document = documents[doc_id]
        word = next((word for word in sorted(words_of_orders(document.text)) if word in example.answer), "")
        if word:
            return f"injection: the answer has {word} of an order to a model"
        spans = [span for span in example.evidence if span.doc_id == doc_id]
        if any(start < span.end and span.start < end for span in spans for start, end in orders(document.text)):
            return "injection: evidence is an order to a model"
    return ""


@lru_cache(maxsize=64)
def words_of_orders(text: str) -> frozenset[str]:
    """Return the canaries of a text."""
    return frozenset(canaries(text))


@lru_cache(maxsize=64)
def orders(text: str) -> tuple[tuple[int, int], ...]:
    """Return where a text gives orders to a model."""
    return tuple(injections(text))


def task_finds_it_sound(example: Example, documents: Mapping[str, Document], bounds: Bounds) -> str:
    """The task's own rule holds."""
    return task_of(example).sound(example, documents)


CHECKS: tuple[Check, ...] = (
    lengths_are_sensible,
    evidence_is_verbatim,
    evidence_is_enough,
    is_free_of_chatter,
    no_order_to_a_model_was_followed,
    arithmetic_holds,
    numbers_are_in_evidence,
    names_are_in_evidence,
    citations_are_in_evidence,
    question_is_answerable_once,
    language_is_the_documents,
    task_finds_it_sound,
)
