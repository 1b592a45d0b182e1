"""Ask what a reader would ask, answered from one place."""

from pipeline.tasks.task import Task

TASK = Task(
    name="lookup",
    version="lookup-1",
    categories=("book", "paper", "report", "statement"),
    num_quotes=(1, 2),
    prompt=(
        "Ask a question that a reader of this document would really ask, whose answer stands in one place of "
        "it. Do not quote the document in the question, and do not ask about its first page. The answer is "
        "one to three sentences."
    ),
)
