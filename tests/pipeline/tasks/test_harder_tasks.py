"""Tasks that take more than one look: counting, listing, relating, following."""

from dataclasses import replace

import pytest

from pipeline.passages.agreed_figures import find_yearly_rows, parse_cell
from pipeline.passages.passages import Passages
from pipeline.records import Document, Fact
from pipeline.tasks.rows import find_bound
from tests.pipeline.tasks.test_tasks import asked, document, filing

OUTLOOK = """# Outlook 2019

Table 1. Growth of output in per cent

| Economy | 2017 | 2018 |
|---|---|---|
| Norvania | 2.1 | 2.4 |
| Estholm | (0.4) | 1.1 |
| Sorvia | 6.3 | 5.9 |
| Kelmar | 3.3 | 2.2 |
| Ghestor | (1.4) | 0.3 |
| Delvor | 4.0 | 4.1 |

## 2 The economies

### 2.1 Norvania

The towns of Norvania grew faster than its villages did in the whole decade.

### 2.2 Sorvia

Farmers of Sorvia had the best harvest that anybody in the region remembered.
"""
CHAPTERS = """# The Mill

## Chapter One

“I will not sell the mill,” said Torvin Hale. The notary folded his paper.

“Then you will lose it,” replied Mrs. Quell. “I have lost more,” Torvin Hale said. “So you say,” he answered.

## Chapter Two

“Come in,” cried Olla.
"""
RULES = """# Rules

## 1. Lamps

Lamps are kept in the way that is described in Section 3 of these rules, and not otherwise.

## 2. Ladders

Ladders stand where they can be seen by all who have to climb them.

## 3. Stores

What is stored must be listed first, as Section 4 of these rules asks everybody to do.

## 4. Lists

Lists have a line for each thing and are signed by whoever wrote them.
"""


def test_rows_above_a_bound_are_counted_and_listed() -> None:
    answers = asked("rows", document(OUTLOOK, "report"))
    above = {
        answer
        for question, answer in answers.items()
        if "2018" in question and ("above" in question or "more than" in question)
    }
    assert len(above) == 1
    assert above <= {
        "There are two: “Sorvia”: 5.9; “Delvor”: 4.1.",
        "There are three: “Norvania”: 2.4; “Sorvia”: 5.9; “Delvor”: 4.1.",
    }


def test_negative_rows_and_falling_rows_are_listed_whole() -> None:
    answers = asked("rows", document(OUTLOOK, "report"))
    assert "There are two: “Estholm”: (0.4); “Ghestor”: (1.4)." in answers.values()
    assert not any("fell" in question or "lower" in question for question in answers)  # a year has negative figures
    positive = OUTLOOK.replace("(", "").replace(")", "")
    answers = asked("rows", document(positive, "report"))
    fallen = [answer for question, answer in answers.items() if "fell" in question or "are lower" in question]
    assert fallen == ["There are three: “Sorvia”: 6.3 to 5.9; “Kelmar”: 3.3 to 2.2; “Ghestor”: 1.4 to 0.3."]


def test_a_line_that_fell_to_zero_is_listed_and_one_that_fell_to_a_dash_leaves_no_question() -> None:
    positive = OUTLOOK.replace("(", "").replace(")", "")
    zero = asked("rows", document(positive.replace("| 4.0 | 4.1 |", "| 4.0 | 0.0 |"), "report")).values()
    assert any("“Kelmar”: 3.3 to 2.2; “Ghestor”: 1.4 to 0.3; “Delvor”: 4.0 to 0.0." in answer for answer in zero)
    dash = asked("rows", document(positive.replace("| 4.0 | 4.1 |", "| 4.0 | — |"), "report"))
    assert not any("fell" in question or "are lower" in question for question in dash)


def test_a_row_that_cannot_be_named_leaves_nothing_to_count() -> None:
    assert not asked("rows", document(OUTLOOK.replace("Kelmar |", "Total |"), "report"))


def test_lines_that_fell_must_have_fallen_by_their_tags_too() -> None:
    lines = "".join(f"| {name} | {now} | {was} |\n" for name, now, was in (
        ("Cost of oil", 70, 80), ("Cost of glass", 71, 81), ("Cost of wire", 99, 91), ("Cost of wicks", 74, 84),
    ))  # fmt: skip
    made = filing()
    at = made.text.index("| Cost of lamps")
    text = made.text[:at] + lines + made.text[at:].replace("| Other | 9 | 8 |\n", "", 1)
    facts = tuple(
        replace(fact, start=fact.start + len(lines) * (fact.start > at), end=fact.end + len(lines) * (fact.start > at))
        for fact in made.facts
        if fact.concept in ("Revenues", "Cost")
    )
    agreeing = replace(made, text=text, facts=facts)
    assert any("fell" in question or "are lower" in question for question in asked("rows", agreeing))
    swapped = tuple(
        replace(f, value={"1250000000": "1000000000", "1000000000": "1250000000"}.get(f.value, f.value)) for f in facts
    )
    assert len(find_yearly_rows(Passages(agreeing))) == 2
    assert not any("fell" in q or "are lower" in q for q in asked("rows", replace(agreeing, facts=swapped)))


def filing_with_income() -> Document:
    """A filing whose costs are tagged as its income, so that they relate to its assets."""
    concepts = {"Cost": "us-gaap:NetIncomeLoss", "Assets": "us-gaap:Assets"}
    made = filing()
    return replace(made, facts=tuple(replace(f, concept=concepts.get(f.concept, f.concept)) for f in made.facts))


