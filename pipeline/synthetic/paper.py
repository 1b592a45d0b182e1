"""Compose a research paper: a method, its data, tables of results, and prose that agrees with the tables."""

import random
from dataclasses import dataclass

from pipeline.synthetic.facts import SENTENCE_END, know_parts, plant
from pipeline.synthetic.grammar import Grammar, tidy
from pipeline.synthetic.manuscript import (
    Block,
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
from pipeline.synthetic.names import Names
from pipeline.synthetic.paper_text import FACTS, FUNDERS, PAPER
from pipeline.synthetic.topics import TOPICS

NUM_REFERENCES = 26
NUM_BASELINES = 4
NUM_SITES = 24
SECTIONS = (  # heading, level, rule of its sentences, paragraphs at length 1
    ("1 Introduction", 1, "intro", 2),
    ("2 Related work", 1, "related", 2),
    ("3 Method", 1, "method", 1),
    ("3.1 Overview", 2, "method", 1),
    ("3.2 Training", 2, "method", 1),
    ("4 Data", 1, "data", 2),
    ("5 Experimental setup", 1, "setup", 1),
    ("6 Results", 1, "analysis", 1),
    ("6.1 Conditions", 2, "result", 0),
    ("6.2 What the parts contribute", 2, "analysis", 1),
    ("6.3 Errors", 2, "analysis", 2),
    ("7 Discussion", 1, "discussion", 2),
    ("8 Limitations", 1, "limits", 1),
    ("9 Conclusion", 1, "conclusion", 1),
)
FACT_SECTIONS = ("3.1 Overview", "3.2 Training", "4 Data", "5 Experimental setup", "6.3 Errors")
SENTENCES_PER_PARAGRAPH = 4


@dataclass(frozen=True)
class Study:
    """The figures of one paper."""

    method: str
    baselines: list[str]  # from weak to strong
    collections: list[str]
    scores: list[tuple[str, float, float]]  # condition, strongest baseline, method
    sites: list[tuple[str, float, float]]  # the same per site


def compose_paper(rng: random.Random, index: int, length: int, num_cases: int) -> Manuscript:
    """Write the paper with this index, which decides its topic; `length` multiplies the prose."""
    names = Names(rng)
    references = [cited(names, rng) for _ in range(NUM_REFERENCES)]
    grammar = Grammar(rng, PAPER, FUNDERS, TOPICS[index % len(TOPICS)], num_sets=["three"], **citations(references))
    study = draw_study(rng, grammar, names)
    known = {"M": study.method, "D": study.collections[0], "B": study.baselines[-1]}
    planted = [plant(grammar, line, **known) for line in FACTS.strip().splitlines()]
    blocks: list[Block] = [Heading("Abstract", 2), abstract(grammar, study, known)]
    for heading, level, rule, num_paragraphs in SECTIONS:
        blocks.append(Heading(heading, level))
        blocks += paragraphs(grammar, rule, num_paragraphs * length, known)
        if heading in FACT_SECTIONS:
            blocks += told(grammar, rule, planted[FACT_SECTIONS.index(heading) :: len(FACT_SECTIONS)], known)
        blocks += evidence(grammar, study, heading, known)
    blocks += appendix(grammar, study, length, known, references)
    blocks += cases(grammar, study, num_cases, known)
    facts = [fact for _, fact in planted] + table_facts(blocks, grammar) + [know_paper(study, blocks, known)]
    title = f"{study.method}: {grammar.draw('title')}"
    authors = tuple(person.name for person in names.people(3))
    return Manuscript("paper", title, authors, str(2016 + rng.randrange(7)), tuple(blocks), tuple(facts), title)


def cited(names: Names, rng: random.Random) -> tuple[str, str, int]:
    """Return how a work is cited, how its authors are listed, and its year."""
    people, year = names.people(rng.choice((1, 2, 2, 3))), rng.randrange(1994, 2016)
    lasts = [person.last for person in people]
    short = lasts[0] if len(lasts) == 1 else " and ".join(lasts) if len(lasts) == 2 else f"{lasts[0]} et al."
    return short, ", ".join(person.initials for person in people), year


def citations(references: list[tuple[str, str, int]]) -> dict[str, list[str]]:
    """Return the rules for a citation in the sentence and in parentheses."""
    return {
        "R": [f"{short} ({year})" for short, _, year in references],
        "cite": [f"({short}, {year})" for short, _, year in references],
    }


def draw_study(rng: random.Random, grammar: Grammar, names: Names) -> Study:
    """Make up the figures."""
    scores = [(condition, *two_scores(rng)) for condition in grammar.rules["condition"]]
    sites = [(names.place(), *two_scores(rng)) for _ in range(NUM_SITES)]
    coined = [names.coined() for _ in range(1 + NUM_BASELINES)]
    return Study(coined[0].upper(), coined[1:], [f"{names.land()}-{k}" for k in (1, 2, 3)], scores, sites)


def two_scores(rng: random.Random) -> tuple[float, float]:
    """Return a score of the strongest baseline and a higher one of the method."""
    baseline = round(rng.uniform(52, 79), 1)
    return baseline, round(baseline + rng.uniform(1.1, 11.8), 1)


def abstract(grammar: Grammar, study: Study, known: dict[str, str]) -> Prose:
    """Sum the paper up; the mean gain is that over the conditions of Table 3."""
    gain = sum(m - b for _, b, m in study.scores) / len(study.scores)
    first = grammar.paragraph("abstract_open", "intro", "method", **known)
    claim = f"Over {len(study.scores)} conditions, {study.method} gains {gain:.1f} points on average over {known['B']}."
    return Prose(f"{first} {claim} {grammar.paragraph('analysis', 'limits', **known)}")


def paragraphs(grammar: Grammar, rule: str, count: int, known: dict[str, str]) -> list[Prose]:
    """Write paragraphs of one rule, as many as wanted or until it has no new sentence for another."""
    count = min(count, grammar.num_unsaid(rule) // SENTENCES_PER_PARAGRAPH)
    return [Prose(grammar.paragraph(*[rule] * SENTENCES_PER_PARAGRAPH, **known)) for _ in range(count)]


def told(grammar: Grammar, rule: str, planted: list[tuple[str, Fact]], known: dict[str, str]) -> list[Prose]:
    """Tell facts, two a paragraph, between sentences of the section."""
    texts = [text for text, _ in planted]
    pairs = [texts[k : k + 2] for k in range(0, len(texts), 2)]
    return [Prose(" ".join([grammar.say(rule, **known), *pair]), whole=True) for pair in pairs]


def evidence(grammar: Grammar, study: Study, heading: str, known: dict[str, str]) -> list[Block]:
    """Return the tables and figures of a section, and what is said about them."""
    rng = grammar.rng
    match heading:
        case "4 Data":
            return [collections_table(rng, study)]
        case "6 Results":
            return [methods_table(rng, study), learning_curve(rng, study)]
        case "6.1 Conditions":
            lines = [scored(grammar, "result", known, c=c, m=m, b=b) for c, b, m in study.scores]
            return [scores_table(study.scores, "Table 3. Scores by condition.", "Condition", known), *in_pairs(lines)]
        case "6.2 What the parts contribute":
            return [ablation_table(grammar, study)]
        case _:
            return []


def scored(grammar: Grammar, rule: str, known: dict[str, str], c: str, b: float, m: float) -> str:
    """Say how the method did under one condition or at one site."""
    return grammar.say(rule, **known, c=c.lower(), site=c, b=f"{b:.1f}", m=f"{m:.1f}", gain=f"{m - b:.1f}")


def in_pairs(lines: list[str]) -> list[Prose]:
    """Join sentences into paragraphs of two."""
    return [Prose(" ".join(lines[k : k + 2])) for k in range(0, len(lines), 2)]


def collections_table(rng: random.Random, study: Study) -> Table:
    """Describe the data sets by what no sentence says."""
    rows = [
        row_of(name, [f"{rng.uniform(11, 98):.1f}", f"{rng.uniform(0.6, 9.5):.1f}", str(rng.randrange(1996, 2014))])
        for name in study.collections
    ]
    header = ("Collection", "Labelled (%)", "Rare (%)", "First year")
    return Table("Table 1. The collections.", header, tuple(rows))


def methods_table(rng: random.Random, study: Study) -> Table:
    """Compare the method with its baselines on every collection, better from row to row."""
    start = [rng.uniform(41, 52) for _ in study.collections]
    rows = []
    for method in [*study.baselines, study.method]:
        rows.append(row_of(method, [f"{score:.1f}" for score in start]))
        start = [score + rng.uniform(1.2, 7.4) for score in start]
    return Table("Table 2. Scores by collection (mean over seeds).", ("Method", *study.collections), tuple(rows))


def scores_table(scores: list[tuple[str, float, float]], caption: str, head: str, known: dict[str, str]) -> Table:
    """Show the strongest baseline, the method and the gain."""
    rows = [row_of(name, [f"{b:.1f}", f"{m:.1f}", f"+{m - b:.1f}"]) for name, b, m in scores]
    return Table(caption, (head, known["B"], known["M"], "Gain"), tuple(rows))


def ablation_table(grammar: Grammar, study: Study) -> Table:
    """Show what is lost without each part."""
    score = grammar.rng.uniform(78, 88)
    full = row_of(study.method, [f"{score:.1f}", "0.0"])
    parts = sorted({tidy(grammar.expand(part, {})) for part in grammar.rules["part"]})
    losses = [round(grammar.rng.uniform(0.3, 8.9), 1) for _ in parts]
    rows = [
        row_of(f"without {part[0].lower()}{part[1:]}", [f"{score - loss:.1f}", f"-{loss:.1f}"])
        for part, loss in zip(parts, losses, strict=True)
    ]
    return Table(
        f"Table 4. Parts removed one by one, on {study.collections[0]}.", ("Variant", "Score", "Change"), (full, *rows)
    )


def learning_curve(rng: random.Random, study: Study) -> Figure:
    """Draw scores against the share of labels."""
    lines = []
    for rank, method in enumerate([*study.baselines[-2:], study.method]):
        top = 60 + 8 * rank + rng.uniform(0, 4)
        lines.append((method, tuple(top - 30 / (1 + k) for k in range(10))))
    return Figure("Figure 1. Score against the share of labels used, in tenths.", tuple(lines))


def appendix(
    grammar: Grammar, study: Study, length: int, known: dict[str, str], references: list[tuple[str, str, int]]
) -> list[Block]:
    """Return the references, and behind them the sites one by one."""
    listed = [
        Prose(f"{authors} ({year}). {grammar.say('reference', **known)} {grammar.draw('venue')} {volume}.")
        for volume, (_, authors, year) in enumerate(sorted(references, key=lambda reference: reference[1]), start=7)
    ]
    lines = [scored(grammar, "site_line", known, *site) for site in study.sites[: 4 * length]]
    table = scores_table(study.sites, "Table A1. Scores by site.", "Site", known)
    return [
        Heading("References"), *listed, Heading("A Details of data and training"),
        *paragraphs(grammar, "appendix", length, known), Heading("B Sites"), *in_pairs(lines), table,
    ]  # fmt: skip


def cases(grammar: Grammar, study: Study, count: int, known: dict[str, str]) -> list[Block]:
    """Go through single cases, each at a site of Table A1."""
    told: list[Block] = [Heading("C Cases")]
    for n in range(1, count + 1):
        label, off, b_off = grammar.rng.randrange(20, 80), grammar.rng.randrange(2, 9), grammar.rng.randrange(9, 19)
        figures = {"label": label, "m": label + off, "b": label + b_off, "off": off, "boff": b_off, "n": n}
        site = grammar.rng.choice(study.sites)[0]
        words = known | {name: str(figure) for name, figure in figures.items()} | {"site": site}
        told.append(Prose(grammar.paragraph("case", "case_comment", "case_comment", **words)))
    return told


def know_paper(study: Study, blocks: list[Block], known: dict[str, str]) -> Fact:
    """Return the summary of a paper: its subject, its claim, where it gains most and least, what it needs most."""
    opening = next(block for block in blocks if isinstance(block, Prose))
    subject, *others = SENTENCE_END.split(opening.text)
    claim = next(sentence for sentence in others if " points on average over " in sentence)
    tables = {block.caption.partition(".")[0]: block for block in blocks if isinstance(block, Table)}
    gains = sorted(tables["Table 3"].rows, key=lambda row: float(row.cells[-1].text))
    needed = min(tables["Table 4"].rows, key=lambda row: float(row.cells[-1].text))
    limits = blocks[blocks.index(Heading("8 Limitations")) + 1]
    limit = SENTENCE_END.split(limits.text)[0] if isinstance(limits, Prose) else ""
    parts = [
        (subject.replace("We study", "The paper studies"), (0,)),
        (claim, (1,)),
        (
            f"The gain over {known['B']} is largest under the condition “{gains[-1].label}”"
            f" ({gains[-1].cells[-1].text.lstrip('+')} points) and smallest under “{gains[0].label}”"
            f" ({gains[0].cells[-1].text.lstrip('+')} points).",
            (2, 3),
        ),
        (f"Of the variants, “{needed.label}” loses most ({needed.cells[-1].text.lstrip('-')} points).", (4,)),
        (f"As a limitation, the paper says: {limit}", (5,)),
    ]
    quotes = [subject, claim, quote_of(gains[-1]), quote_of(gains[0]), quote_of(needed), limit]
    question = f"Summarise this paper: what {study.method} is for, what it achieves and where, and what limits it."
    return know_parts("summary", question, parts, quotes)


def table_facts(blocks: list[Block], grammar: Grammar) -> list[Fact]:
    """Return facts of every table, each cell asked for by row and column."""
    metric = grammar.rules["metric"][0]
    facts = []
    for table in (block for block in blocks if isinstance(block, Table)):
        name = table.caption.partition(".")[0]
        rows = grammar.rng.sample(table.rows, min(3, len(table.rows)))
        facts += [ask_cell(name, table, row, grammar.rng, metric) for row in rows]
    return facts


def ask_cell(name: str, table: Table, row: Row, rng: random.Random, metric: str) -> Fact:
    """Ask for one cell of a row."""
    index = rng.randrange(len(row.cells))
    column = table.header[index + 1]
    what = (
        f"value under “{column}”"
        if name == "Table 1" or column in ("Gain", "Change")
        else f"score ({metric}) under “{column}”"
    )
    return fact_of_cell(f"In {name}, what is the {what} for {row.label}?", row, column, index)
