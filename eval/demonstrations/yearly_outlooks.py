"""Sum up a series of yearly outlooks year by year, and go on with a forecast.

Source  the third and fourth demonstrations of LongAlpaca's announcement: twelve outlooks, 2012 to 2023, and a
        forecast. Theirs were neither given nor checked. Here the reports may be shuffled, and one may be left out,
        which the answer has to say.
"""

import re
from collections.abc import Iterator, Sequence

from eval.demonstrations.case import BETWEEN, Case, Demonstration, Finding, Library
from eval.models.records import Prompt
from eval.qa.scores import REFUSALS, is_equal
from pipeline.checks.quantities import PERCENT, Quantity, find_quantities
from pipeline.checks.sentences import split_sentences
from pipeline.dataset.prompt import CLOSING, OPENINGS
from pipeline.passages.document_groups import DocumentCard, in_series
from pipeline.stable_order import hash_fraction, stable_shuffle

NAME = "yearly outlooks"
QUERY = "growth percent of output in {year}, forecast for the year after"
QUESTION = (
    "Sum up these reports year by year, from {first} to {last}: one paragraph a year, in the order of the years, each "
    "beginning with its year and giving the growth figures of that year's report. If the report of a year is missing, "
    "say so. Then give a forecast for {after}."
)
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
MISSING = re.compile(
    r"\b(?:missing|absent|left out|not among|no report|without a report|not included)\b", re.IGNORECASE
)
FORECAST = re.compile(r"\b(?:forecast|expect|project|predict|outlook|will|likely|should)\w*", re.IGNORECASE)
TOLERANCE = 0.01  # relative, of a figure
LEAST_WITH_FIGURES = 0.5  # of the years, that a right figure is given for


def make_cases(library: Library) -> Iterator[Case]:
    """Yield the longest series in its order, shuffled, and without one year."""
    series = max(in_series(library.without_splits()), key=len, default=())
    if not series:
        return
    left_out = series[1 + int(hash_fraction(library.seed, NAME) * (len(series) - 2))]
    yield make_case(library, series, "in order", series)
    yield make_case(library, stable_shuffle(series, library.seed, key=lambda card: card.doc_id), "shuffled", series)
    yield make_case(library, [card for card in series if card is not left_out], "one year left out", series)


def make_case(library: Library, shown: Sequence[DocumentCard], variant: str, series: Sequence[DocumentCard]) -> Case:
    """Return the case that shows some reports of a series; each has an equal share of the tokens."""
    share = library.max_tokens // len(series)
    texts = {
        card.year: library.excerpt(library.documents[card.doc_id].text, QUERY.format(year=card.year), share)
        for card in shown
    }
    headed = [f"# {card.title}\n\n{texts[card.year]}" for card in shown]
    years = [card.year for card in series]
    question = QUESTION.format(first=years[0], last=years[-1], after=int(years[-1]) + 1)
    gold = {
        "years": sorted(texts),
        "missing": sorted(set(years) - set(texts)),
        "after": str(int(years[-1]) + 1),
        "reports": texts,
    }
    document = f"{OPENINGS['report']}{BETWEEN.join(headed)}{CLOSING}"
    return Case(NAME, variant, Prompt(document, question), gold, tuple(card.doc_id for card in shown))


def check(case: Case, reply: str) -> list[Finding]:
    """Check years, their order, their figures, the missing year and the forecast."""
    gold = case.gold
    parts = split_by_year(reply, [*gold["years"], *gold["missing"], gold["after"]])
    covered = [year for year in parts if year in gold["years"]]
    reports = {year: find_quantities(text) for year, text in gold["reports"].items()}  # in tables without their unit
    stated = [(year, figure) for year, text in parts.items() for figure in find_percents(text)]
    others = [figure for figures in reports.values() for figure in figures]
    invented = [figure.words for _, figure in stated if not has(others, figure)]
    wrong = [
        f"{figure.words} in {year}" for year, figure in stated if year in reports and not has(reports[year], figure)
    ]
    right = {year for year, figure in stated if year in reports and has(reports[year], figure)}
    return [
        Finding(
            "every year", len(covered) == len(gold["years"]), list_years(sorted(set(gold["years"]) - set(covered)))
        ),
        Finding("in order", bool(covered) and covered == sorted(covered), " ".join(covered)),
        Finding("no invented figure", not invented, ", ".join(invented)),
        Finding("figures of the right year", not wrong, ", ".join(wrong)),
        Finding(
            "growth of most years", len(right) >= LEAST_WITH_FIGURES * len(gold["years"]), list_years(sorted(right))
        ),
        *check_missing(reply, gold["missing"]),
        Finding("forecast", bool(FORECAST.search(parts.get(gold["after"], "")))),
    ]


def check_missing(reply: str, missing: Sequence[str]) -> list[Finding]:
    """Check that a year whose report is not there is said to be missing."""
    sentences = split_sentences(reply)
    return [
        Finding(
            "missing year said",
            any(year in one.text and (MISSING.search(one.text) or REFUSALS.search(one.text)) for one in sentences),
            year,
        )
        for year in missing
    ]


def split_by_year(reply: str, years: Sequence[str]) -> dict[str, str]:
    """Return the sentences about each year, in the order in which the years are first named.

    A sentence belongs to the first year that it names, or to that of the sentence before.
    """
    found: dict[str, str] = {}
    year = ""
    for sentence in split_sentences(reply):
        year = next((named for named in YEAR.findall(sentence.text) if named in years), year)
        if year:
            found[year] = f"{found.get(year, '')} {sentence.text}".strip()
    return found


def find_percents(text: str) -> list[Quantity]:
    """Return the percentages of a text."""
    return [found for found in find_quantities(text) if found.scale == PERCENT]


def has(figures: Sequence[Quantity], wanted: Quantity) -> bool:
    """Say whether one of some figures is the wanted one."""
    return any(is_equal(wanted, figure, TOLERANCE) for figure in figures)


def list_years(years: Sequence[str]) -> str:
    """Return years in words."""
    return ", ".join(years) or "none"


DEMONSTRATION = Demonstration(NAME, "Yearly outlooks, summed up and gone on with", make_cases, check)
