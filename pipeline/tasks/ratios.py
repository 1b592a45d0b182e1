"""Relate two lines of a filing's statements, as an analyst would: for one year, and year by year."""

import re
from collections.abc import Iterator, Sequence

from pipeline.passages.agreed_figures import Figures, YearlyRow, agree_on, find_yearly_rows, percent_of
from pipeline.passages.passages import Passages
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task

NAME, VERSION = "ratios", "ratios-1"
REVENUE, EARNED = r"Revenues|RevenueFromContract\w+|SalesRevenueNet", r"NetIncomeLoss|ProfitLoss"
RATIOS = (  # concepts of the part and of the whole
    (r"ResearchAndDevelopmentExpense\w*", REVENUE),
    (r"SellingGeneralAndAdministrativeExpense", REVENUE),
    (r"PaymentsToAcquire(?:PropertyPlantAndEquipment|ProductiveAssets)", REVENUE),
    (r"Depreciation(?:Depletion)?AndAmortization|DepreciationDepletionAndAmortization", REVENUE),
    (r"(?:Allocated)?ShareBasedCompensation", REVENUE),
    (r"NetCash(?:ProvidedByUsedIn|From)OperatingActivities", REVENUE),
    (r"AccountsReceivableNetCurrent|ReceivablesNetCurrent", REVENUE),
    (r"PaymentsOfDividends\w*", EARNED),
    (r"PaymentsForRepurchaseOfCommonStock", EARNED),
    (r"IncomeTaxExpenseBenefit", r"(?!\w*(?:Domestic|Foreign))IncomeLoss\w*BeforeIncomeTaxes\w*"),
    (r"InterestExpense\w*", r"OperatingIncomeLoss"),
    (r"InventoryNet", r"CostOf(?:Revenue|GoodsAndServicesSold)"),
    (r"LongTermDebt(?:Noncurrent)?", r"StockholdersEquity\w*"),
    (EARNED, r"Assets|StockholdersEquity\w*"),
)
ONE_YEAR = (
    "What percentage of “{whole}” ({second}) was “{part}” ({table}) for {year}? Show the arithmetic.",
    "Relate “{part}” in {table} to “{whole}” in {second} for {year}: what percentage is it? Show the arithmetic.",
)
YEAR_BY_YEAR = (
    "Year by year, what percentage of “{whole}” ({second}) was “{part}” ({table})? In which year was it highest?",
    "Compute “{part}” in {table} as a percentage of “{whole}” in {second} for {years}. When was the share largest?",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield questions about pairs of lines from different tables whose ratio both programs compute alike."""
    rows = find_yearly_rows(documents[0])
    for part, whole in find_pairs(rows):
        years = [year for year in part.ends if part.ends[year] == whole.ends.get(year)]
        if years and agree_on((part, whole), lambda read: shares(read, years)):  # noqa: B023 - called at once
            yield ask_for_years(documents, part, whole, years[:1])
            if len(years) > 1 and len(set(shares((part.printed, whole.printed), years))) == len(years):
                yield ask_for_years(documents, part, whole, years)


def find_pairs(rows: Sequence[YearlyRow]) -> Iterator[tuple[YearlyRow, YearlyRow]]:
    """Yield the first row for each ratio's part with the first for its whole that is in another table."""
    for part_concept, whole_concept in RATIOS:
        parts = [row for row in rows if re.fullmatch(part_concept, row.concept)]
        wholes = [row for row in rows if re.fullmatch(whole_concept, row.concept)]
        pairs = [(a, b) for a in parts for b in wholes if a.table.name != b.table.name and a.currency == b.currency]
        yield from pairs[:1]


def shares(figures: Sequence[Figures], years: Sequence[str]) -> list[object]:
    """Return the part as a percentage of the whole for each year."""
    part, whole = figures
    return [percent_of(part[year], whole[year]) for year in years]


def ask_for_years(documents: Sequence[Passages], part: YearlyRow, whole: YearlyRow, years: Sequence[str]) -> Example:
    """Return the question about one year, or about several and when the share was highest."""
    percents = {year: percent_of(part.printed[year], whole.printed[year]) for year in years}
    question = choose(ONE_YEAR if len(years) == 1 else YEAR_BY_YEAR, f"{part.label}|{whole.label}|{years}").format(
        part=part.label, whole=whole.label, table=part.table.name, second=whole.table.name, year=years[0],
        years=" and ".join(filter(None, (", ".join(years[:-1]), years[-1]))),
    )  # fmt: skip
    lines = [f"{year}: {part.digits[year]} / {whole.digits[year]} * 100 = {percents[year]} percent" for year in years]
    highest = max(years, key=lambda year: percents[year])
    last = f" It was highest in {highest}." if len(years) > 1 else ""
    spans = [span for row in (part, whole) for span in (row.table.header_span, row.span)]
    return build_example(
        documents, NAME, VERSION, question, f"{'; '.join(lines)}.{last}", [(documents[0], span) for span in spans]
    )


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("statement",),
    candidates=candidates,
    quotes_may_repeat=True,
    num_quotes=(3, 4),  # two tables may be under one header in the same words, but not at the same place
)
