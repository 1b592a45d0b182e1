"""Compose the yearly outlook of an institution: the same economies each year, and figures that agree over the years."""

import random

from pipeline.synthetic.facts import SENTENCE_END, know, know_sentences, plant
from pipeline.synthetic.grammar import Grammar
from pipeline.synthetic.manuscript import (
    Block,
    Box,
    Fact,
    Figure,
    Heading,
    Manuscript,
    Prose,
    Row,
    Table,
    fact_of_cell,
    quote_of,
    row_of,
)
from pipeline.synthetic.outlook_series import World, mean, percent
from pipeline.synthetic.outlook_text import FACTS, OUTLOOK, TOPICS

REPORT_YEARS = range(2012, 2024)
LONG_YEARS = (2014, 2018, 2022)
NUM_FINAL_YEARS = 5  # shown in the annex
NUM_ASKED = 6  # rows asked about, of each table
NUM_TOPICS = {True: 6, False: 2}  # of a long report, of a short one


def compose_outlook(world: World, rng: random.Random, year: int) -> Manuscript:
    """Write the report of one year."""
    grammar = Grammar(rng, OUTLOOK, E=["the region"], x=["food"], **{k: [v] for k, v in years_of(year).items()})
    is_long = year in LONG_YEARS
    growth, final, record = growth_table(world, year), final_table(world, year), record_table(world, year)
    planted = plant_all(grammar, world)
    blocks: list[Block] = [
        Heading("Foreword"), *prose(grammar, ["setting", "policy_line", "setting"], 2),
        Heading("Summary"), *summary(grammar, world, year),
        Heading("1 The setting"), *prose(grammar, ["setting"] * 4, 4 if is_long else 2),
        growth, global_figure(world, year),
    ]  # fmt: skip
    for number, region in enumerate(world.regions, start=2):
        blocks += region_chapter(grammar, world, year, number, region, planted, is_long)
    blocks += topic_chapters(grammar, world, year, is_long)
    blocks += [Heading("7 Our forecasts and what became of them"), *judgement(grammar, world, year), record]
    blocks += [Heading("Annex: final figures"), *prose(grammar, ["method_line"] * 4, 1), final]
    facts = [fact for _, fact in planted.values()] + table_facts(rng, growth, final, record, year)
    facts += [know_outlook(world, blocks, year), *know_chains(planted, blocks)]
    title = f"{world.institution} Outlook {year}"
    head = f"Outlook {year}"
    return Manuscript("report", title, (world.institution,), f"{year}-10", tuple(blocks), tuple(facts), head)


def prose(grammar: Grammar, rules: list[str], count: int, **known: str) -> list[Prose]:
    """Write paragraphs of one pattern."""
    return [Prose(grammar.paragraph(*rules, **known)) for _ in range(count)]


def plant_all(grammar: Grammar, world: World) -> dict[str, tuple[str, Fact]]:
    """Tell one thing each of a dozen economies."""
    lines = FACTS.strip().splitlines()
    chosen = grammar.rng.sample(world.economies, len(lines))
    return {economy: plant(grammar, line, E=economy) for economy, line in zip(chosen, lines, strict=True)}


def growth_table(world: World, year: int) -> Table:
    """Return the table of the year: a final figure, an estimate and two forecasts."""
    rows = []
    for region, economies in world.regions.items():
        columns = list(zip(*(world.outlook(economy, year) for economy in economies), strict=True))
        rows.append(Row(region))
        rows += [row_of(economy, [percent(figure) for figure in world.outlook(economy, year)]) for economy in economies]
        rows.append(Row(f"Mean, {region}", row_of("", [percent(mean(list(c))) for c in columns]).cells, is_total=True))
    header = ("Economy", str(year - 1), f"{year}e", f"{year + 1}f", f"{year + 2}f")
    return Table("Table 1.1 Growth of output (percent)", header, tuple(rows), "e: estimate; f: forecast.")


def final_table(world: World, year: int) -> Table:
    """Return the final figures of the years before."""
    years = range(year - NUM_FINAL_YEARS, year)
    rows = [row_of(economy, [percent(world.growth[economy, y]) for y in years]) for economy in world.economies]
    return Table("Table A.1 Growth of output, final figures (percent)", ("Economy", *map(str, years)), tuple(rows))


def record_table(world: World, year: int) -> Table:
    """Return what the two reports before said of last year, and what it came to."""
    past = year - 1
    rows = []
    for economy in world.economies:
        early, late, final = (
            world.said[economy, past - 1, past],
            world.said[economy, past, past],
            world.growth[economy, past],
        )
        rows.append(row_of(economy, [percent(early), percent(late), percent(final), percent(final - early)]))
    header = ("Economy", f"Forecast of {past - 1}", f"Estimate of {past}", "Outcome", "Error")
    note = "Error: outcome less the forecast of the year before, in percentage points."
    return Table(f"Table 7.1 Growth in {past}: forecast, estimate and outcome", header, tuple(rows), note)


