"""Ask for a year that a table does not have; the answer says so, and what the table has instead."""

import re
from collections.abc import Iterator, Mapping, Sequence

from pipeline.passages.markdown_tables import YEAR, yearly_cells
from pipeline.passages.passages import Passages
from pipeline.records import Document, Example
from pipeline.rejections import Reason
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task, WorkedExample

NAME, VERSION = "unanswerable", "unanswerable-2"
WORDINGS = (
    "In {table}, what is the figure for “{row}” in {year}?",
    "What does {table} give for “{row}” in {year}?",
    "Which figure does {table} have for “{row}” in the year {year}?",
)
SAYS_SO = "The document does not say"
YEARS_BEYOND = (1, 2, -1, -2)  # years away from the last or the first column


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each row over several years, about a year nearby that the document never names."""
    passages = documents[0]
    for table in passages.named_tables:
        for row in table.figures:
            years = yearly_cells(table, row)
            asked = find_unnamed_year(passages, [column for column, _ in years]) if len(years) > 1 else ""
            if not asked:
                continue
            question = choose(WORDINGS, f"{table.name}|{row.label}").format(table=table.name, row=row.label, year=asked)
            given = "; ".join(f"{column}: {value}" for column, value in years)
            answer = f"{SAYS_SO}: there is no figure for {asked}. For “{row.label}” it gives {given}."
            evidence = [(passages, table.header_span), (passages, row.span)]
            yield build_example(documents, NAME, VERSION, question, answer, evidence)


def find_unnamed_year(passages: Passages, columns: Sequence[str]) -> str:
    """Return a year after the last column's or before the first's that no text names, '' if there is none."""
    years = [int(year) for column in columns for year in YEAR.findall(column)]
    if max(years) - min(years) != len(years) - 1:
        return ""  # the columns are chosen years, and any other is missing
    nearby = (str((max(years) if more > 0 else min(years)) + more) for more in YEARS_BEYOND)
    return next((year for year in nearby if year not in passages.document.text), "")


def find_fault(example: Example, _documents: Mapping[str, Document]) -> Reason | None:
    """Refuse an answer that does not say, in its first sentence, that the document has none."""
    said = re.search(r"\b(?:not|no|nowhere|never)\b", example.answer.split(".")[0])
    return None if said else Reason("unanswerable, but the answer does not say so")


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("book", "paper", "report", "statement"),
    candidates=candidates,
    quotes_may_repeat=True,
    expects_no_answer=True,
    prompt=(
        "Ask a question that a reader would expect this document to answer, and that it does not answer anywhere. The"
        " answer begins with 'The document does not say', then tells in one or two sentences what it has instead,"
        " and the quotes show that."
    ),
    note_for_judge="It is meant to have no answer in the document.",
    worked_examples=(
        WorkedExample(
            question="What did the harbour of Varn earn from berths in 2020?",
            evidence=((1, "Berths earned 31,000 crowns in 2021."),),
            statements=(
                ("The document does not say what berths earned in 2020.", ()),
                ("It has a figure for the year after: 31,000 crowns in 2021.", (1,)),
            ),
        ),
        WorkedExample(
            question="On which kind of computer did the authors run their sorting program?",
            evidence=((1, "The program was run a hundred times; we give the mean."),),
            statements=(
                ("The document does not say on which computer it was run.", ()),
                ("It only says that there were a hundred runs.", (1,)),
            ),
        ),
    ),
    find_fault=find_fault,
)
