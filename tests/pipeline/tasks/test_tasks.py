"""Every kind of question: what it asks, what it leaves alone, and that its answers pass the checks."""

from dataclasses import replace

import pytest

from pipeline.checks.run import Bounds, list_checks
from pipeline.passages.document_groups import DocumentCard, alone, in_pairs, in_series, with_reviews
from pipeline.passages.passages import Passages
from pipeline.passages.tagged_figures import period_words
from pipeline.readers.common.sections import find_sections
from pipeline.records import Document, Fact, Statement
from pipeline.tasks.task import KnownFact, Supplied, all_tasks

FILING = """# Brask Lamps

## Consolidated Statements of Income

| (in millions) | 2023 | 2022 |
|---|---|---|
| Net revenue | 1,250 | 1,000 |
| Cost of lamps | 700 | 640 |
| Other | 9 | 8 |

## Consolidated Balance Sheets

| (in millions) | 2023 | 2022 |
|---|---|---|
| Total assets | 4,400 | 4,100 |
| Lamps in store | (310) | 280 |

### Where the lamps are

Most of them stand in the long hall behind the mill.

### Who counts the lamps

Nobody has counted the lamps since the great flood of the valley.

### When they are lit

All lamps are lit at nightfall, and not one of them before.
"""
PROSE = """# The Flood

On March 3, 1871, the river rose above the lowest step of the mill. The people went to see Ottoline Brask about it.

A committee first met on June 9, 1868, in the hall behind the bakery. It heard the engineer Torvin Hale for an hour.

On August 21, 1874, the new wall was opened by the mayor of the town. Everyone spoke of the Harbour Society that day.
"""
CHECKS = list_checks(Bounds(1_000, 3_000))


def document(text: str, category: str, **changed) -> Document:
    fields = {"title": "A title", "num_tokens": 500, "split": "train", "licence": "CC0-1.0", "language": "en"}
    return Document(f"{len(text):064x}", category, "a.txt", text=text, sections=find_sections(text), **fields | changed)


def filing(name: str = "Brask Lamps", factor: int = 1) -> Document:
    text = FILING.replace("Brask Lamps", name)
    for digits in ("1,250", "1,000", "4,400", "4,100"):
        text = text.replace(digits, f"{int(digits.replace(',', '')) * factor:,}")
    found = []
    concepts = {"Net revenue": "Revenues", "Cost of lamps": "Cost", "Total assets": "Assets", "Other": "Other"}
    for label, concept in concepts.items():
        at = text.index(f"| {label}") + len(label) + 3
        for year in (2023, 2022):
            at = next(i for i in range(at, len(text)) if text[i].isdigit())
            end = text.index(" ", at)
            value = str(int(text[at:end].replace(",", "")) * 1_000_000)
            found.append(Fact(concept, value, "USD", f"{year}-01-01/{year}-12-31", (), 6, at, end))
            at = end
    made = document(text, "statement", title=f"{name}, Form 10-K", facts=tuple(found))
    return replace(made, doc_id=f"{factor}" * 64)


def asked(name: str, *documents: Document, known: tuple[KnownFact, ...] = ()) -> dict[str, str]:
    """Return questions and answers of a task, after making sure that they pass every check."""
    supplied = Supplied({documents[0].doc_id: known})
    found = list(all_tasks()[name].find_candidates([Passages(one) for one in documents], supplied))
    by_id = {one.doc_id: one for one in documents}
    assert [(e.question, name, r) for e in found for name, check in CHECKS.items() if (r := check(e, by_id))] == []
    return {example.question: example.answer for example in found}


def test_every_task_can_be_asked_by_one_of_the_teachers_and_has_a_name_of_its_own() -> None:
    for name, task in all_tasks().items():
        assert task.is_rule_based or task.prompt, name
        assert task.version.startswith(name)
        assert task.categories


def test_a_tagged_figure_is_asked_for_with_period_and_unit() -> None:
    answers = asked("fact", filing())
    (revenue,) = [a for q, a in answers.items() if "“Net revenue”" in q and "December 31, 2023" in q]
    assert revenue == "$1,250 million."
    assert not any("“Other”" in question for question in answers)  # says nothing without the row above it


