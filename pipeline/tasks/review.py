"""Ask for a review of a paper by the guidelines of a conference, with advice."""

from pipeline.tasks.task import Task, WorkedExample

TASK = Task(
    name="review",
    version="review-2",
    categories=("paper",),
    asks_about="whole",
    num_quotes=(3, 8),
    quotes_may_repeat=True,
    max_answer_characters=4_000,
    statements_joined_by="\n",
    prompt=(
        "Write what a careful reviewer of a machine-learning conference would: the question asks for a review by the"
        " guidelines of such a conference and for advice that would raise the chance of acceptance. The answer has the"
        " parts Summary, Strengths, Weaknesses, Questions and Advice, each begun by its name and a colon; it judges"
        " soundness, novelty, clarity and evidence, and every statement about the paper is carried by a quote."
    ),
    worked_examples=(
        WorkedExample(
            question="Review this paper by the guidelines of a conference, and advise the authors how to improve it.",
            evidence=(
                (1, "We propose to sort shelves by patience and to move each book once."),
                (1, "All times are means of three runs on one shelf."),
                (1, "A proof that no book moves twice is in the appendix."),
            ),
            statements=(
                ("Summary: the paper sorts shelves by patience and moves each book only once.", (1,)),
                ("Strengths: the central claim, that no book moves twice, is proved.", (3,)),
                ("Weaknesses: the times are means of three runs on a single shelf, which shows little.", (2,)),
                ("Questions: how do the times vary over shelves of other sizes?", (2,)),
                ("Advice: report more runs on several shelves, with their spread.", (2,)),
            ),
        ),
        WorkedExample(
            question="Write a conference review of the paper. What would raise its chance of being accepted?",
            evidence=(
                (1, "The model is trained on 200 hours of gulls and tested on the same coast."),
                (1, "It finds 91 percent of the calls, 7 points more than the best earlier detector."),
                (1, "Code and recordings are published."),
            ),
            statements=(
                ("Summary: a detector of gull calls, trained on 200 hours of recordings.", (1,)),
                ("Strengths: it finds 7 points more calls than the best earlier one, and all is published.", (2, 3)),
                ("Weaknesses: it is tested on the coast that it was trained on.", (1,)),
                ("Questions: how well does it do elsewhere?", (1,)),
                ("Advice: add recordings of another coast as a test set.", (1,)),
            ),
        ),
    ),
)
