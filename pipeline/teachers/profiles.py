"""Whom a question is written for, what for, and how hard it is: drawn by seed, so that questions differ.

Source  personas and difficulty as in 'Scaling Synthetic Data Creation with 1,000,000,000 Personas' (arXiv 2406.20094);
        the lists are our own
"""

from dataclasses import dataclass
from itertools import product

from pipeline.records import Category
from pipeline.stable_order import stable_shuffle

READERS: dict[Category, tuple[str, ...]] = {
    "book": (
        "a student of literature",
        "a book club's host",
        "a translator of the book",
        "someone who read it years ago",
        "a screenwriter who adapts it",
        "a historian of its time",
    ),
    "paper": (
        "a doctoral student new to the field",
        "an engineer who wants to build it",
        "a reviewer",
        "a science journalist",
        "a statistician",
        "a researcher of a neighbouring field",
    ),
    "report": (
        "a civil servant who must act on it",
        "a journalist",
        "an economist",
        "a member of parliament",
        "a lawyer",
        "a newcomer who has to apply it",
    ),
    "statement": (
        "an investor",
        "an auditor",
        "an analyst of a competitor",
        "a supplier who gives credit",
        "an employee with shares",
        "a student of accounting",
    ),
}
PURPOSES = (
    "to decide something",
    "to explain it to somebody else",
    "to check a claim that they heard",
    "to prepare a talk",
    "to find a mistake",
    "to write about it",
    "to learn how it hangs together",
)
DIFFICULTIES = (
    "easy for one who has read it",
    "hard: it takes close reading",
    "very hard: it takes thought about what was read",
)


@dataclass(frozen=True)
class Profile:
    """Whom a question is written for, what for, and how hard it is."""

    reader: str
    purpose: str
    difficulty: str

    def __str__(self) -> str:
        """Return it as part of an instruction."""
        return f"Write it for {self.reader} who reads {self.purpose}, and make it {self.difficulty}."


def draw_profiles(category: Category, seed: int, key: str) -> list[Profile]:
    """Return all profiles of readers of a category, shuffled by seed and key."""
    drawn = [Profile(*parts) for parts in product(READERS[category], PURPOSES, DIFFICULTIES)]
    return stable_shuffle(drawn, "profile", seed, key, key=str)
