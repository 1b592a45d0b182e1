"""Ask under which heading a sentence is."""

from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.passages.passages import CREDITS, Passages, is_askable, is_telling_heading
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task, WorkedExample

NAME, VERSION = "section", "section-3"
WORDINGS = (
    "Under which heading does the document say “{words}”?",
    "Where is this said: “{words}”? Name the heading.",
    "Which section contains the sentence “{words}”?",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each sentence that occurs once, under a heading that occurs once."""
    passages = documents[0]
    headings = Counter(section.path[-1] for section in passages.document.sections)
    for sentence in passages.sentences:
        section = passages.section_at(sentence.start)
        if section is None or sentence.text not in passages.unique_sentences or not is_askable(sentence):
            continue
        heading = section.path[-1]
        if headings[heading] != 1 or not is_telling_heading(heading) or CREDITS.match(heading):
            continue
        words = " ".join(sentence.text.split())
        question = choose(WORDINGS, words).format(words=words)
        answer = f"It stands under “{heading}”."
        evidence = [(passages, passages.heading_line(section)), (passages, sentence)]
        yield build_example(documents, NAME, VERSION, question, answer, evidence)


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("book", "paper", "report", "statement"),
    candidates=candidates,
    prompt=(
        "Ask in which section of this document a certain matter is treated, describing the matter without the words of"
        " the heading. The answer names the section by its heading and says in one sentence what it says about that."
    ),
    num_quotes=(2, 4),
    worked_examples=(
        WorkedExample(
            question="In which section are boats dealt with that belong to nobody?",
            evidence=((1, "7 Wrecks and strays"), (1, "A boat without an owner falls to the harbour after a year.")),
            statements=(
                ("In the section “7 Wrecks and strays”.", (1,)),
                ("It says that such a boat falls to the harbour after a year.", (2,)),
            ),
        ),
        WorkedExample(
            question="Where does the paper explain for which shelves its method is of no use?",
            evidence=((1, "5.2 Limits"), (1, "Shelves of more than 900 books do not fit the table.")),
            statements=(
                ("Under “5.2 Limits”.", (1,)),
                ("It says that shelves of more than 900 books do not fit the table.", (2,)),
            ),
        ),
    ),
)
