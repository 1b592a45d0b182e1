"""Check that 'rose' and 'fell' agree with the figures."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.checks.evidence_figures import Figure
from pipeline.checks.finding import Finding, doubt, fault, is_by_model
from pipeline.checks.matching import Matches, match_answer
from pipeline.checks.quantities import BASIS_POINT, PERCENT
from pipeline.checks.sentences import split_clauses, split_sentences
from pipeline.passages.spans import Span
from pipeline.records import Document, Example

UP = (
    r"rose|risen|rises?|rising|increas(?:e[sd]?|ing)|gr(?:ew|own|ows?|owing)|growth|climb(?:s|ed|ing)?|gain(?:s|ed)?"
    r"|higher|up|improv(?:e[sd]?|ement|ing)|expan(?:d|ded|ding|sion)|advanc(?:ed|es?)|jump(?:ed|s)?|surg(?:ed?|es)"
    r"|strengthen(?:ed|ing)?|doubled|tripled|accelerat(?:ed|es|ion)|upward|accretion"
)
DOWN = (
    r"fell|fall(?:s|en|ing)?|decreas(?:e[sd]?|ing)|declin(?:e[sd]?|ing)|drop(?:s|ped|ping)?|lower(?:ed)?|down"
    r"|shr(?:ank|unk|inks?|inkage)|contract(?:ed|ion|s)|reduc(?:ed|es?|tion)|dip(?:ped|s)?|slipp?(?:ed|s)?|halved"
    r"|weaken(?:ed|ing)?|worsen(?:ed|ing)?|plunge[sd]?|slump(?:ed)?|shed|lost|downward|deteriorat(?:ed|ion)"
)
DIRECTION = re.compile(rf"\b(?:(?P<up>{UP})|(?P<down>{DOWN}))\b", re.IGNORECASE)
NEGATED = re.compile(r"\b(?:not|never|no|neither|nor|without|n['’]t|instead of|rather than)\b", re.IGNORECASE)
REVERSED = re.compile(  # where a figure that rises means less, or the words are about something else
    r"\b(?:loss(?:es)?|deficit|partially offset|offset|lower of|up to|lower bound|low(?:er)? end|due to|because of"
    r"|driven by|reflecting|primarily|following|despite|excluding|adjusted)\b",
    re.IGNORECASE,
)
FIGURE_AFTER = re.compile(r"[^.;]{0,40}?\b(?:from|to|by|of|at)\s+(?:about\s+)?[$€£(]*\d")
FROM_TO = re.compile(r"\bfrom\b.*\bto\b", re.DOTALL)
PRESUMED = re.compile(r"\b(?:by how much|by what|how (?:far|large|big|great|much)|what percentage)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Direction:
    """A word like 'rose' in a text: 1 for up, -1 for down."""

    word: str
    position: int
    sign: int


def find_directions(text: str) -> list[Direction]:
    """Return the words of a text that say up or down, without those that are negated."""
    return [
        Direction(match[0], match.start(), 1 if match["up"] else -1)
        for match in DIRECTION.finditer(text)
        if not NEGATED.search(text[max(0, match.start() - 20) : match.start()])
    ]


def find_presumed(question: str) -> list[Direction]:
    """Return the direction that a question takes for granted, as 'by how much did it rise' does."""
    return find_directions(question)[:1] if PRESUMED.search(question) else []


def directions_fit_the_figures(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse 'rose' where the figures of a row say 'fell', and doubt it where the words of a quote do."""
    if not is_by_model(example):
        return
    matches = match_answer(example, documents)
    for sentence in split_sentences(matches.text):
        said = find_directions(sentence.text) or find_presumed(example.question)
        is_own = bool(find_directions(sentence.text))
        signs = {direction.sign for direction in said}
        if not said:
            continue
        told = compare_rows(sentence, matches)
        if len(signs) == 1 and len(told) == 1 and not signs & told:
            detail = f"“{said[0].word}”, where the figures say {'up' if 1 in told else 'down'}"
            is_sure = is_own and len(said) == 1 and is_of_figures(said[0], sentence)
            yield (
                fault("direction against the figures", detail)
                if is_sure
                else doubt("direction against the figures", detail)
            )
            continue
        yield from weigh_changes(sentence, matches, example.question)


def is_of_figures(direction: Direction, sentence: Span) -> bool:
    """Say whether a figure follows a word of direction at once, and nothing else in the sentence may turn it round."""
    after = sentence.text[direction.position + len(direction.word) :]
    return bool(FIGURE_AFTER.match(after)) and not REVERSED.search(sentence.text)


def compare_rows(sentence: Span, matches: Matches) -> set[int]:
    """Return the directions of the rows from which a sentence has figures of two years: {-1} if all of them fell."""
    rows: dict[tuple[str, str, int], dict[str, Figure]] = {}
    for match in matches.at(sentence.start, sentence.end):
        if match.quantity.scale in (PERCENT, BASIS_POINT) and not FROM_TO.search(sentence.text):
            continue  # 'grew by 4.6 percent, after 4.8 percent': a rate that falls, of something that grows
        tabled = [figure for figure in match.figures if figure.table and len(figure.years) == 1]
        if len(tabled) == 1 or len({(figure.row, figure.column) for figure in tabled}) == 1:
            figure = tabled[0]
            if figure.quantity.scale not in (PERCENT, BASIS_POINT) or "change" not in figure.column.lower():
                rows.setdefault((figure.doc_id, figure.row, id(figure.table)), {})[min(figure.years)] = figure
    signs = set()
    for by_year in rows.values():
        if len(by_year) == 2:
            early, late = (by_year[year].quantity for year in sorted(by_year))
            are_negative = early.is_negative and late.is_negative  # an expense in parentheses: its size is what counts
            values = [one.printed * (-1 if one.is_negative and not are_negative else 1) for one in (early, late)]
            if values[0] != values[1]:
                signs.add(1 if values[1] > values[0] else -1)
    return signs


def weigh_changes(sentence: Span, matches: Matches, question: str) -> Iterator[Finding]:
    """Doubt a change like '14%' whose clause says up where its clause of the evidence, or its sign, says down."""
    for clause in split_clauses(sentence):
        said = find_directions(clause.text) or nearest_before(sentence, clause) or find_presumed(question)
        for match in matches.at(clause.start, clause.end):
            changes = {sign for figure in match.figures for sign in [find_change(figure)]}
            signs = {direction.sign for direction in said}
            if match.quantity.is_year or len(signs) != 1 or len(changes) != 1 or 0 in changes:
                continue
            if match.quantity.is_negative and -1 in changes:
                continue
            if not signs & changes:
                yield doubt("direction against the quotes", f"“{said[0].word}” with {match.quantity.words}")


def nearest_before(sentence: Span, clause: Span) -> list[Direction]:
    """Return the last word of direction before a clause in its sentence."""
    return find_directions(sentence.text[: clause.start - sentence.start])[-1:]


def find_change(figure: Figure) -> int:
    """Return the direction of a figure that is a change: by its sign in a table, by its words in prose; 0 for none."""
    is_change = re.search(r"change|growth|increase|decrease|variance", f"{figure.column} {figure.row}", re.IGNORECASE)
    if figure.table:
        is_share = figure.quantity.scale in (PERCENT, BASIS_POINT)
        return (-1 if figure.quantity.is_negative else 1) if is_change and is_share and figure.quantity.printed else 0
    signs = {direction.sign for direction in find_directions(figure.context)}
    return signs.pop() if len(signs) == 1 else 0
