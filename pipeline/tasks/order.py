"""Which comes first? Two names that a document has once each, far from one another."""

from collections.abc import Iterator, Sequence

from pipeline.passages.passages import Passages
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.mention import named_once
from pipeline.tasks.task import Task

NAME, VERSION = "order", "order-1"
WORDINGS = (
    "Which does the text name first, “{one}” or “{other}”? Quote both sentences in their order.",
    "“{one}” and “{other}” are each named once. In which order? Quote the two sentences.",
    "Does “{one}” come before or after “{other}” in the text? Quote where each is named.",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each two names that lie half of all names apart; which is asked first is a hash's choice."""
    passages = documents[0]
    names = named_once(passages)
    for (early, first), (late, second) in zip(names, names[len(names) // 2 :], strict=False):
        if first == second:
            continue
        one, other = (early, late) if choose(("early", "late"), f"{early}|{late}") == "early" else (late, early)
        question = choose(WORDINGS, f"{one}|{other}").format(one=one, other=other)
        quotes = [" ".join(sentence.text.split()) for sentence in (first, second)]
        answer = f"“{early}” is named first: {quotes[0]} Later “{late}” is named: {quotes[1]}"
        yield build_example(documents, NAME, VERSION, question, answer, [(passages, first), (passages, second)])


TASK = Task(
    name=NAME, version=VERSION, categories=("book", "paper", "report"), candidates=candidates, num_quotes=(2, 4)
)
