"""Check that a figure is what its answer says it is of: the year, the column, the row, the segment, the document."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from pipeline.checks.common_words import COMMON
from pipeline.checks.evidence_figures import Figure, column_headings, find_years, place_tables, unclaimed_years
from pipeline.checks.finding import Finding, doubt, fault, is_by_model
from pipeline.checks.matching import Match, Matches, match_answer
from pipeline.checks.sentences import content_words, span_at, split_clauses, split_sentences
from pipeline.checks.sources import lower_case_words
from pipeline.passages.markdown_tables import row_label
from pipeline.passages.spans import Span
from pipeline.passages.tagged_figures import MONTHS
from pipeline.records import Document, Example

LINE_ITEMS = frozenset(  # a heading with such a word names a quantity, not a part of the company
    content_words(
        "revenue sales margin income tax expense cost profit earnings cash asset liability debt inventory equity goodwill"
        " dividend share interest depreciation amortization results consolidated overview fiscal total operating"
        " commitment lease pension benefit statement balance sheet net foreign currency exchange general administrative"
        " selling research quarter divestiture acquisition accounting pronouncement restructuring employee property"
        " plant receivable payable hedge derivative loss charge impairment contingency litigation legal reserve"
    )
)
GENERIC_HEADINGS = frozenset(content_words("total change percent amount value item note page company"))
MAX_REPEATS = 2  # of a heading that names a topic; 'Year 2018 results' under every segment names none
CAPITAL = re.compile(r"(?<![\w’'-])[A-Z][A-Za-z]{2,}(?![\w-])")
NAME_WORD = re.compile(r"[A-Z0-9][\w&.’'-]*")
NO_NAMES = frozenset(
    re.findall(
        r"\w+",
        "the a an of and for in inc co corp corporation company ltd plc llc form period ended annual report on k fiscal year"
        " statement edition ebook project gutenberg",
    )
)
MAX_TOPIC_CHARACTERS = 8_000  # that a heading is taken to speak for
MAX_NAME_WORDS = 6
PERIODS = frozenset(content_words("year ended fiscal 30 31 28 months quarter")) | frozenset(
    month for name in MONTHS for month in content_words(name)
)
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
            if not named & allowed and any(named & figure.years for figure in siblings(match, matches)):
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
    for match, _, sentence in places(matches):
        quotes = {figure.quote for figure in match.figures}
        if match.quantity.is_year or not all(quotes):
            continue
        ordinary = lower_case_words(" ".join(documents[doc_id].text for doc_id in example.doc_ids))
        ordinary = ordinary | COMMON | set(map(str.lower, MONTHS))
        named = {name for name in CAPITAL.findall(sentence.text) if name.lower() not in ordinary}
        elsewhere = [
            name
            for name in sorted(named)
            if not any(name in quote for quote in quotes)
            and any(name in figure.quote and figure.quote not in quotes for figure in matches.figures)
        ]
        is_shared = any(name in quote for name in named for quote in quotes)
        if elsewhere and not is_shared:
            yield doubt("figure beside another name", f"{match.quantity.words} with {elsewhere[0]}")


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


def words_of(name: str) -> set[str]:
    """Return the words of the name of a segment."""
    return set(content_words(name))


def find_segment(figure: Figure, document: Document) -> str:
    """Return the part of the company that a figure is of, '' for the whole or if it is not known."""
    names = segment_names(document)
    context = set(content_words(f"{figure.context} {figure.row} {figure.column}"))
    named = [name for name in names if words_of(name) <= context]
    if named:
        return max(named, key=len)
    if "total" in context or "consolidated" in figure.context.lower():
        return ""
    topic = topic_heading(document, figure.position)
    return topic if topic in names else ""


@lru_cache(maxsize=64)
def segment_names(document: Document) -> frozenset[str]:
    """Return the names of a company's parts: headings that label a row or a column too, and name no quantity."""
    if document.category != "statement":
        return frozenset()
    labels = set()
    for table in place_tables(document.text).tables:
        labels |= {strip_line_items(row_label(cells)) for cells, _ in table.rows if len(cells) > 1}
        labels |= {strip_line_items(heading) for heading in table.header}
    found = set()
    for section in document.sections:
        name = clean_heading(section.path[-1])
        words = words_of(name)
        is_part = 0 < len(words) <= MAX_NAME_WORDS and not words & LINE_ITEMS and not any(map(str.isdigit, words))
        if is_part and key(name) in labels:
            found.add(name)
    return frozenset(found)


def strip_line_items(label: str) -> str:
    """Return a label without the quantity and the period that it is of: 'clean rooms' for 'Revenue, Clean Rooms'."""
    words = key(label).split()
    while words and (words[0].isdigit() or content_words(words[0]) == [] or set(content_words(words[0])) <= PERIODS):
        words = words[1:]
    while words and set(content_words(words[0])) <= LINE_ITEMS | PERIODS:
        words = words[1:]
    return " ".join(words)


def key(words: str) -> str:
    """Return words in lower case with single spaces, for comparing headings with labels."""
    return " ".join(re.sub(r"[^\w&]+", " ", words.lower()).split())


def clean_heading(heading: str) -> str:
    """Return a heading without remarks in parentheses and the word 'segment': 'Industrial' for 'Industrial Business (37 %)'."""
    bare = re.sub(r"\([^)]*\)|[:*_#]", " ", heading)
    return " ".join(re.sub(r"\b(?:business|segment)s?\b", " ", bare, flags=re.IGNORECASE).split())


def topic_heading(document: Document, position: int) -> str:
    """Return the nearest heading above a place that does not repeat all over the document."""
    repeats = heading_counts(document)
    above = [one for one in document.sections if position - MAX_TOPIC_CHARACTERS <= one.start <= position]
    for section in reversed(above):
        name = section.path[-1]
        if repeats[name] <= MAX_REPEATS:
            return clean_heading(name)
    return ""


@lru_cache(maxsize=64)
def heading_counts(document: Document) -> dict[str, int]:
    """Return how often each heading occurs."""
    found: dict[str, int] = {}
    for section in document.sections:
        found[section.path[-1]] = found.get(section.path[-1], 0) + 1
    return found


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
