"""Compose the annual report of a company: its business, its risks, and prose that agrees with its statements."""

import random
import re
from dataclasses import dataclass

from pipeline.synthetic.facts import SENTENCE_END, know, know_sentences, plant
from pipeline.synthetic.filing_tables import (
    balance_table,
    cash_table,
    debt_table,
    income_table,
    market_table,
    property_table,
    segment_table,
)
from pipeline.synthetic.filing_text import ANSWERS, FACTS, FILING
from pipeline.synthetic.grammar import Grammar, series
from pipeline.synthetic.ledger import NUM_SEGMENTS, YEARS, Ledger, make_ledger
from pipeline.synthetic.manuscript import Block, Fact, Heading, Manuscript, Prose, Row, Table, fact_of_cell
from pipeline.synthetic.names import Names

SUFFIXES = ("Instruments", "Works", "Industries", "Technologies")
SAID_ONCE = ("policy", "asset", "borrowing", "commitment", "property_line", "people", "controls_line")
NUM_ASKED = 3  # rows asked about, of each table
CHAPTERS = {  # as a filing with an authority numbers them, and as a printed report does
    True: {
        "business": "Item 1. Business",
        "risks": "Item 1A. Risk Factors",
        "properties": "Item 2. Properties",
        "people": "Item 4. Employees",
        "discussion": "Item 7. Management's Discussion and Analysis of Financial Condition and Results of Operations",
        "controls": "Item 7A. Controls and Procedures",
        "statements": "Item 8. Financial Statements and Supplementary Data",
    },
    False: {
        "business": "1 Our business",
        "risks": "2 What may go wrong",
        "properties": "3 Where we work",
        "people": "4 Who works for us",
        "discussion": "5 The year in figures",
        "controls": "6 How we keep watch",
        "statements": "7 Financial statements",
    },
}


@dataclass(frozen=True)
class Company:
    """Who reports: its name, its segments with what they sell, and its books in thousands."""

    name: str
    segments: list[tuple[str, str]]
    books: Ledger


def compose_filing(rng: random.Random, index: int, length: int, *, is_tagged: bool) -> Manuscript:
    """Write a report; `length` multiplies its prose, and a tagged one has the form of a filing."""
    names = Names(rng)
    words = {"boss": [names.person().name], "plant": [names.place()], "ticker": [names.coined()[:4].upper()]}
    grammar = Grammar(rng, FILING, ANSWERS, **words)
    name = f"{names.coined()} {SUFFIXES[index % len(SUFFIXES)]}"
    segments = [tuple(grammar.draw("segment_set").split("; ")) for _ in range(NUM_SEGMENTS)]
    company = Company(name, [(segment, products) for segment, products in segments], make_ledger(rng))
    planted = [plant(grammar, line, C=name) for line in FACTS.strip().splitlines()]
    titles = CHAPTERS[is_tagged]
    blocks: list[Block] = [
        Heading(titles["business"]), *business(grammar, company, length, [text for text, _ in planted]),
        Heading(titles["risks"]), *risks(grammar, company, length),
        Heading(titles["properties"]),
        *paragraphs(grammar, company, "property_line", 2),
        Heading(titles["people"]),
        *paragraphs(grammar, company, "people", 2),
        Heading(titles["discussion"]), *discussion(grammar, company, length),
        Heading(titles["controls"]),
        *paragraphs(grammar, company, "controls_line", 2),
        Heading(titles["statements"]), *statements(grammar, company, length),
    ]  # fmt: skip
    facts = [fact for _, fact in planted] + table_facts(rng, blocks, name) + prose_facts(company)
    facts += know_year(company, blocks)
    title = f"{name}, Inc.: Annual Report {YEARS[0]}"
    return Manuscript("statement", title, (f"{name}, Inc.",), f"{YEARS[0] + 1}-02", tuple(blocks), tuple(facts), title)