def global_figure(world: World, year: int) -> Figure:
    """Draw the mean growth of each region over the years that are final."""
    years = range(year - NUM_FINAL_YEARS, year)
    lines = tuple(
        (region, tuple(mean([world.growth[economy, y] for economy in economies]) for y in years))
        for region, economies in world.regions.items()
    )
    return Figure(f"Figure 1.1 Mean growth by region, {years[0]} to {years[-1]} (percent)", lines)


def summary(grammar: Grammar, world: World, year: int) -> list[Prose]:
    """Sum up each region in figures that the growth table holds."""
    paragraphs = prose(grammar, ["setting", "setting", "risk"], 1)
    for region, economies in world.regions.items():
        now, after = (mean([world.outlook(economy, year)[k] for economy in economies]) for k in (1, 2))
        figures = (
            f"In the {region}, mean growth is put at {percent(now)} percent for {year} and at {percent(after)} percent"
        )
        rest = grammar.paragraph("setting", "policy_line", E=f"the {region}")
        paragraphs.append(Prose(f"{figures} for {year + 1}. {rest}", whole=True))
    return paragraphs


def region_chapter(
    grammar: Grammar,
    world: World,
    year: int,
    number: int,
    region: str,
    planted: dict[str, tuple[str, Fact]],
    is_long: bool,
) -> list[Block]:
    """Write the chapter of a region: its prices and debt, then its economies one by one."""
    blocks: list[Block] = [Heading(f"{number} {region}"), *prose(grammar, ["setting"] * 3, 1)]
    header = ("Economy", f"Inflation {year - 1}", f"Public debt {year - 1}")
    economies = world.regions[region]
    figures = {economy: [percent(s[economy, year - 1]) for s in (world.inflation, world.debt)] for economy in economies}
    rows = tuple(row_of(economy, figures[economy]) for economy in economies)
    blocks.append(Table(f"Table {number}.1 Prices (percent) and debt (percent of output)", header, rows))
    for index, economy in enumerate(economies, start=1):
        blocks.append(Heading(f"{number}.{index} {economy}", 2))
        blocks += economy_section(grammar, world, year, economy, is_long)
        if economy in planted:
            known = {"E": economy, "x": product_of(world, grammar, economy)}
            blocks.append(Prose(f"{planted[economy][0]} {grammar.say('policy_line', **known)}", whole=True))
    return blocks


def economy_section(grammar: Grammar, world: World, year: int, economy: str, is_long: bool) -> list[Block]:
    """Write about one economy, first its figures, then what drives them, then what may go wrong."""
    known = slots(world, year, economy) | {"x": product_of(world, grammar, economy)}
    lead = "lead_up" if world.growth[economy, year - 1] >= 0 else "lead_down"
    patterns = [[lead, "record", "driver", "estimate"], ["prices", "fiscal", "policy_line", "risk"]]
    if is_long:
        patterns[1:1] = [["driver", "driver", "policy_line"]]
        patterns.append(["policy_line", "driver", "risk", "policy_line", "risk"])
    return [Prose(grammar.paragraph(*rules, **known)) for rules in patterns]


def product_of(world: World, grammar: Grammar, economy: str) -> str:
    """Return what an economy exports, the same in every year."""
    products = grammar.rules["product"]
    return products[world.economies.index(economy) % len(products)]


def slots(world: World, year: int, economy: str) -> dict[str, str]:
    """Return the figures of one economy by the names that sentences use."""
    last, estimate, first, second = world.outlook(economy, year)
    figures = {"last": abs(last), "before": world.growth[economy, year - 2], "est": estimate, "f1": first, "f2": second}
    figures |= {"was": world.said[economy, year - 1, year - 1]}
    figures |= {"cpi": world.inflation[economy, year - 1], "debt": world.debt[economy, year - 1]}
    return {"E": economy} | {name: percent(figure) for name, figure in figures.items()}


def years_of(year: int) -> dict[str, str]:
    """Return the years that sentences name: last year, this one, and the next two."""
    return {"P": str(year - 1), "Y": str(year), "N": str(year + 1), "NN": str(year + 2)}