def test_a_ratio_relates_lines_of_two_statements_and_shows_its_arithmetic() -> None:
    made = filing_with_income()
    answers = asked("ratios", made)
    assert "2023: 700 / 4,400 * 100 = 15.9 percent." in answers.values()
    assert (
        "2023: 700 / 4,400 * 100 = 15.9 percent; 2022: 640 / 4,100 * 100 = 15.6 percent. It was highest in 2023."
        in answers.values()
    )


def test_a_figure_whose_tag_and_cell_differ_is_related_to_nothing() -> None:
    made = filing_with_income()
    wrong_year = tuple(
        replace(f, period=f.period.replace("2023", "2021")) if "NetIncome" in f.concept else f for f in made.facts
    )
    wrong_value = tuple(replace(f, value="720000000") if f.value == "700000000" else f for f in made.facts)
    assert not asked("ratios", replace(made, facts=wrong_year))
    assert not any("2023: 720" in answer for answer in asked("ratios", replace(made, facts=wrong_value)).values())
    assert not asked("ratios", replace(made, facts=wrong_value))


def filing_with_a_repeat(printed: str = "4,400", tag: str = "4400000000", more: str = "") -> Document:
    """A filing that has its total assets for both years in a second table as well."""
    made = filing()
    head = "| (in millions) | 2023 | 2022 |\n|---|---|---|\n"
    text = f"{made.text}\n## Assets by country\n\n{head}| All assets | {printed} | 4,100 |\n"
    starts = [text.rindex(digits) for digits in (printed, "4,100")]
    again = [
        Fact("Assets", value, "USD", f"{year}-01-01/{year}-12-31", (), 6, start, start + 5)
        for value, year, start in zip((tag, "4100000000"), (2023, 2022), starts, strict=True)
    ]
    return replace(document(text + more, "statement"), facts=(*made.facts, *again), title="Brask Lamps, Form 10-K")


def test_the_other_tables_with_a_figure_are_listed_if_tags_and_cells_have_the_same_ones() -> None:
    answers = asked("repeats", filing_with_a_repeat())
    assert set(answers.values()) == {
        f"There is one: the table “Assets by country”, row “All assets”. The figure is {figure}."
        for figure in ("4,400", "4,100")
    }
    untagged = "\n## Others\n\n| (in millions) | 2023 | 2022 |\n|---|---|---|\n| What we own | 4,400 | 4,100 |\n"
    assert not asked("repeats", filing_with_a_repeat(more=untagged))  # a cell that no tag knows of
    other = asked("repeats", filing_with_a_repeat(printed="4,500", tag="4500000000"))
    assert all("4,100" in answer for answer in other.values())  # the figures of 2023 differ


def test_a_chain_leads_from_a_table_to_the_section_that_its_row_names() -> None:
    answers = asked("chain", document(OUTLOOK, "report"))
    highest = {answer for question, answer in answers.items() if "highest" in question}
    assert highest == {
        f"It is “Sorvia”, with {figure}. Its section begins: Farmers of Sorvia had the best harvest that anybody in the"
        " region remembered."
        for figure in ("6.3", "5.9")
    }
    assert not any("lowest" in question for question in answers)  # the lowest rows have no section


def test_a_chain_follows_single_references_from_section_to_section() -> None:
    ((question, answer),) = asked("chain", document(RULES, "report")).items()
    assert "“1. Lamps”" in question
    assert answer == "First “3. Stores”; then “4. Lists”. It ends at “4. Lists”."
    branching = RULES.replace("climb them.", "climb them.").replace("and not otherwise.", "and in Section 2 of them.")
    assert not asked("chain", document(branching, "report"))


def test_speakers_of_a_chapter_are_listed_in_the_order_of_their_first_words() -> None:
    ((question, answer),) = asked("speakers", document(CHAPTERS, "book")).items()
    assert "“Chapter One”" in question
    assert answer == "There are two: Torvin Hale, Mrs. Quell."


def test_headings_with_a_word_are_listed_wherever_they_are() -> None:
    text = RULES.replace("## 2. Ladders", "## 2. Ladders and stores").replace(
        "# Rules", "# Rules for stores\n\n# Rules"
    )
    ((question, answer),) = asked("headings", document(text.replace("3. Stores", "3. Old stores"), "report")).items()
    assert "“stores”" in question
    assert answer == "There are three: “Rules for stores”; “2. Ladders and stores”; “3. Old stores”."


@pytest.mark.parametrize(("cell", "value"), [
    ("(1,204)", "-1204"), ("$ 12.5", "12.5"), ("−3.1", "-3.1"), ("-0.4", "-0.4"), ("$(42)", "-42"), ("17 %", "17"),
])  # fmt: skip
def test_cells_are_read_with_their_signs(cell: str, value: str) -> None:
    assert str(parse_cell(cell)) == value


def test_a_dash_is_no_figure() -> None:
    assert parse_cell("—") is None


@pytest.mark.parametrize(
    ("low", "high", "bound"), [(763, 840, 800), (80, 99, 80), (5, 6, 5), (-3, 4, None), (99, 101, 100)]
)
def test_a_bound_is_the_roundest_number_between_two_figures(low: int, high: int, bound: int | None) -> None:
    assert find_bound(low, high) == bound
