"""Review a paper by ICLR's guidelines, and say how its chance of being accepted would rise.

Source  the first demonstration of LongAlpaca's announcement, whose review has seven parts
"""

import re
from collections.abc import Iterator

from eval.demonstrations.case import Case, Demonstration, Finding, Library
from eval.models.records import Prompt
from eval.qa.scores import find_evidence, is_equal
from pipeline.checks.quantities import find_quantities
from pipeline.checks.sentences import split_sentences
from pipeline.dataset.prompt import CLOSING, OPENINGS
from pipeline.passages.document_groups import DocumentCard, with_reviews
from pipeline.passages.peer_reviews import Discussion
from pipeline.records import Document

NAME = "paper review"
QUERY = "abstract we propose results gain over baseline ablation without limitation not tested smallest"
PARTS = {
    "Summary of contributions": r"summary(?: of (?:the )?(?:claims|contributions|paper))?|claims",
    "Strong points": r"strong points|strengths?",
    "Weak points": r"weak points|weaknesses|weakness",
    "Recommendation": r"recommendation|decision",
    "Reasons": r"(?:supporting )?(?:reasons?|arguments?)(?: for .*)?",
    "Questions": r"questions?(?: .*)?",
    "Additional feedback": r"(?:additional )?(?:feedback|suggestions|comments)(?: .*)?",
}
HEADS = {part: re.compile(rf"^\W*(?:\d+\W+)?(?:{pattern})\W*(?::|$)", re.I | re.M) for part, pattern in PARTS.items()}
QUESTION = (
    "Review this paper by ICLR's guidelines. Use these parts, each with its heading on a line of its own: "
    f"{'; '.join(PARTS)}. The recommendation is Accept or Reject. Under additional feedback, advise the authors how to "
    "raise the paper's chance of being accepted. Take every figure from the paper."
)
VERDICT = re.compile(r"\b(accept|reject)", re.IGNORECASE)
ADVICE = re.compile(r"\b(?:should|could|would|might|add|report|compare|show|clarify|include|explain|test)\b", re.I)
LEAST_WEAKNESSES = 1  # of those that reviewers found


def make_cases(library: Library) -> Iterator[Case]:
    """Yield the first paper, held-out ones first; its reviews say which weaknesses are there to be found."""
    papers = [card for card in library.cards if card.category == "paper"]
    if not papers:
        return
    reviews = {paper.doc_id: others for paper, *others in with_reviews(library.without_splits())}
    card = next((paper for paper in papers if paper.doc_id in reviews), papers[0])
    weaknesses = [
        one for review in reviews.get(card.doc_id, ()) for one in find_weaknesses(library.documents[review.doc_id])
    ]
    yield make_case(library, card, list(dict.fromkeys(weaknesses)))


def make_case(library: Library, card: DocumentCard, weaknesses: list[str]) -> Case:
    """Return the case of a paper."""
    text = library.excerpt(library.documents[card.doc_id].text, QUERY, library.max_tokens)
    gold = {"paper": text, "weaknesses": weaknesses}
    return Case(NAME, "", Prompt(f"{OPENINGS['paper']}{text}{CLOSING}", QUESTION), gold, (card.doc_id,))


def find_weaknesses(document: Document) -> Iterator[str]:
    """Yield the sentences in which reviewers say what is weak."""
    for post in Discussion(document).of_kind("Review"):
        if span := post.get("weaknesses"):
            yield from (sentence.text for sentence in split_sentences(span.text))


def check(case: Case, reply: str) -> list[Finding]:
    """Check the parts, the recommendation, the figures, the weaknesses that are found, and the advice."""
    sections = split_into_parts(reply)
    absent = [part for part in PARTS if not sections.get(part)]
    paper, asked = find_quantities(case.gold["paper"]), find_quantities(case.prompt.question)
    invented = [
        one.words for one in find_quantities(reply) if not any(is_equal(one, other, 0.0) for other in (*paper, *asked))
    ]
    found = [text for text in case.gold["weaknesses"] if find_evidence(reply, text, case.prompt.question)]
    verdicts = {word.lower() for word in VERDICT.findall(sections.get("Recommendation", ""))}
    return [
        Finding("every part", not absent, ", ".join(absent)),
        Finding("one recommendation", len(verdicts) == 1, ", ".join(sorted(verdicts))),
        Finding("figures of the paper", not invented, ", ".join(invented)),
        *(
            [Finding("weaknesses found", len(found) >= LEAST_WEAKNESSES, f"{len(found)}")]
            if case.gold["weaknesses"]
            else []
        ),
        Finding("advice", bool(ADVICE.search(sections.get("Additional feedback", "")))),
    ]


def split_into_parts(reply: str) -> dict[str, str]:
    """Return the text below each part's heading."""
    heads = sorted(
        (match.start(), match.end(), part) for part, pattern in HEADS.items() if (match := pattern.search(reply))
    )
    ends = [start for start, _, _ in heads[1:]] + [len(reply)]
    return {part: reply[start:end].strip() for (_, start, part), end in zip(heads, ends, strict=False)}


DEMONSTRATION = Demonstration(NAME, "A review by ICLR's guidelines", make_cases, check)