def topic_chapters(grammar: Grammar, world: World, year: int, is_long: bool) -> list[Block]:
    """Write the chapter on the topics of the year, each with a box about one economy."""
    blocks: list[Block] = [Heading("6 Topics of the year")]
    for k in range(NUM_TOPICS[is_long]):
        topic = TOPICS[(year + 5 * k) % len(TOPICS)]
        blocks += [Heading(f"6.{k + 1} What {topic} are worth", 2), *prose(grammar, ["topic_line"] * 4, 3, T=topic)]
        economy = grammar.rng.choice(world.economies)
        known = {"E": economy, "x": product_of(world, grammar, economy), "T": topic}
        rules = ("topic_line", "policy_line", "driver", "topic_line")
        box = tuple(Prose(grammar.paragraph(*rules, **known)) for _ in range(2))
        blocks.append(Box(f"Box 6.{k + 1} {topic.capitalize()} in {economy}", box))
    return blocks


def judgement(grammar: Grammar, world: World, year: int) -> list[Prose]:
    """Say how far last year's forecasts were off, in figures that the record holds."""
    past = year - 1
    errors = {e: world.growth[e, past] - world.said[e, past - 1, past] for e in world.economies}
    worst = max(errors, key=lambda economy: abs(errors[economy]))
    off = mean([abs(error) for error in errors.values()])
    text = (
        f"For {past}, the forecasts that we published in {past - 1} were off by {percent(off)} percentage points on "
        f"average, in either direction. The largest miss was {worst}, where growth came to "
        f"{percent(world.growth[worst, past])} percent and our forecast "
        f"had been {percent(world.said[worst, past - 1, past])} percent."
    )
    return [Prose(text, whole=True), *prose(grammar, ["setting", "risk", "setting"], 1)]


def know_outlook(world: World, blocks: list[Block], year: int) -> Fact:
    """Return the summary of what a report forecasts, and of what became of its forecasts."""
    sentences = [s for block in blocks if isinstance(block, Prose) for s in SENTENCE_END.split(block.text)]
    regions = [s for region in world.regions for s in sentences if s.startswith(f"In the {region}, mean growth")]
    off, miss = (s for s in sentences if s.startswith((f"For {year - 1}, the forecasts that", "The largest miss was")))
    question = (
        f"Summarise the growth outlook of {year}: the mean growth of each region in this year and the next, and how"
        " far earlier forecasts were off."
    )
    record = [off.replace("that we published", "published"), miss.replace("our forecast", "the forecast")]
    return know_sentences("summary", question, [*regions, *record], [*regions, off, miss])


def know_chains(planted: dict[str, tuple[str, Fact]], blocks: list[Block]) -> list[Fact]:
    """Return questions in which a table names an economy, and another place says what is asked about it."""
    facts = []
    for table in (block for block in blocks if isinstance(block, Table)):
        rows = [row for row in table.rows if row.cells and not row.is_total]
        for index, column in enumerate(table.header[1:]):
            ranked = sorted(rows, key=lambda row: float(row.cells[index].text))
            top, second = ranked[-1], ranked[-2]
            if top.label in planted and top.cells[index].text != second.cells[index].text:
                facts.append(ask_chain(table, column, top, index, planted[top.label][1]))
    return facts


def ask_chain(table: Table, column: str, row: Row, index: int, fact: Fact) -> Fact:
    """Return the question that names an economy only by its place in a table."""
    question = (
        f"Find the economy with the highest figure under “{column}” in “{table.caption}”."
        f" {fact.question.replace(row.label, 'this economy')}"
    )
    answer = f"It is {row.label}, with {row.cells[index].text}. {fact.quote}"
    return know("chain", question, answer, [" ".join(table.header), quote_of(row), fact.quote])


def table_facts(rng: random.Random, growth: Table, final: Table, record: Table, year: int) -> list[Fact]:
    """Ask for estimates and forecasts, for final figures over the years, and for forecasts beside outcomes."""
    facts = []
    for row in rng.sample([row for row in growth.rows if row.cells], NUM_ASKED):
        index = rng.randrange(1, 4)
        what = "estimate" if index == 1 else "forecast"
        question = f"In the {year} report, what is the {what} of growth for {row.label} in {year - 1 + index}?"
        facts.append(fact_of_cell(question, row, growth.header[index + 1], index, " percent"))
    for row in rng.sample(final.rows, NUM_ASKED):
        question = (
            f"How did output in {row.label} grow from {final.header[1]} to {final.header[-1]}, by the final figures?"
        )
        answer = ", ".join(cell.text for cell in row.cells) + " percent"
        facts.append(
            Fact("series", question, answer, quote_of(row), row.label, f"{final.header[1]}-{final.header[-1]}")
        )
    for row in rng.sample(record.rows, NUM_ASKED):
        forecast = f"for which {row.cells[0].text} percent was forecast"
        question = f"What was the outcome of growth in {row.label} in {year - 1}, {forecast}?"
        facts.append(fact_of_cell(question, row, "Outcome", 2, " percent"))
    return facts
