"""Check that figures and statements are beside the names of the documents that have them."""

import re
from collections.abc import Iterable, Iterator, Mapping

from pipeline.checks.column_checks import places
from pipeline.checks.finding import Finding, doubt, fault, is_by_model
from pipeline.checks.matching import Match, Matches, match_answer
from pipeline.checks.word_lists import NO_NAMES
from pipeline.passages.spans import Span
from pipeline.records import Document, Example

NAME_WORD = re.compile(r"[A-Z0-9][\w&.’'-]*")


def figures_fit_their_documents(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse a figure beside the name of a document that does not have it, where the evidence of another does."""
    if not is_by_model(example) or len(example.doc_ids) < 2:
        return
    names = {doc_id: naming_words(documents[doc_id], others(doc_id, example, documents)) for doc_id in example.doc_ids}
    matches = match_answer(example, documents)
    for match, clause, sentence in places(matches):
        owners = {figure.doc_id for figure in match.figures}
        named = name_documents(clause.text, names) or name_before(match, sentence, matches, names)
        if match.quantity.is_year or not named or named & owners:
            continue
        detail = f"{match.quantity.words} is of “{documents[min(owners)].title[:60]}”"
        is_sure = len(named) == 1 and len(name_documents(sentence.text, names)) == 1
        yield fault("figure of another document", detail) if is_sure else doubt("figure of another document", detail)
    yield from weigh_quoted_statements(example, documents, names)


def name_before(match: Match, sentence: Span, matches: Matches, names: Mapping[str, frozenset[str]]) -> set[str]:
    """Return the documents that a sentence names before its first figure, if that is the one at hand."""
    inside = [one for one in matches.at(sentence.start, sentence.end) if one.figures and not one.quantity.is_year]
    is_first = bool(inside) and inside[0] is match
    return name_documents(sentence.text[: match.quantity.start - sentence.start], names) if is_first else set()


def weigh_quoted_statements(
    example: Example, documents: Mapping[str, Document], names: Mapping[str, frozenset[str]]
) -> Iterator[Finding]:
    """Doubt a statement that names other documents than those of its quotes."""
    for statement in example.statements:
        owners = {example.evidence[number].doc_id for number in statement.quotes if number < len(example.evidence)}
        named = name_documents(statement.text, names)
        if owners and named and not named & owners:
            yield doubt("statement about another document", statement.text[:80])


def others(doc_id: str, example: Example, documents: Mapping[str, Document]) -> list[Document]:
    """Return the documents of an example except one."""
    return [documents[other] for other in example.doc_ids if other != doc_id]


def naming_words(document: Document, other_documents: Iterable[Document]) -> frozenset[str]:
    """Return the words of a document's title and authors that the others' do not have, and its initials."""
    own, foreign = title_words(document), {word for other in other_documents for word in title_words(other)}
    return frozenset(own - foreign)


def title_words(document: Document) -> set[str]:
    """Return the words that name a document, in lower case: {'procter', 'gamble', 'p&g'}."""
    text = " ".join([document.title, *document.authors[:3], document.date[:4]])
    words = {word.strip(".,'’").lower() for word in NAME_WORD.findall(text)} - NO_NAMES
    company = document.authors[0] if document.category == "statement" and document.authors else ""
    initials = re.findall(r"\b[A-Z]|&", re.sub(r"\b(?:CO|INC|CORP|LTD|Co|Inc|Corp|Ltd)\b\.?", "", company))
    return {word for word in words if len(word) > 1} | ({"".join(initials).lower()} if len(initials) > 1 else set())


def name_documents(words: str, names: Mapping[str, frozenset[str]]) -> set[str]:
    """Return the ids of the documents that words name."""
    said = {word.strip(".,").lower() for word in re.findall(r"[\w&.]+", words)}
    said |= {part for word in re.findall(r"[\w&.-]+", words.lower()) for part in word.split("-")}
    return {doc_id for doc_id, own in names.items() if own & said}
