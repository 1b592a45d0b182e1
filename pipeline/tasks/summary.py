"""Ask for a summary of a matter that several places are about."""

from pipeline.tasks.task import Task

TASK = Task(
    name="summary",
    version="summary-1",
    categories=("book", "paper", "report", "statement"),
    num_quotes=(3, 8),
    prompt=(
        "Ask for a summary of one matter that this document treats in several places, not of the whole "
        "document. The answer is a paragraph that puts together what the places say, without opinions of its "
        "own; every statement in it is carried by a quote."
    ),
)
