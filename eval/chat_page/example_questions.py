"""Questions to begin with, by the category of the documents."""

from collections.abc import Sequence

from pipeline.records import Category

EXAMPLES: dict[Category, tuple[str, ...]] = {
    "book": (
        "Summarise the book in five sentences.",
        "Who are the main characters, and what does each of them want?",
        "What turns the story, and why?",
    ),
    "paper": (
        "What are the main contributions of this paper?",
        "What are its strong and its weak points? Give your reasons.",
        "Which results support its main claim? Give the figures.",
    ),
    "report": (
        "What are the main findings of this report, with their figures?",
        "What does it expect for the next years?",
        "Which risks does it name?",
    ),
    "statement": (
        "What were total revenue and net income in the last two years?",
        "What changed most against the year before, and why?",
        "Which risks does the company name?",
    ),
}
TOGETHER = ("What do these documents have in common?", "Where do these documents disagree?")


def list_examples(categories: Sequence[Category]) -> list[str]:
    """Return questions for documents of some categories: about several of them together first, then about each."""
    found = list(TOGETHER) if len(categories) > 1 else []
    for category in dict.fromkeys(categories):
        found += EXAMPLES.get(category, ())
    return found
