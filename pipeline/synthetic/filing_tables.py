"""Set the books of a company as tables, each figure with its tag."""

import random

from pipeline.synthetic.ledger import BALANCE, CASH_FLOW, INCOME, NUM_SEGMENTS, YEARS, Ledger, Line
from pipeline.synthetic.manuscript import Cell, Row, Table, Tag

IN_THOUSANDS = "Amounts in thousands of dollars, except per share."
MARKETS = ("Home market", "Coastal provinces", "Inland markets", "Overseas")
PROPERTY_PARTS = (("Land and buildings", 0.44), ("Machinery", 0.41), ("Tools and vehicles", 0.15))
WORN = 0.7  # accumulated depreciation, as a share of what is left
MATURITIES = 4  # years in which debt falls due
NAMED = "us-gaap:"


def money(amount: int, *, with_sign: bool = False) -> str:
    """Show an amount as statements do: thousands parted, negative ones in parentheses, nothing as a dash."""
    text = "—" if amount == 0 else f"({-amount:,})" if amount < 0 else f"{amount:,}"
    return f"$ {text}" if with_sign else text


def amount_cell(amount: int, concept: str, context: str, *, is_negated: bool = False, with_sign: bool = False) -> Cell:
    """Return a figure in thousands with its tag."""
    is_negative = (amount < 0) != is_negated
    tag = Tag(NAMED + concept, context, "usd", 3, -3, is_negative=is_negative)
    return Cell(money(amount, with_sign=with_sign), tag if amount else None)


def statement(caption: str, lines: tuple[Line, ...], books: Ledger, years: tuple[int, ...], period: str) -> Table:
    """Set a statement; the first figure of a block and every total bear a dollar sign."""
    rows = []
    is_first = True
    for line in lines:
        cells = tuple(
            amount_cell(
                books[line.key, year],
                line.concept,
                f"{period}{year}",
                is_negated=line.is_negated,
                with_sign=is_first or line.is_total,
            )
            for year in (years if line.key else ())
        )
        rows.append(Row(line.label, cells, line.is_total))
        is_first = not line.key
    return Table(caption, ("", *map(str, years)), tuple(rows), IN_THOUSANDS)


def income_table(books: Ledger) -> Table:
    """Set the income statement, with earnings per share below."""
    table = statement("Consolidated Statements of Income", INCOME, books, YEARS, "D")
    per_share = []
    shares = []
    for year in YEARS:
        earned = books["net", year] / books["shares", year]
        tag = Tag(f"{NAMED}EarningsPerShareBasic", f"D{year}", "usdPerShare", 0, 2, is_negative=earned < 0)
        per_share.append(Cell(f"$ {earned:.2f}" if earned >= 0 else f"$ ({-earned:.2f})", tag))
        count = Tag(f"{NAMED}WeightedAverageNumberOfSharesOutstandingBasic", f"D{year}", "shares", 3, -3)
        shares.append(Cell(money(books["shares", year]), count))
    rows = (*table.rows, Row("Earnings per share", tuple(per_share)), Row("Weighted average shares", tuple(shares)))
    return Table(table.caption, table.header, rows, table.note)


def balance_table(books: Ledger) -> Table:
    """Set the balance sheet of the last two years."""
    return statement("Consolidated Balance Sheets", BALANCE, books, YEARS[:2], "I")


def cash_table(books: Ledger) -> Table:
    """Set the cash flow statement; opening and closing cash differ from the balance sheet's name, not its amount."""
    return statement("Consolidated Statements of Cash Flows", CASH_FLOW, books, YEARS, "D")


