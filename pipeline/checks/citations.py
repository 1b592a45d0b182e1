"""Answers with citations: marks like [1], and below the answer the quote that each mark refers to."""

import re
from collections.abc import Mapping
from dataclasses import replace

from pipeline.records import Example, make_example_id
from pipeline.stable_order import hash_fraction

REQUEST = " Cite the words of the document that say so."
MARK = re.compile(r"\[(\d{1,2})\]")
LISTED = re.compile(r"^\[(\d{1,2})\] “(.*)”$", re.MULTILINE)
MAX_CITED_CHARACTERS = 1_200  # of all quotes together
NOT_CITED = ("mention", "continuation", "order", "table_extraction")  # quotes already, or no place for marks


def is_citable(example: Example) -> bool:
    """Say whether citations suit an answer: it is not a quote itself, and its evidence is short."""
    length = sum(len(" ".join(span.quote.split())) for span in example.evidence)
    is_own = not example.teacher.startswith("human")  # what people wrote stays as they wrote it
    return is_own and example.task not in NOT_CITED and length <= MAX_CITED_CHARACTERS and "[" not in example.answer


def is_in_fraction(example: Example, fraction: float, seed: int) -> bool:
    """Say whether an example is in the fraction of examples that cite, by a hash of its id."""
    return hash_fraction("cite", seed, example.example_id) < fraction


def with_citations(example: Example) -> Example:
    """Return the example with a question that asks for citations and an answer that has one for each quote.

    The marks are behind the statements that rest on the quotes, or at the end of an answer without statements. Evidence
    that no statement rests on, as that of earlier turns, is not listed.
    """
    cited = sorted({quote for one in example.statements for quote in one.quotes}) or range(len(example.evidence))
    marks = {quote: f"[{number}]" for number, quote in enumerate(cited, 1)}
    quotes = [" ".join(example.evidence[quote].quote.split()).strip('“”"') for quote in cited]
    listed = "\n".join(f"[{number}] “{quote}”" for number, quote in enumerate(quotes, 1))
    question, answer = example.question + REQUEST, f"{mark_statements(example, marks)}\n\n{listed}"
    example_id = make_example_id(example.task, question, answer, example.doc_ids)
    return replace(example, example_id=example_id, question=question, answer=answer)


def mark_statements(example: Example, marks: Mapping[int, str]) -> str:
    """Return an answer with the marks of its quotes: 'It burned down.[1] Nobody rebuilt it.[2]'."""
    if not example.statements:
        return f"{example.answer} {''.join(marks.values())}"
    marked, rest = "", example.answer
    for statement in example.statements:
        before, found, rest = rest.partition(statement.text)
        assert found, "an answer is composed of its statements"
        marked += before + statement.text + "".join(marks[quote] for quote in statement.quotes)
    return marked + rest


def listed_citations(answer: str) -> Mapping[str, str]:
    """Return the quotes listed below an answer by their numbers: {'1': 'The mill burned down.'}."""
    return dict(LISTED.findall(answer))


def without_citations(answer: str) -> str:
    """Return an answer without its marks and the list of quotes below it."""
    return MARK.sub("", LISTED.sub("", answer)).strip()
