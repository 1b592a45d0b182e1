"""Ask for what a document says as a table."""

from pipeline.tasks.task import Task, WorkedExample

TASK = Task(
    name="table_extraction",
    version="table_extraction-1",
    categories=("book", "paper", "report", "statement"),
    asks_about="places",
    num_quotes=(2, 12),
    quotes_may_repeat=True,
    max_answer_characters=3_000,
    statements_joined_by="\n",
    prompt=(
        "Ask for a table of things that this document describes in prose or in several tables: say what a row is and"
        " which columns it has. The answer is that table in Markdown and nothing else: its first statement is the line"
        " of heads and the line of dashes under it, each further one is a row, with the figures and words as they are"
        " printed; a cell that the document does not fill has a dash."
    ),
    worked_examples=(
        WorkedExample(
            question="Make a table of the three dikes with the year in which each was built and its height.",
            evidence=(
                (1, "The north dike, built in 1931, is 5 metres high."),
                (1, "The sea dike of 1954 stands 7.5 metres above the mud."),
                (1, "Nobody knows when the old dike was raised to its 3 metres."),
            ),
            statements=(
                ("| Dike | Built | Height |\n|---|---|---|", (1, 2, 3)),
                ("| north dike | 1931 | 5 metres |", (1,)),
                ("| sea dike | 1954 | 7.5 metres |", (2,)),
                ("| old dike | – | 3 metres |", (3,)),
            ),
        ),
        WorkedExample(
            question="List the trials in a table: name of the shelf, number of books, minutes.",
            evidence=(
                (1, "Shelf A, with 310 books, took 12 minutes."),
                (1, "We needed 37.5 minutes for the 900 books of shelf C."),
            ),
            statements=(
                ("| Shelf | Books | Minutes |\n|---|---|---|", (1, 2)),
                ("| A | 310 | 12 |", (1,)),
                ("| C | 900 | 37.5 |", (2,)),
            ),
        ),
    ),
)
