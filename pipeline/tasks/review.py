"""Ask for a review of a paper by the guidelines of a conference."""

from pipeline.tasks.task import Task

TASK = Task(
    name="review",
    version="review-1",
    categories=("paper",),
    num_quotes=(3, 8),
    prompt=(
        "Write what a careful reviewer of a machine-learning conference would: the question asks for a review "
        "by the guidelines of such a conference and for advice that would raise the chance of acceptance. The "
        "answer has the parts Summary, Strengths, Weaknesses, Questions, Advice; every statement about the "
        "paper is carried by a quote."
    ),
)