def segment_table(books: Ledger, names: list[str]) -> Table:
    """Set revenue and operating income by segment, down to the totals of the income statement."""
    rows = [Row("Net revenue by segment")]
    rows += [segment_row(books, f"Revenue, {names[k]}", f"sales{k}", "Revenues", k) for k in range(NUM_SEGMENTS)]
    rows.append(total_row(books, "Total net revenue", "revenue", "Revenues"))
    rows.append(Row("Operating income by segment"))
    rows += [
        segment_row(books, f"Operating income, {names[k]}", f"profit{k}", "OperatingIncomeLoss", k)
        for k in range(NUM_SEGMENTS)
    ]
    head_office = tuple(amount_cell(books["head_office", y], "OperatingIncomeLoss", f"D{y}_HeadOffice") for y in YEARS)
    rows.append(Row("Costs of the head office", head_office))
    rows.append(total_row(books, "Total operating income", "operating", "OperatingIncomeLoss"))
    return Table("Revenue and Operating Income by Segment", ("", *map(str, YEARS)), tuple(rows), IN_THOUSANDS)


def segment_row(books: Ledger, label: str, key: str, concept: str, index: int) -> Row:
    """Return a row whose contexts name the segment."""
    return Row(label, tuple(amount_cell(books[key, y], concept, f"D{y}_Segment{index + 1}") for y in YEARS))


def total_row(books: Ledger, label: str, key: str, concept: str) -> Row:
    """Return a total that the income statement holds too."""
    cells = tuple(amount_cell(books[key, year], concept, f"D{year}", with_sign=True) for year in YEARS)
    return Row(label, cells, is_total=True)


def market_table(books: Ledger, rng: random.Random) -> Table:
    """Divide revenue over markets; the last takes what is left."""
    shares = [rng.uniform(0.15, 0.3) for _ in MARKETS[:-1]]
    parts = {year: [round(books["revenue", year] * share) for share in shares] for year in YEARS}
    for year in YEARS:
        parts[year].append(books["revenue", year] - sum(parts[year]))
    rows = [
        Row(market, tuple(amount_cell(parts[y][k], "Revenues", f"D{y}_Market{k + 1}") for y in YEARS))
        for k, market in enumerate(MARKETS)
    ]
    rows.append(total_row(books, "Revenue in all markets", "revenue", "Revenues"))
    return Table("Revenue by Market", ("", *map(str, YEARS)), tuple(rows), IN_THOUSANDS)


def property_table(books: Ledger) -> Table:
    """Divide property into its parts, less what is worn off."""
    years = YEARS[:2]
    worn = {year: -round(books["property", year] * WORN) for year in years}
    parts: dict[int, list[int]] = {}
    for year in years:
        gross = books["property", year] - worn[year]
        parts[year] = [round(gross * share) for _, share in PROPERTY_PARTS[1:]]
        parts[year].insert(0, gross - sum(parts[year]))
    rows = [
        Row(name, tuple(Cell(money(parts[year][k])) for year in years)) for k, (name, _) in enumerate(PROPERTY_PARTS)
    ]
    rows.append(Row("Accumulated depreciation", tuple(Cell(money(worn[year])) for year in years)))
    net = tuple(
        amount_cell(books["property", year], "PropertyPlantAndEquipmentNet", f"I{year}", with_sign=True)
        for year in years
    )
    rows.append(Row("Net book value", net, is_total=True))
    return Table("Property, Plant and Equipment", ("", *map(str, years)), tuple(rows), IN_THOUSANDS)


def debt_table(books: Ledger) -> Table:
    """Divide debt over the years in which it falls due."""
    debt, year = books["debt", YEARS[0]], YEARS[0]
    due = [debt // (MATURITIES + 2)] * (MATURITIES - 1)
    due.append(debt - sum(due))
    labels = [f"Due in {year + k}" for k in range(1, MATURITIES)] + [f"Due after {year + MATURITIES - 1}"]
    rows = [Row(label, (Cell(money(amount)),)) for label, amount in zip(labels, due, strict=True)]
    total = amount_cell(debt, "LongTermDebtNoncurrent", f"I{year}", with_sign=True)
    return Table(
        "Maturities of Debt", ("", str(year)), (*rows, Row("Debt in all", (total,), is_total=True)), IN_THOUSANDS
    )
