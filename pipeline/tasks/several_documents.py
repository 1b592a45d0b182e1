"""Ask about three and more documents at once."""

from pipeline.passages.document_groups import in_threes
from pipeline.tasks.task import Task, WorkedExample

TASK = Task(
    name="several_documents",
    version="several_documents-1",
    categories=("book", "paper", "report", "statement"),
    related=in_threes,
    asks_about="places",
    num_quotes=(3, 12),
    quotes_may_repeat=True,
    max_answer_characters=3_000,
    prompt=(
        "Ask a question that takes all of these documents: which of them say something and which do not, how they"
        " differ in one respect, what they say together, or in which order they stand by some measure. The answer names"
        " each document and what it says, with a quote from each of them, then what follows from all."
    ),
    worked_examples=(
        WorkedExample(
            question="Which of the three harbours reports the deepest basin, and how do the others compare?",
            evidence=(
                (1, "The basin of Varn is 9 metres deep."),
                (2, "At Orsk ships of up to 7 metres can berth; the basin has 8."),
                (3, "Pell dredges its basin to 11 metres."),
            ),
            statements=(
                ("Pell has the deepest basin, 11 metres.", (3,)),
                ("Varn has 9 metres and Orsk 8.", (1, 2)),
            ),
        ),
        WorkedExample(
            question="What do the three papers say about moving a book twice?",
            evidence=(
                (1, "Each move wears the binding."),
                (2, "A second move doubles the time of a shift."),
                (3, "We saw no harm in a second move."),
            ),
            statements=(
                ("The first is against it for the wear of the binding, the second for the time it takes.", (1, 2)),
                ("The third found no harm in it.", (3,)),
                ("So two of three advise against a second move, for different reasons.", (1, 2, 3)),
            ),
        ),
    ),
)
