"""Ask in several turns, of which the later ones depend on the earlier."""

from pipeline.tasks.task import Task, WorkedExample

TASK = Task(
    name="conversation",
    version="conversation-1",
    categories=("book", "paper", "report", "statement"),
    asks_about="whole",
    parts_are="earlier turns",
    num_parts=(1, 2),
    num_quotes=(1, 4),
    quotes_may_repeat=True,
    prompt=(
        "Write the questions of a reader who talks about this document in two or three turns: each later question"
        " follows from the answer before it and says 'it', 'she' or 'that' for what is known by then, so that it cannot"
        " be understood alone. The last one needs another place of the document than the first. Each answer is one to"
        " three sentences."
    ),
    note_for_judge="It is asked after its parts and their answers, and may refer to them.",
    worked_examples=(
        WorkedExample(
            question="And did she ever get it back?",
            parts=("Who runs the mill after the flood?", "How did she lose it?"),
            evidence=((1, "Nine years later the bank sold Ada the mill for what it had lent on it."),),
            statements=(("Yes: nine years later the bank sold it to Ada for the sum of the loan.", (1,)),),
        ),
        WorkedExample(
            question="By how much is that more than the year before?",
            parts=("What did Ondal Timber earn from exports in 2023?",),
            evidence=((1, "Exports earned 52 million crowns in 2023 and 40 million in 2022."),),
            statements=(("It is 12 million crowns more: 52 - 40 = 12.", (1,)),),
        ),
    ),
)
