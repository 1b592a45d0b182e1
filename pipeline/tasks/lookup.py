"""Ask what a reader would ask, answered from one place."""

from pipeline.tasks.task import Task, WorkedExample

TASK = Task(
    name="lookup",
    version="lookup-2",
    categories=("book", "paper", "report", "statement"),
    num_quotes=(1, 2),
    prompt=(
        "Ask a question that a reader of this document would really ask, whose answer is in one place of it. Do not"
        " quote the document in the question, and do not ask about its first page. The answer is one to three"
        " sentences."
    ),
    worked_examples=(
        WorkedExample(
            question="How long may a keeper of the Varn lighthouse be away before the harbour master is told?",
            evidence=((1, "A keeper absent for more than six hours shall be reported to the harbour master."),),
            statements=(("A keeper may be away for up to six hours; a longer absence is reported.", (1,)),),
        ),
        WorkedExample(
            question="Which reagent did the authors of the moss study replace, and for what reason?",
            evidence=((1, "We replaced acetone by ethanol, since acetone bleached the thinner leaves."),),
            statements=(("They used ethanol instead of acetone, because acetone bleached the thinner leaves.", (1,)),),
        ),
    ),
)
