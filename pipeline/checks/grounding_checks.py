"""Checks that the numbers and names of an answer come from its evidence."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache

from pipeline.checks.arithmetic import CONSTANTS, NUMBER, find_equations, parse_number
from pipeline.checks.citations import without_citations
from pipeline.checks.common_words import COMMON
from pipeline.records import Document, Example
from pipeline.rejections import Reason

NAME = re.compile(r"(?<![\w’'-])[A-Z][a-z]{2,}(?![\w-])")


def arithmetic_holds(example: Example, documents: Mapping[str, Document]) -> Reason | None:
    """Refuse an answer with a wrong equation."""
    wrong = next((equation for equation in find_equations(example.answer) if not equation.holds), None)
    return Reason("wrong arithmetic", wrong.words) if wrong else None


def numbers_are_in_evidence(example: Example, documents: Mapping[str, Document]) -> Reason | None:
    """Refuse a number that neither the evidence nor a stated equation of such numbers gives."""
    source = join_sources(example, distinguishing_years(example, documents))
    known = {parse_number(digits) for digits in NUMBER.findall(source)}
    answer = without_citations(example.answer)
    for equation in find_equations(answer):
        num_terms = Decimal(len(equation.operands) - 1)  # of an average, as 3 in (2 + 4 + 6) / 3 = 4
        allowed = {*known, *CONSTANTS, num_terms}
        if all(operand in allowed for operand in equation.operands):
            known |= {equation.result, abs(equation.result), *CONSTANTS}
    missing = next((digits for digits in NUMBER.findall(answer) if parse_number(digits) not in known), None)
    return Reason("number not in evidence", missing) if missing else None


def names_are_in_evidence(example: Example, documents: Mapping[str, Document]) -> Reason | None:
    """Refuse a name that neither the evidence, the question nor a title has.

    A capitalised word within a sentence is a name. At the start of a sentence it is one unless it is a common word or
    the documents write it in lower case.
    """
    source = join_sources(example, document_names(example, documents))
    for sentence in re.split(r"(?<=[.!?:;])\s+|\n+", without_citations(example.answer)):
        for match in NAME.finditer(sentence):
            word = match[0]
            if word in source or re.search(rf"\b{word}\b", source, re.IGNORECASE):
                continue
            is_first = not re.search(r"\w", sentence[: match.start()])
            if is_first and (word.lower() in COMMON or occurs_in_lower_case(word, example, documents)):
                continue
            return Reason("name not in evidence", word)
    return None


def join_sources(example: Example, others: Iterable[str] = ()) -> str:
    """Return all words that an answer may take numbers and names from: the evidence, the question, and others."""
    return " ".join([*(span.quote for span in example.evidence), example.question, *others])


def document_names(example: Example, documents: Mapping[str, Document]) -> list[str]:
    """Return what the documents of an example are called: their titles, and who filed a report or statement."""
    shown = [documents[doc_id] for doc_id in example.doc_ids]
    filed = [document for document in shown if document.category in ("report", "statement")]
    return [*(document.title for document in shown), *(author for document in filed for author in document.authors)]


def distinguishing_years(example: Example, documents: Mapping[str, Document]) -> list[str]:
    """Return what tells several documents apart by year: the titles of two or more, the dates of a series."""
    shown = [documents[doc_id] for doc_id in example.doc_ids]
    titles = [document.title for document in shown] if len(shown) > 1 else []
    return [*titles, *(document.date[:4] for document in shown if len(shown) > 2)]


def occurs_in_lower_case(word: str, example: Example, documents: Mapping[str, Document]) -> bool:
    """Say whether a document of an example has a word in lower case."""
    return any(word.lower() in lower_case_words(documents[doc_id].text) for doc_id in example.doc_ids)


@lru_cache(maxsize=64)
def lower_case_words(text: str) -> frozenset[str]:
    """Return the words that a text has in lower case."""
    return frozenset(re.findall(r"(?<![\w’'-])[a-z]{3,}(?![\w-])", text))
