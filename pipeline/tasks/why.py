"""Ask why something happens or is so, and for what a document lets a reader infer."""

from pipeline.tasks.task import Task, WorkedExample

WHY = Task(
    name="why",
    version="why-2",
    categories=("book", "paper", "report", "statement"),
    num_quotes=(1, 4),
    quotes_may_repeat=True,
    prompt=(
        "Ask why something happens, is done or is so: in a book why a character acts as they do, in a paper why a"
        " method works or fails, in a report or statement what caused a development. The answer gives the reason as"
        " the document has it, in two to five sentences."
    ),
    worked_examples=(
        WorkedExample(
            question="Why does Ilsa Korr burn the ledger the night before the auditors come?",
            evidence=(
                (1, "Her brother's name was on every second page, beside sums that no weaver ever earned."),
                (1, "“They may hang me for a fire,” she said, “but not him for a column of figures.”"),
            ),
            statements=(
                ("The ledger shows her brother beside sums that no weaver could have earned.", (1,)),
                ("She would rather be punished for the fire than see him punished for the figures.", (2,)),
            ),
        ),
        WorkedExample(
            question="What made the cost of freight rise at Ondal Timber in its second quarter?",
            evidence=((1, "Freight rose by 4 percent, as low water on the Ond forced us to use lorries."),),
            statements=(("Low water on the Ond forced the company to use lorries.", (1,)),),
        ),
    ),
)
INFERENCE = Task(
    name="inference",
    version="inference-1",
    categories=("book", "paper", "report", "statement"),
    num_quotes=(1, 4),
    quotes_may_repeat=True,
    prompt=(
        "Ask a question whose answer the document does not state but makes certain or very likely for a careful"
        " reader. The answer says what follows and from which words, step by step, in two to five sentences, and adds"
        " nothing that the words do not support."
    ),
    worked_examples=(
        WorkedExample(
            question="Does the ferryman know who his passenger is before they reach the island?",
            evidence=(
                (1, "“Careful with your bad knee, sir,” said the ferryman, though nobody had spoken of it."),
                (1, "Only the family had ever been told about the fall."),
            ),
            statements=(
                ("Very likely he does: he mentions the passenger's bad knee although nobody has spoken of it.", (1,)),
                ("Since only the family knew of the fall, he must have learned from them who this is.", (2,)),
            ),
        ),
        WorkedExample(
            question="Could the second sensor have caused the gap in the temperature record?",
            evidence=(
                (1, "The gap lasts from 3 to 9 May."),
                (1, "Sensor 2 was mounted on 14 May and has run ever since."),
            ),
            statements=(("No: the gap ends on 9 May, and the second sensor was only mounted on 14 May.", (1, 2)),),
        ),
    ),
)
TASKS = (WHY, INFERENCE)
