"""Ask how two documents differ in style."""

from pipeline.passages.document_groups import in_pairs
from pipeline.tasks.task import Task, WorkedExample

TASK = Task(
    name="style_comparison",
    version="style_comparison-1",
    categories=("book", "paper", "report"),
    related=in_pairs,
    asks_about="places",
    num_quotes=(2, 8),
    quotes_may_repeat=True,
    max_answer_characters=2_500,
    prompt=(
        "Ask how the styles of the two documents differ in one respect: voice, sentences, images, irony, dialogue, how"
        " technical they are or how they address the reader. The answer names the documents, describes each style by"
        " what a quote shows, and draws the comparison; there is a quote from each of them."
    ),
    worked_examples=(
        WorkedExample(
            question="How do the narrators of “The Mill” and “Days at Sea” address their readers?",
            evidence=(
                (1, "Nobody had come down the valley road for eleven days."),
                (2, "You will say, reader, that I ought to have turned back; and you will be right."),
            ),
            statements=(
                ("“The Mill” reports from outside and addresses nobody.", (1,)),
                ("The narrator of “Days at Sea” speaks to the reader and argues with them.", (2,)),
            ),
        ),
        WorkedExample(
            question="Which of the two surveys writes for experts, and how can you tell?",
            evidence=(
                (1, "The estimator is consistent under mild mixing conditions."),
                (2, "Think of a net with holes of one size: small fish slip through."),
            ),
            statements=(
                ("The first writes for experts: it uses terms like “mixing conditions” without a word on them.", (1,)),
                ("The second explains by everyday pictures, like a net with holes.", (2,)),
            ),
        ),
    ),
)
