"""Ask a question whose answer is put together from places that are far apart; `ratios` and `chain` need no model."""

from pipeline.tasks.task import Task

TASK = Task(
    name="multi_hop",
    version="multi_hop-1",
    categories=("book", "paper", "report", "statement"),
    quotes_may_repeat=True,
    num_quotes=(2, 6),
    prompt=(
        "Ask a question whose answer has to be put together from at least two places of this document that lie far"
        " apart, neither of which answers it alone. The answer says how the places together give it."
    ),
)
