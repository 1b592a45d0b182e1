"""Ask what a term means in a document."""

from pipeline.tasks.task import Task, WorkedExample

TASK = Task(
    name="definition",
    version="definition-1",
    categories=("book", "paper", "report", "statement"),
    num_quotes=(1, 3),
    quotes_may_repeat=True,
    prompt=(
        "Ask what a term, a symbol or an abbreviation means in this document: one that it defines itself, or uses in a"
        " sense of its own. The answer gives the meaning that the document gives it, and where the word is used"
        " otherwise elsewhere, the difference, in one to three sentences."
    ),
    worked_examples=(
        WorkedExample(
            question="What does the company mean by “comparable yards”?",
            evidence=((1, "Comparable yards are those that we have run for at least thirteen months."),),
            statements=(("Yards that the company has run for at least thirteen months.", (1,)),),
        ),
        WorkedExample(
            question="In which sense does the paper use the word “patience”?",
            evidence=(
                (1, "By patience we mean the greedy rule of the card game of that name."),
                (1, "It asks for no waiting at all."),
            ),
            statements=(
                ("It means the greedy rule of the card game of that name.", (1,)),
                ("It has nothing to do with waiting.", (2,)),
            ),
        ),
    ),
)
