"""Ask why something happens in a book, or why a character acts as they do."""

from pipeline.tasks.task import Task

TASK = Task(
    name="why",
    version="why-1",
    categories=("book",),
    num_quotes=(1, 4),
    prompt=(
        "Ask why something happens in this book or why a character acts as they do, a question that takes "
        "understanding of the plot. The answer gives the reason as the book has it, in two to five sentences."
    ),
)
