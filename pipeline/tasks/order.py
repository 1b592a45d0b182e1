"""Ask which of two names comes first; each occurs once, and they are far apart."""

from collections.abc import Iterator, Sequence

from pipeline.passages.passages import Passages
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.mention import find_unique_names
from pipeline.tasks.task import Task

NAME, VERSION = "order", "order-1"
WORDINGS = (
    "Which does the text name first, “{one}” or “{other}”? Quote both sentences in their order.",
    "“{one}” and “{other}” are each named once. In which order? Quote the two sentences.",
    "Does “{one}” come before or after “{other}” in the text? Quote where each is named.",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each two names with half of all names between them; a hash decides which is asked first."""
    passages = documents[0]
    names = find_unique_names(passages)
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
