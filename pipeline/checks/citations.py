"""Answers that cite: marks like [1], and below them the words of the document that each stands for."""

import re
from collections.abc import Mapping
from dataclasses import replace

from pipeline.records import Example, make_example_id
from pipeline.stable_order import hash_fraction

REQUEST = " Cite the words of the document that say so."
MARK = re.compile(r"\[(\d{1,2})\]")
LISTED = re.compile(r"^\[(\d{1,2})\] “(.*)”$", re.MULTILINE)
MAX_CITED_CHARACTERS = 1_200  # of all quotes together
NOT_CITED = ("mention", "continuation", "order")  # their answers are quotes already


def is_citable(example: Example) -> bool:
    """Say whether an answer would read well with its evidence below it."""
    length = sum(len(" ".join(span.quote.split())) for span in example.evidence)
    is_own = not example.teacher.startswith("human")  # what people wrote stays as they wrote it
    return is_own and example.task not in NOT_CITED and length <= MAX_CITED_CHARACTERS and "[" not in example.answer


def is_drawn(example: Example, fraction: float, seed: int) -> bool:
    """Say whether an example is one of the fraction that cites, by a hash of its id."""
    return hash_fraction("cite", seed, example.example_id) < fraction


def with_citations(example: Example) -> Example:
    """Return an example whose question asks for citations and whose answer has them, one for each piece of evidence."""
    marks = "".join(f"[{number}]" for number in range(1, len(example.evidence) + 1))
    quotes = [" ".join(span.quote.split()).strip('“”"') for span in example.evidence]
    listed = "\n".join(f"[{number}] “{quote}”" for number, quote in enumerate(quotes, 1))
    question, answer = example.question + REQUEST, f"{example.answer} {marks}\n\n{listed}"
    example_id = make_example_id(example.task, question, answer, example.doc_ids)
    return replace(example, example_id=example_id, question=question, answer=answer)


def citations_of(answer: str) -> Mapping[str, str]:
    """Return the quotes that are listed below an answer, by their numbers."""
    return dict(LISTED.findall(answer))


def without_citations(answer: str) -> str:
    """Return an answer without its marks and without the list below it."""
    return MARK.sub("", LISTED.sub("", answer)).strip()
