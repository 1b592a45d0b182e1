"""Ask a question whose answer is put together from places that are far apart; `ratios` and `chain` need no model."""

from pipeline.tasks.task import Task, WorkedExample

TASK = Task(
    name="multi_hop",
    version="multi_hop-1",
    categories=("book", "paper", "report", "statement"),
    quotes_may_repeat=True,
    num_quotes=(2, 6),
    prompt=(
        "Ask a question whose answer has to be put together from at least two places of this document that lie far"
        " apart, neither of which answers it alone: think of a single question for each place, then merge them into one"
        " that cannot be answered without answering each, and that does not give away what one of the places says. The"
        " answer says how the places together give it."
    ),
    asks_about="places",
    parts_are="merged",
    num_parts=(2, 3),
    note_for_judge="It is merged from its parts, and is not worth asking if it can be answered without one of them.",
    worked_examples=(
        WorkedExample(
            question="How old was the engineer who raised the dike that broke in March?",
            parts=("Which dike broke in March?", "Who raised the north dike?", "When was Hale born?"),
            evidence=(
                (1, "On 3 March the north dike gave way."),
                (1, "The north dike was raised in 1931 by the engineer Torvin Hale."),
                (1, "Hale was born at Orsk in 1890."),
            ),
            statements=(
                ("The dike that broke in March is the north dike, which Torvin Hale raised in 1931.", (1, 2)),
                ("He was born in 1890, so he was about 41: 1931 - 1890 = 41.", (2, 3)),
            ),
        ),
        WorkedExample(
            question="Does the shelf with the longest time also have the most books?",
            parts=("Which shelf took longest?", "How many books has each shelf?"),
            evidence=(
                (1, "Shelf C took longest, 37.5 minutes."),
                (1, "A has 310 books, B 1,020 and C 900."),
            ),
            statements=(("No: shelf C took longest, but B has more books, 1,020 against 900.", (1, 2)),),
        ),
    ),
)
