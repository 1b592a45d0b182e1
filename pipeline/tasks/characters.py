"""Ask how two characters of a book compare."""

from pipeline.tasks.task import Task, WorkedExample

TASK = Task(
    name="character_comparison",
    version="character_comparison-1",
    categories=("book",),
    asks_about="places",
    num_quotes=(2, 8),
    quotes_may_repeat=True,
    max_answer_characters=2_500,
    prompt=(
        "Ask how two characters of this book compare in one respect: what they want, how they act under pressure, how"
        " they speak, what they know of each other, how they change. The answer shows each by what they do and say, and"
        " draws the comparison; there is a quote about each of them."
    ),
    worked_examples=(
        WorkedExample(
            question="How do Torvin Hale and his daughter differ in the way they meet the notary?",
            evidence=(
                (1, "Hale did not get up, and looked at the river while the man spoke."),
                (1, "Ada put the lamp between them and asked for the figure in writing."),
            ),
            statements=(
                ("Torvin Hale refuses to deal with the notary and does not even look at him.", (1,)),
                ("His daughter deals with him soberly: she wants the figure in writing.", (2,)),
            ),
        ),
        WorkedExample(
            question="Who of the two brothers is more afraid of the crossing, and how does it show?",
            evidence=(
                (1, "Jon laughed too loudly at every wave."),
                (1, "Per slept through the night with his hat over his face."),
            ),
            statements=(
                ("Jon is: he laughs too loudly at every wave.", (1,)),
                ("Per is calm enough to sleep through the night.", (2,)),
            ),
        ),
    ),
)
