"""Ask for instructions that a reader can follow."""

from pipeline.tasks.task import Task, WorkedExample

TASK = Task(
    name="instructions",
    version="instructions-1",
    categories=("book", "paper", "report"),
    asks_about="places",
    num_quotes=(2, 8),
    quotes_may_repeat=True,
    max_answer_characters=2_500,
    statements_joined_by="\n",
    prompt=(
        "Ask how a reader would do something that this document describes: repeat a method, follow a rule or a"
        " procedure, prepare or repair a thing. The answer is a numbered list of steps in their order, each carried by"
        " a quote, with the conditions and amounts that the document gives, and no step that it does not give."
    ),
    worked_examples=(
        WorkedExample(
            question="How do I have a boat registered at the harbour of Varn?",
            evidence=(
                (1, "Before a boat is registered it is measured by the harbour master."),
                (1, "The fee of 40 crowns is due within ten days after the measuring."),
            ),
            statements=(
                ("1. Have the boat measured by the harbour master.", (1,)),
                ("2. Pay the fee of 40 crowns within ten days.", (2,)),
            ),
        ),
        WorkedExample(
            question="What steps would I follow to sort a shelf by the authors' method?",
            evidence=(
                (1, "Take the books one by one from the left."),
                (1, "Lay each on the leftmost pile whose top is greater."),
                (1, "Put back the least top until the piles are empty."),
            ),
            statements=(
                ("1. Take the books one by one, from the left.", (1,)),
                ("2. Lay each on the leftmost pile with a greater book on top.", (2,)),
                ("3. Put back the least of the tops until no pile is left.", (3,)),
            ),
        ),
    ),
)
