"""Check that a figure is what its answer says it is of: the year, the column, the row, the segment, the document."""

import re
from collections.abc import Iterator, Mapping

from pipeline.checks.common_words import COMMON
from pipeline.checks.evidence_figures import Figure, column_headings, find_years, unclaimed_years
from pipeline.checks.finding import Finding, doubt, fault, is_by_model
from pipeline.checks.matching import Match, Matches, match_answer
from pipeline.checks.segments import PERIODS, find_segment, segment_names, words_of
from pipeline.checks.sentences import content_words, span_at, split_clauses, split_sentences
from pipeline.checks.sources import lower_case_words
from pipeline.checks.word_lists import GENERIC_HEADINGS
from pipeline.passages.markdown_tables import row_label
from pipeline.passages.spans import Span
from pipeline.passages.tagged_figures import MONTHS
from pipeline.records import Document, Example

CAPITAL = re.compile(r"(?<![\w’'-])[A-Z][A-Za-z]{2,}(?![\w-])")
COMPARED = re.compile(r"(?:and |but )?(?:up |down )?(?:from|against|compared|versus|vs|than)\b", re.IGNORECASE)
RESPECTIVELY = re.compile(r"\brespectively\b", re.IGNORECASE)


def figures_fit_their_years(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse a figure of another year than the one that its clause, or else the question, names."""
    if not is_by_model(example):
        return
    matches = match_answer(example, documents)
    asked = find_years(example.question)
    for match, clause, sentence in places(matches):
        owned = [figure.years for figure in match.figures]
        if not owned or not all(owned) or match.quantity.is_year:
            continue
        allowed = frozenset().union(*owned)
        named = find_years(clause.text)
        if RESPECTIVELY.search(sentence.text):
            named = pair_respectively(match, sentence, matches)
        if len(named) == 1:
            is_shared = has_figure_of(named, matches, clause)
            if not named & allowed and not is_shared and any(named & one.years for one in siblings(match, matches)):
                yield fault("figure of another year", describe(match, named, allowed))
            elif not named & allowed:
                yield doubt("figure of another year", describe(match, named, allowed))
        elif not named and not COMPARED.match(clause.text.strip()):
            lead = unclaimed_years(list(split_clauses(sentence))) or (
                frozenset() if find_years(sentence.text) else asked
            )
            is_told = has_figure_of(lead, matches, sentence) and lead == asked
            if len(lead) == 1 and not lead & allowed and not is_told:
                yield doubt("figure of another year", describe(match, lead, allowed))


def places(matches: Matches) -> Iterator[tuple[Match, Span, Span]]:
    """Yield each matched quantity with its clause and its sentence; those of equations are left out."""
    sentences = split_sentences(matches.text)
    for match in matches.found:
        position = match.quantity.start
        if not match.figures or any(one.start <= position < one.end for one in matches.equations):
            continue
        sentence = span_at(sentences, position)
        yield match, span_at(list(split_clauses(sentence)), position), sentence


def siblings(match: Match, matches: Matches) -> list[Figure]:
    """Return the figures of the evidence that are in the rows and sentences of a match, other columns included."""
    rows = {(figure.doc_id, figure.row, id(figure.table)) for figure in match.figures}
    return [figure for figure in matches.figures if (figure.doc_id, figure.row, id(figure.table)) in rows]


def has_figure_of(years: frozenset[str], matches: Matches, sentence: Span) -> bool:
    """Say whether a sentence has a figure of one of some years as well, as 'from $5 to $3' has."""
    inside = matches.at(sentence.start, sentence.end)
    return any(years & figure.years for match in inside for figure in match.figures)


def pair_respectively(match: Match, sentence: Span, matches: Matches) -> frozenset[str]:
    """Return the year that goes with a figure in '5, 6 and 7 in 2023, 2024 and 2025, respectively'."""
    inside = [one for one in matches.at(sentence.start, sentence.end) if one.figures and not one.quantity.is_year]
    years = [one.quantity.words for one in matches.at(sentence.start, sentence.end) if one.quantity.is_year]
    if len(inside) != len(years):
        return frozenset()
    return frozenset([years[inside.index(match)]])


def describe(match: Match, named: frozenset[str], allowed: frozenset[str]) -> str:
    """Return '$51,362 for 2025, but it is of 2024'."""
    return f"{match.quantity.words} for {' or '.join(sorted(named))}, but it is of {' or '.join(sorted(allowed))}"


def figures_fit_their_columns(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Doubt a figure of a table whose clause names another column, or whose row nothing in the answer names."""
    if not is_by_model(example):
        return
    matches = match_answer(example, documents)
    for match, clause, sentence in places(matches):
        in_tables = [figure for figure in match.figures if figure.table]
        if not in_tables or len(in_tables) < len(match.figures) or match.quantity.is_year or match.quantity.is_word:
            continue
        words = f"{example.question} {sentence.text} {matches.text[: sentence.start]}"
        if not any(fits_column(figure, clause.text, example.question) for figure in in_tables):
            yield doubt("figure of another column", f"{match.quantity.words} is under “{in_tables[0].column}”")
        elif not any(fits_row(figure, words) and not names_other_row(figure, clause.text) for figure in in_tables):
            yield doubt("figure of another row", f"{match.quantity.words} is of “{in_tables[0].row}”")


def fits_column(figure: Figure, clause: str, question: str) -> bool:
    """Say whether neither the clause of a figure nor, if it names none, the question names another column instead."""
    assert figure.table is not None
    headings = column_headings(figure.table)
    for words in (clause, question):
        own = names_heading(figure.column, words)
        others = [one for one in headings[1:] if one != figure.column and names_heading(one, words, figure.column)]
        if own or others:
            return own or not others
    return True


def names_heading(heading: str, words: str, other: str = "") -> bool:
    """Say whether words name the heading of a column, by what it has beyond another one and beside its years."""
    beyond = set(content_words(other))
    told = [word for word in content_words(heading) if word not in beyond and not word.isdigit()]
    told = [word for word in told if word not in GENERIC_HEADINGS | PERIODS]
    return bool(told) and set(told) <= set(content_words(words))


def fits_row(figure: Figure, words: str) -> bool:
    """Say whether words name the row of a figure, and no other row of its table better."""
    assert figure.table is not None
    said = set(content_words(words))
    own = set(content_words(figure.row))
    if not own:
        return True
    if not own & said:
        return False
    if own <= said:
        return not any(own < other <= said for other in labels_of(figure))
    share = len(own & said) / len(own)
    return share >= 0.5 or not any(other <= said and len(other) > len(own & said) for other in labels_of(figure))


def names_other_row(figure: Figure, clause: str) -> bool:
    """Say whether a clause names another row of a figure's table, and not its own."""
    said, own = set(content_words(clause)), set(content_words(figure.row))
    return not own <= said and any(other <= said and not other <= own for other in labels_of(figure))


def labels_of(figure: Figure) -> list[set[str]]:
    """Return the words of the labels of the other rows of a figure's table."""
    assert figure.table is not None
    labels = {row_label(cells) for cells, _ in figure.table.rows} - {figure.row, ""}
    return [words for words in (set(content_words(label)) for label in sorted(labels)) if words]


def figures_fit_their_names(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Doubt a figure beside a name that its quote does not have, where another quote with figures has it."""
    if not is_by_model(example):
        return
    matches = match_answer(example, documents)
    for match, clause, _ in places(matches):
        quotes = {figure.quote for figure in match.figures}
        if match.quantity.is_year or not all(quotes):
            continue
        ordinary = COMMON.union(map(str.lower, MONTHS))
        ordinary = ordinary.union(*(lower_case_words(documents[doc_id].text) for doc_id in example.doc_ids))
        named = {name for name in CAPITAL.findall(clause.text) if name.lower() not in ordinary}
        elsewhere = [
            name
            for name in sorted(named)
            if not any(name in quote for quote in quotes)
            and any(name in figure.quote and figure.quote not in quotes for figure in matches.figures)
        ]
        is_shared = any(name in quote for name in named for quote in quotes)
        if elsewhere and not is_shared:
            yield doubt("figure beside another name", f"{match.quantity.words} with {elsewhere[0]}")
        elif other := find_better_clause(match, clause, matches):
            yield doubt("figure of another clause", f"{match.quantity.words}, where “{other.strip()[:60]}” has another")


def find_better_clause(match: Match, clause: Span, matches: Matches) -> str:
    """Return a clause of the evidence whose words the clause of an answer has, though its figure is another's; else ''.

    'Native traces take 35 cycles' has words of 'native traces take 9 cycles', and none of 'bytecodes execute in 35'.
    """
    said = clause_words(clause.text)
    if any(figure.table for figure in match.figures):
        return ""
    own = [clause_words(figure.context) for figure in match.figures]
    for other in matches.figures:
        words = clause_words(other.context)
        kind = match.figures[0].quantity
        is_alike = (other.quantity.scale, other.quantity.is_money) == (kind.scale, kind.is_money)
        is_own = any(other.context == figure.context for figure in match.figures)
        if other.table or other.quantity.is_year or is_own or not is_alike:
            continue
        has_none = all(not (one - words) & said and one - words for one in own)
        if has_none and any((words - one) & said for one in own):
            return other.context
    return ""


def clause_words(clause: str) -> set[str]:
    """Return the words of a clause that carry meaning, without its numbers."""
    return {word for word in content_words(clause) if not word[0].isdigit()}


def figures_fit_their_segments(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Doubt a figure of a part of a company that neither the question nor the answer names."""
    if not is_by_model(example):
        return
    matches = match_answer(example, documents)
    said = set(content_words(f"{example.question} {matches.text}"))
    for match, _, sentence in places(matches):
        parts = {part for figure in match.figures for part in [find_segment(figure, documents[figure.doc_id])]}
        if parts and all(parts) and not match.quantity.is_year and not any(words_of(part) <= said for part in parts):
            yield doubt("figure of a part", f"{match.quantity.words} is of “{min(parts)}”")
        local = set(content_words(f"{example.question} {sentence.text}"))
        named = {name for doc in documents.values() for name in segment_names(doc) if words_of(name) <= local}
        own = {name for part in parts if part for name in [part]}
        if own and named and not own & named and all(parts):
            yield doubt("figure of another part", f"{match.quantity.words} is of “{min(own)}”")
