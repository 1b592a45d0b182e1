"""Ask for an argument of a document and its critique, and for a comparison of the arguments of two."""

from pipeline.passages.document_groups import in_pairs
from pipeline.tasks.task import Task, WorkedExample

ARGUMENT = Task(
    name="argument",
    version="argument-1",
    categories=("book", "paper", "report"),
    asks_about="places",
    num_quotes=(2, 6),
    quotes_may_repeat=True,
    max_answer_characters=2_500,
    prompt=(
        "Ask how this document argues for one of its claims, and how strong the argument is. The answer gives the"
        " claim, its premises and the step from them to the claim, then a critique that rests on the document's own"
        " words: what is not shown, what is contradicted elsewhere in it, or why the argument holds."
    ),
    worked_examples=(
        WorkedExample(
            question="How does the author argue that bees count their visits, and how convincing is that?",
            evidence=(
                (1, "A bee that had visited four flowers never went back to the first."),
                (1, "Hence bees count."),
                (1, "The flowers that had been visited were left without nectar."),
            ),
            statements=(
                ("The claim is that bees count.", (2,)),
                ("The premise is that a bee never returned to its first flower after four visits.", (1,)),
                ("This does not show it: visited flowers had no nectar left, which explains the same.", (3,)),
            ),
        ),
        WorkedExample(
            question="On what does the commission rest its claim that the bridge was safe, and does it hold?",
            evidence=(
                (1, "The bridge carried 900 carts a day for thirty years without a crack."),
                (1, "We therefore hold it safe for the new trains, each of which weighs as much as two carts."),
            ),
            statements=(
                ("The bridge carried 900 carts a day for thirty years without a crack.", (1,)),
                ("From that the commission infers that it bears trains of the weight of two carts each.", (2,)),
                ("The load in kind supports it, but nothing is said about how trains shake a bridge.", (2,)),
            ),
        ),
    ),
)
ARGUMENT_COMPARISON = Task(
    name="argument_comparison",
    version="argument_comparison-1",
    categories=("book", "paper", "report"),
    related=in_pairs,
    asks_about="places",
    num_quotes=(2, 8),
    quotes_may_repeat=True,
    max_answer_characters=2_500,
    prompt=(
        "Ask how the two documents argue about a matter that both treat, or, if they share none, how their ways of"
        " arguing differ. The answer names the documents, gives the claim and the grounds of each, and says where they"
        " agree, where not, and which rests on more; there is a quote from each of them."
    ),
    worked_examples=(
        WorkedExample(
            question="Do “The Free Weir” and “Report on the Varn” argue alike for opening the weir?",
            evidence=(
                (1, "A river that is shut is no river; open it, and the rest will follow."),
                (2, "In four years of open weirs the catch rose from 200 to 520 crates."),
            ),
            statements=(
                ("“The Free Weir” argues from what a river is, without any figures.", (1,)),
                ("“Report on the Varn” argues from the catch, which rose from 200 to 520 crates.", (2,)),
                ("Both are for opening it, but only the second rests on observation.", (1, 2)),
            ),
        ),
        WorkedExample(
            question="Which grounds do “On Slow Sorting” and “Sorting at Scale” give against moving a book twice?",
            evidence=(
                (1, "Each move wears the binding."),
                (2, "A second move doubles the time of a shift."),
            ),
            statements=(
                ("“On Slow Sorting” gives the wear of the binding as its ground.", (1,)),
                ("“Sorting at Scale” gives the time of a shift, which a second move doubles.", (2,)),
            ),
        ),
    ),
)
TASKS = (ARGUMENT, ARGUMENT_COMPARISON)
