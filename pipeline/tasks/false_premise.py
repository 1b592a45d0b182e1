"""Ask with a false premise, which the answer corrects."""

from pipeline.tasks.task import Task, WorkedExample

TASK = Task(
    name="false_premise",
    version="false_premise-1",
    categories=("book", "paper", "report", "statement"),
    num_quotes=(1, 3),
    quotes_may_repeat=True,
    prompt=(
        "Ask a question that takes something for granted which this document contradicts, as a reader who remembers it"
        " wrongly might: another person, year, direction, cause or amount. The question does not hint at the mistake."
        " The answer first says what is not so, then what the document says instead, in one to three sentences."
    ),
    note_for_judge="It takes for granted what the document contradicts, on purpose; correcting it is the answer.",
    worked_examples=(
        WorkedExample(
            question="Why did the council close the harbour of Varn in 1974?",
            evidence=((1, "In 1974 the harbour was widened; it has never been closed."),),
            statements=(("The council did not close it: in 1974 the harbour was widened, and it never closed.", (1,)),),
        ),
        WorkedExample(
            question="Which of her two sons does Mrs. Quell send to the mill?",
            evidence=(
                (1, "Mrs. Quell had one child, a girl named Ada."),
                (1, "So it was Ada who went down to the mill."),
            ),
            statements=(
                ("Mrs. Quell has no sons; her only child is a girl, Ada.", (1,)),
                ("It is Ada whom she sends to the mill.", (2,)),
            ),
        ),
    ),
)