def say(grammar: Grammar, company: Company, index: int, *rules: str) -> str:
    """Write a paragraph about one segment, the next in turn."""
    segment, products = company.segments[index % NUM_SEGMENTS]
    return grammar.paragraph(*rules, S=segment, P=products, C=company.name)


def paragraphs(grammar: Grammar, company: Company, rule: str, count: int) -> list[Prose]:
    """Write paragraphs of four sentences, each about the next segment; what holds for all of them is said once."""
    if rule in SAID_ONCE:
        count = min(count, grammar.num_unsaid(rule) // 4)
    return [Prose(say(grammar, company, k, *[rule] * 4)) for k in range(count)]


def business(grammar: Grammar, company: Company, length: int, told: list[str]) -> list[Block]:
    """Describe the company and its segments; the facts are spread over the section."""
    listed = series([f"{segment} ({products})" for segment, products in company.segments])
    blocks: list[Block] = [
        Heading("Overview", 2),
        Prose(f"{company.name}, Inc. reports three segments: {listed}. {told[0]} {told[1]}", whole=True),
    ]
    parts = [told[2 + k :: NUM_SEGMENTS] for k in range(NUM_SEGMENTS)]
    for k, (segment, _) in enumerate(company.segments):
        blocks.append(Heading(segment, 2))
        grammar.shuffle("business")
        blocks += [Prose(say(grammar, company, k, *["business"] * 4)) for _ in range(min(length, 6))]
        blocks += [Prose(f"{text} {say(grammar, company, k, 'business')}", whole=True) for text in parts[k]]
    return blocks


def risks(grammar: Grammar, company: Company, length: int) -> list[Block]:
    """Warn of one thing after the other."""
    blocks: list[Block] = [Prose("An investment in our shares involves risk. The following are those that we know of.")]
    for k in range(8 * length):
        blocks.append(Heading(say(grammar, company, k, "risk_title"), 2))
        blocks.append(Prose(say(grammar, company, k, *["risk"] * 5)))
    return blocks


def discussion(grammar: Grammar, company: Company, length: int) -> list[Block]:
    """Explain the figures of the statements."""
    books, now, then = company.books, YEARS[0], YEARS[1]
    blocks: list[Block] = [Heading("Results of operations", 2), Prose(revenue_line(books), whole=True)]
    blocks += paragraphs(grammar, company, "discuss", length)
    for k, (segment, _) in enumerate(company.segments):
        change = books[f"sales{k}", now] - books[f"sales{k}", then]
        causes = say(grammar, company, k, "cause_up" if change >= 0 else "cause_down").lower()
        text = f"Revenue of {segment} {moved(books, f'sales{k}')}, mainly because of {causes}."
        blocks += [Heading(segment, 2), Prose(f"{text} {say(grammar, company, k, *['discuss'] * 3)}", whole=True)]
    blocks += [Heading("Liquidity", 2), Prose(cash_line(books), whole=True)]
    blocks += paragraphs(grammar, company, "discuss", length)
    return blocks


def millions(amount: int) -> str:
    """Say an amount in thousands as prose does."""
    return f"${abs(amount) / 1000:,.1f} million"


def moved(books: Ledger, key: str) -> str:
    """Say how an amount changed over the year before."""
    now, then = books[key, YEARS[0]], books[key, YEARS[1]]
    verb = "increased" if now >= then else "decreased"
    return f"{verb} by {abs(now / then - 1) * 100:.1f} percent to {millions(now)}, from {millions(then)}"


def revenue_line(books: Ledger) -> str:
    """Sum up the income statement."""
    now = YEARS[0]
    share = books["gross", now] / books["revenue", now] * 100
    return (
        f"Net revenue {moved(books, 'revenue')}. Gross profit came to {share:.1f} percent of net revenue. "
        f"Net income {moved(books, 'net')}."
    )


def cash_line(books: Ledger) -> str:
    """Sum up the cash flows."""
    now = YEARS[0]
    return (
        f"Operating activities provided {millions(books['from_operating', now])} of cash, and capital expenditures "
        f"took {millions(books['capital_spending', now])}. We paid dividends of {millions(books['dividends', now])} "
        f"and bought back shares for {millions(books['bought_back', now])}."
    )


def prose_facts(company: Company) -> list[Fact]:
    """Ask for what the discussion says about the figures."""
    books, now = company.books, YEARS[0]
    change = abs(books["revenue", now] / books["revenue", now - 1] - 1) * 100
    share = books["gross", now] / books["revenue", now] * 100
    first, gross, _ = revenue_line(books).split(". ", 2)
    return [
        Fact(
            "prose",
            f"By how many percent did the net revenue of {company.name} change in {now}?",
            f"{change:.1f}",
            f"{first}.",
        ),
        Fact("prose", f"What percentage of net revenue was gross profit in {now}?", f"{share:.1f}", f"{gross}."),
    ]


def know_year(company: Company, blocks: list[Block]) -> list[Fact]:
    """Return the summary of the year, and why the revenue of each segment moved."""
    told = [SENTENCE_END.split(block.text) for block in blocks if isinstance(block, Prose)]
    results = next(sentences for sentences in told if sentences[0].startswith("Net revenue "))
    causes = [
        next(s[0] for s in told if s[0].startswith(f"Revenue of {segment} ") and "mainly because of" in s[0])
        for segment, _ in company.segments
    ]
    cash = SENTENCE_END.split(cash_line(company.books))
    question = (
        f"Summarise the results of {company.name} in {YEARS[0]}: revenue and profit, the segments, and the cash flows."
    )
    quotes = [*results, *causes, *cash]
    sentences = [quote.replace("We paid", f"{company.name} paid") for quote in quotes]
    return [know_sentences("summary", question, sentences, quotes), *(know_cause(cause) for cause in causes)]


def know_cause(sentence: str) -> Fact:
    """Return why the revenue of a segment moved, from the sentence that says so."""
    what, cause = sentence.rstrip(".").split(", mainly because of ")
    segment, verb = re.match(r"Revenue of (.+?) (increased|decreased) by", what).groups()  # type: ignore[union-attr]
    base = "increase" if verb == "increased" else "decrease"
    return know(
        "why", f"Why did the revenue of {segment} {base} in {YEARS[0]}?", f"Mainly because of {cause}.", [sentence]
    )


def statements(grammar: Grammar, company: Company, length: int) -> list[Block]:
    """Present the statements and the notes to them."""
    books = company.books
    blocks: list[Block] = []
    for table in (income_table(books), balance_table(books), cash_table(books)):
        blocks += [Heading(table.caption, 2), table]
    notes: list[tuple[str, str, Table | None]] = [
        ("Accounting policies", "policy", None),
        ("Segments", "discuss", segment_table(books, [name for name, _ in company.segments])),
        ("Revenue by market", "discuss", market_table(books, grammar.rng)),
        ("Property, plant and equipment", "asset", property_table(books)),
        ("Debt", "borrowing", debt_table(books)),
        ("Commitments and contingencies", "commitment", None),
    ]
    for number, (title, rule, figures) in enumerate(notes, start=1):
        blocks.append(Heading(f"Note {number}. {title}", 2))
        blocks += paragraphs(grammar, company, rule, length)
        blocks += [figures] if figures else []
    return blocks


def table_facts(rng: random.Random, blocks: list[Block], name: str) -> list[Fact]:
    """Ask for cells of every table."""
    facts = []
    for table in (block for block in blocks if isinstance(block, Table)):
        rows = [row for row in table.rows if row.cells]
        facts += [ask_cell(table, row, rng, name) for row in rng.sample(rows, min(NUM_ASKED, len(rows)))]
    return facts


def ask_cell(table: Table, row: Row, rng: random.Random, name: str) -> Fact:
    """Ask for one cell, in thousands of dollars but for amounts per share."""
    index = rng.randrange(len(row.cells))
    column = table.header[index + 1]
    question = f"In “{table.caption}” of {name}, what stands under {column} for “{row.label}”?"
    return fact_of_cell(question, row, column, index)
