"""Ask what an abbreviation stands for that a document explains once and uses often."""

import re
from collections.abc import Iterator, Sequence

from pipeline.passages.passages import Passages, is_askable
from pipeline.passages.spans import Span
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task

NAME, VERSION = "abbreviation", "abbreviation-1"
MIN_USES = 3
EXPLAINED = re.compile(r" \((?P<letters>[A-Z][A-Za-z]{0,5}[A-Z])(?P<plural>s?)\)")
WORD = re.compile(r"[^\W\d_][\w’']*")
SMALL_WORDS = frozenset({"of", "and", "for", "the", "in", "on", "to", "a", "an", "or", "with"})
WORDINGS = (
    "What does “{short}” stand for in this document?",
    "Which term does the document shorten to “{short}”?",
    "Spell out the abbreviation “{short}” as the document explains it.",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each abbreviation that has one explanation and is used three times."""
    passages = documents[0]
    found: dict[str, list[tuple[str, Span]]] = {}
    for sentence in passages.sentences:
        words = " ".join(sentence.text.split())
        for match in EXPLAINED.finditer(words):
            if term := find_term(words[: match.start()], match["letters"]):
                found.setdefault(match["letters"] + match["plural"], []).append((term, sentence))
    for short, explained in found.items():
        uses = len(re.findall(rf"(?<!\w){short.removesuffix('s')}s?(?!\w)", passages.flat_text))
        term, sentence = explained[0]
        if len({term.casefold() for term, _ in explained}) == 1 and uses >= MIN_USES and is_askable(sentence):
            question = choose(WORDINGS, f"{passages.document.doc_id}|{short}").format(short=short)
            answer = f"“{short}” stands for “{term}”."
            yield build_example(documents, NAME, VERSION, question, answer, [(passages, sentence)])


def find_term(before: str, short: str) -> str:
    """Return the last words of a text that have the letters of an abbreviation as initials, '' if they have not.

    'the time to plasma cell malignancy' and 'PCM' give 'plasma cell malignancy'; small words count only if they must.
    """
    letters = short.lower()
    words = list(WORD.finditer(before))[-2 * len(letters) :]
    for start in range(len(words) - 1, -1, -1):
        initials = [word[0][0].lower() for word in words[start:]]
        telling = [word[0][0].lower() for word in words[start:] if word[0] not in SMALL_WORDS]
        is_small = words[start][0] in SMALL_WORDS
        if letters in ("".join(initials), "".join(telling)) and not (is_small and letters != "".join(initials)):
            return before[words[start].start() :]
    return ""


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("paper", "report", "statement"),
    candidates=candidates,
    quotes_may_repeat=True,  # an abbreviation is used again
)
