"""Ask for a summary: of a matter that several places are about, or of the whole document."""

from pipeline.tasks.task import Task, WorkedExample

SUMMARY = Task(
    name="summary",
    version="summary-2",
    categories=("book", "paper", "report", "statement"),
    asks_about="places",
    num_quotes=(3, 8),
    quotes_may_repeat=True,
    prompt=(
        "Ask for a summary of one matter that this document treats in several places, not of the whole document. The"
        " answer is a paragraph that puts together what the places say, without opinions of its own; every statement"
        " in it is carried by a quote."
    ),
    worked_examples=(
        WorkedExample(
            question="Summarise what the report says about the dikes of the Lower Varn.",
            evidence=(
                (1, "The dikes date from 1931 and were built for floods of five metres."),
                (1, "In March the river stood at 5.4 metres for two days."),
                (1, "The council asks for 12 million crowns to raise the dikes before 2030."),
            ),
            statements=(
                ("The dikes of the Lower Varn were built in 1931 for floods of five metres.", (1,)),
                ("In March the river reached 5.4 metres.", (2,)),
                ("The council wants to raise them before 2030 and asks for 12 million crowns.", (3,)),
            ),
        ),
        WorkedExample(
            question="Summarise how Captain Orr's view of the mutineers changes in the course of the voyage.",
            evidence=(
                (1, "“Dogs,” he wrote on the first evening, “and to be treated as dogs.”"),
                (1, "He gave his own blanket to the man whom he had flogged."),
                (1, "When the magistrate asked for their names, Orr said that he had forgotten them."),
            ),
            statements=(
                ("At first Orr calls the mutineers dogs and means to treat them so.", (1,)),
                ("Later he gives his blanket to one whom he had flogged.", (2,)),
                ("In the end he protects them: he tells the magistrate that he has forgotten their names.", (3,)),
            ),
        ),
    ),
)
DOCUMENT_SUMMARY = Task(
    name="document_summary",
    version="document_summary-1",
    categories=("book", "paper", "report", "statement"),
    asks_about="whole",
    num_quotes=(4, 12),
    quotes_may_repeat=True,
    max_answer_characters=3_000,
    prompt=(
        "Ask for a summary of the whole document, for a certain use: an abstract, a plot in order, the points that a"
        " board must know. The answer covers beginning, middle and end in their proportion, in four to twelve"
        " sentences, without opinions of its own; every statement in it is carried by a quote."
    ),
    worked_examples=(
        WorkedExample(
            question="Summarise the whole paper for an engineer who must decide whether to read it.",
            evidence=(
                (1, "We ask whether shelves can be sorted without moving a book twice."),
                (1, "Patience sorting was run on 40 shelves of a public library."),
                (1, "It needed 37.5 minutes on the largest shelf, against 61 by hand."),
                (1, "Shelves with more than 900 books did not fit the table that the method needs."),
            ),
            statements=(
                ("The paper asks whether shelves can be sorted without moving a book twice.", (1,)),
                ("Patience sorting was tried on 40 shelves of a public library.", (2,)),
                ("On the largest shelf it took 37.5 minutes, against 61 by hand.", (3,)),
                ("It does not work for shelves of more than 900 books, for which the table is too small.", (4,)),
            ),
        ),
        WorkedExample(
            question="Give the plot of the whole novella in its order.",
            evidence=(
                (1, "Nobody had come down the valley road for eleven days when the notary knocked."),
                (1, "“I will not sell while I can stand,” said Torvin Hale."),
                (1, "In the spring the river took the lower wheel and half the yard."),
                (1, "He signed on the miller's bench, and asked who would feed the cat."),
            ),
            statements=(
                ("After eleven lonely days a notary comes to the mill.", (1,)),
                ("Torvin Hale refuses to sell it.", (2,)),
                ("In spring a flood destroys the lower wheel and half the yard.", (3,)),
                ("In the end he signs, and asks who will feed the cat.", (4,)),
            ),
        ),
    ),
)
TASKS = (SUMMARY, DOCUMENT_SUMMARY)
