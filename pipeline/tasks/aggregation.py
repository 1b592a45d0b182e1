"""Ask for a count, a list of all, or a total over the whole document."""

from pipeline.tasks.task import Task, WorkedExample

TASK = Task(
    name="aggregation",
    version="aggregation-1",
    categories=("book", "paper", "report", "statement"),
    asks_about="whole",
    num_quotes=(2, 12),
    quotes_may_repeat=True,
    prompt=(
        "Ask how many of something there are in the whole document, for a list of all of them, or for a total over its"
        " parts, where nothing in the document counts or lists them already. The answer names each one that counts,"
        " with a quote for each, then the number or the total; a total is stated as an equation."
    ),
    worked_examples=(
        WorkedExample(
            question="How many of the towns that the report visits have no doctor? Name them.",
            evidence=(
                (1, "Orsk has been without a doctor since the war."),
                (1, "The doctor of Pell comes over from Varn on Mondays; the town has none of its own."),
                (1, "In Mirow we found neither a school nor a doctor."),
            ),
            statements=(
                ("Orsk has had no doctor since the war.", (1,)),
                ("Pell has none of its own.", (2,)),
                ("Mirow has no doctor either.", (3,)),
                ("That makes three towns.", (1, 2, 3)),
            ),
        ),
        WorkedExample(
            question="What do the three repairs that are named in the minutes cost together?",
            evidence=(
                (1, "Roof of the granary: 1,200 crowns."),
                (1, "The pump was repaired for 300 crowns."),
                (1, "New hinges for the gate, 45 crowns."),
            ),
            statements=(
                ("The granary's roof cost 1,200 crowns, the pump 300 and the hinges of the gate 45.", (1, 2, 3)),
                ("Together that is 1,200 + 300 + 45 = 1,545 crowns.", (1, 2, 3)),
            ),
        ),
    ),
)