def test_a_change_states_its_arithmetic() -> None:
    (answer,) = [a for q, a in asked("change", filing()).items() if "“Net revenue”" in q]
    assert "rose from $1,000 million to $1,250 million" in answer
    assert "1,250 - 1,000 = 250" in answer
    assert "250 / 1,000 * 100 = 25.0" in answer


def test_two_filings_are_compared_by_what_both_tag() -> None:
    answers = asked("comparison", filing(), filing("Hale Mills", 3))
    (revenue,) = [a for q, a in answers.items() if q.count("“Net revenue”") == 2 and "larger" in q]
    assert revenue.startswith(
        "“Hale Mills, Form 10-K” reports the larger amount: $3,750 million against $1,250 million"
    )
    assert not asked("comparison", filing(), filing())  # nothing tells them apart


def test_growth_is_compared_over_the_same_years_of_two_filings() -> None:
    grown = replace(filing("Hale Mills", 3), text=filing("Hale Mills", 3).text.replace("3,750", "3,900"))
    facts = tuple(replace(f, value="3900000000") if f.value == "3750000000" else f for f in grown.facts)
    answers = asked("comparison", filing(), replace(grown, facts=facts))
    (growth,) = [a for q, a in answers.items() if q.count("“Net revenue”") == 2 and "2022 to 2023" in q]
    assert growth == (
        "“Brask Lamps, Form 10-K”: (1,250 - 1,000) / 1,000 * 100 = 25.0 percent; “Hale Mills, Form 10-K”:"
        " (3,900 - 3,000) / 3,000 * 100 = 30.0 percent. It grew more in “Hale Mills, Form 10-K”."
    )
    wrong = tuple(replace(f, value="3600000000") if f.value == "3750000000" else f for f in grown.facts)
    disagreeing = asked("comparison", filing(), replace(grown, facts=wrong))
    assert not [q for q in disagreeing if q.count("“Net revenue”") == 2 and "2022 to 2023" in q]


def test_a_year_that_a_table_lacks_is_unanswerable() -> None:
    answers = asked("unanswerable", filing())
    (answer,) = [a for q, a in answers.items() if "“Net revenue”" in q]
    assert answer.startswith("The document does not say: there is no figure for 2024.")
    assert "2023: 1,250; 2022: 1,000" in answer


def test_an_unanswerable_question_that_is_answered_is_refused() -> None:
    task = all_tasks()["unanswerable"]
    example = next(task.candidates([Passages(filing())]))
    assert task.find_fault(example, {}) is None
    fault = task.find_fault(replace(example, answer="It was 12."), {})
    assert str(fault) == "unanswerable, but the answer does not say so"


def test_the_headings_below_one_are_listed_in_order() -> None:
    answers = asked("outline", filing())
    (answer,) = [a for q, a in answers.items() if "“Consolidated Balance Sheets”" in q]
    assert answer == "“Where the lamps are”; “Who counts the lamps”; “When they are lit”."


def test_events_are_put_in_the_order_of_time() -> None:
    ((question, answer),) = asked("timeline", document(PROSE, "book")).items()
    assert answer == "First (2) on June 9, 1868; then (1) on March 3, 1871; then (3) on August 21, 1874."
    assert question.count("____") == 3
    assert "1868" not in question


def test_the_first_mention_of_a_name_that_comes_again_is_asked_for() -> None:
    assert not asked("mention", document(PROSE, "book"))  # nobody is named more than once
    again = "\nLater all of them thanked Ottoline Brask. Ottoline Brask shook her head and left.\n"
    ((question, answer),) = asked("mention", document(PROSE + again, "book")).items()
    assert "“Ottoline Brask”" in question
    assert answer == "The people went to see Ottoline Brask about it."


def test_the_order_of_two_names_is_that_of_their_first_mentions() -> None:
    again = "\nTorvin Hale told Ottoline Brask. Ottoline Brask told Torvin Hale in her turn.\n"
    (answer,) = asked("order", document(PROSE + again, "book")).values()
    assert answer.startswith("“Ottoline Brask” appears first: The people went to see Ottoline Brask about it.")
    assert "Later “Torvin Hale” appears: It heard the engineer Torvin Hale" in answer


