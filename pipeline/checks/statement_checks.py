"""Check that each statement of an answer rests on its own quotes, not on those of its neighbours."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pipeline.checks.finding import Finding, doubt, fault
from pipeline.checks.matching import match_answer
from pipeline.checks.sources import flat
from pipeline.records import Document, Example, Statement


def statements_rest_on_their_quotes(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse a statement that names a quote which is not there, and doubt one whose figures are another's."""
    answer = flat(example.answer)
    for statement in example.statements:
        if any(not 0 <= number < len(example.evidence) for number in statement.quotes):
            yield fault("statement without its quote", statement.text[:80])
            return
        if flat(statement.text).rstrip(".") not in answer:
            yield doubt("statement not in the answer", statement.text[:80])
        if statement.quotes:
            yield from weigh_figures(statement, example, documents)


def weigh_figures(statement: Statement, example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Yield a doubt for each figure of a statement that only quotes of other statements have."""
    told = replace(example, answer=statement.text)
    evidence = tuple(example.evidence[number] for number in statement.quotes)
    own, all_quotes = match_answer(replace(told, evidence=evidence), documents), match_answer(told, documents)
    for mine, others in zip(own.found, all_quotes.found, strict=True):
        if others.figures and not mine.figures and not mine.quantity.is_year:
            yield doubt("figure of another quote", f"{mine.quantity.words} in “{statement.text[:80]}”")
