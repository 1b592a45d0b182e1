"""Ask which of two names that matter comes first; their first mentions are far apart."""

from collections.abc import Iterator, Sequence

from pipeline.passages.names import find_names
from pipeline.passages.passages import Passages
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task

NAME, VERSION = "order", "order-2"
WORDINGS = (
    "Which name appears first in the document, “{one}” or “{other}”? Quote the sentence in which each first appears.",
    "Does the name “{one}” first appear before or after the name “{other}”? Quote the two sentences.",
    "In which order do the names “{one}” and “{other}” first appear? Quote the first sentence with each.",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each two names with half of all names between them; a hash decides which is asked first."""
    passages = documents[0]
    names = find_names(passages)
    for early, late in zip(names, names[len(names) // 2 :], strict=False):
        if early.first == late.first:
            continue
        key = f"{early.words}|{late.words}"
        one, other = (early, late) if choose(("early", "late"), key) == "early" else (late, early)
        question = choose(WORDINGS, f"{one.words}|{other.words}").format(one=one.words, other=other.words)
        quotes = [" ".join(name.first.text.split()) for name in (early, late)]
        answer = f"“{early.words}” appears first: {quotes[0]} Later “{late.words}” appears: {quotes[1]}"
        yield build_example(documents, NAME, VERSION, question, answer, [(passages, n.first) for n in (early, late)])


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("book", "paper", "report"),
    candidates=candidates,
    num_quotes=(2, 4),
    quotes_may_repeat=True,  # names that matter are mentioned again
)