def test_known_facts_are_found_in_prose_and_in_tables() -> None:
    known = (
        KnownFact(
            "Where do most lamps stand?", "In the long hall", ("Most of them stand in the long hall behind the mill.",)
        ),
        KnownFact("What did the lamps cost in 2022?", "640", ("Cost of lamps 700 640",)),
        KnownFact("Who?", "Nobody", ("Most of them stand in the long hall", "These words stand nowhere.")),
    )
    assert asked("known", filing(), known=known) == {
        "Where do most lamps stand?": "In the long hall.",
        "What did the lamps cost in 2022?": "640.",
    }


def test_a_known_fact_of_several_places_is_an_example_of_its_task() -> None:
    quotes = ("Most of them stand in the long hall", "All lamps are lit at nightfall", "Total assets 4,400 4,100")
    answer = "They stand in the long hall and are lit at nightfall"
    statements = (Statement("They stand in the long hall", (0,)), Statement("are lit at nightfall", (1, 2)))
    fact = KnownFact("What is told of the lamps?", answer, quotes, "summary", statements)
    supplied = Supplied({filing().doc_id: (fact,)})
    (example,) = all_tasks()["known"].find_candidates([Passages(filing())], supplied)
    assert example.task == "summary"
    assert [" ".join(span.quote.split()) for span in example.evidence] == [
        "| (in millions) | 2023 | 2022 |",  # the head of the row
        "Total assets | 4,400 | 4,100",
        "Most of them stand in the long hall",
        "All lamps are lit at nightfall",
    ]
    assert [statement.quotes for statement in example.statements] == [(2,), (1, 3)]  # as evidence is ordered


def test_the_reports_of_a_series_are_asked_about_year_by_year() -> None:
    def report(year: int) -> Document:
        table = f"| | {year - 1} | {year} |\n|---|---|---|\n| Norvania | 2.{year % 10} | 3.1 |\n"
        text = f"# Outlook {year}\n\nGrowth of output\n\n{table}"
        return replace(document(text, "report", title=f"Outlook {year}", date=str(year)), doc_id=f"{year}" * 16)

    answers = asked("across", *(report(year) for year in (2017, 2018, 2019)))
    (answer,) = answers.values()
    assert answer == "Report of 2017, 2017: 3.1; report of 2018, 2018: 3.1; report of 2019, 2019: 3.1."


def card(number: int, category: str = "report", **changed) -> DocumentCard:
    year = str(2010 + number)
    fields = {"title": f"Outlook {year}", "authors": (), "date": year, "split": "train", "group": ""}
    return DocumentCard(f"{number:064d}", category, source="", num_tokens=1, **fields | changed)


def test_documents_belong_together_by_series_pairs_and_groups() -> None:
    paper, review = card(5, "paper", group="g"), card(6, "review", group="g")
    cards = [card(3), card(1), card(2), card(4, split="test"), paper, review]
    assert [[c.doc_id[-1] for c in unit] for unit in in_series(cards)] == [["1", "2", "3"]]
    assert [[c.doc_id[-1] for c in unit] for unit in with_reviews(cards)] == [["5", "6"]]
    assert all(one.split == other.split and one.category == other.category for one, other in in_pairs(cards))
    assert [unit[0].doc_id[-1] for unit in alone(cards)] == ["3", "1", "2", "4", "5"]
    assert sorted(map(str, in_pairs(cards))) == sorted(map(str, in_pairs(cards[::-1])))


@pytest.mark.parametrize(("period", "words"), [
    ("2023-12-31", "as of December 31, 2023"),
    ("2023-01-01/2023-12-31", "for the year that ended on December 31, 2023"),
    ("2023-10-01/2023-12-31", "for the quarter that ended on December 31, 2023"),
    ("2023-01-01/2023-09-30", ""),
    ("nonsense", ""),
])  # fmt: skip
def test_periods_have_words(period: str, words: str) -> None:
    assert period_words(period) == words
