"""Tell the styles of two conferences apart; with the papers swapped, the answer has to swap.

Each paper is set in the conventions of an author kit, so that the right answer is known: ICLR cites by author and year
and has its headings in capitals, CVPR cites by number, and abbreviates figures and tables.

Source  the second demonstration of LongAlpaca's announcement
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from eval.demonstrations.case import BETWEEN, Case, Demonstration, Finding, Library
from eval.models.records import Prompt
from pipeline.checks.sentences import split_sentences
from pipeline.dataset.prompt import CLOSING
from pipeline.passages.document_groups import DocumentCard
from pipeline.stable_order import stable_shuffle

NAME = "two styles"
QUERY = "introduction related work we propose results table figure conclusion"
VENUES = ("ICLR", "CVPR")
OPENING = "Below are two papers, Paper A and Paper B. Memorize the material and answer my question after the papers. "
QUESTION = (
    "One of these papers is set for ICLR and the other for CVPR. Which is which? Answer 'Paper A: …' and 'Paper B: …', "
    "and say which conventions in their text tell you."
)
NAMES = r"[A-Z][\w’'-]+(?:(?: and |, )[A-Z][\w’'-]+)*(?: et al\.)?"
IN_PARENTHESES = re.compile(rf"\((?P<who>{NAMES}),? (?P<year>(?:19|20)\d\d)\)")
IN_TEXT = re.compile(rf"(?P<who>{NAMES}) \((?P<year>(?:19|20)\d\d)\)")
HEADING = re.compile(r"^(#+ )(.*)$", re.MULTILINE)
NUMBERED = re.compile(r"^(\d+(?:\.\d+)*) ")
MENTION = re.compile(r"\bPaper ([AB])\b|\b(ICLR|CVPR)\b")
DENIED = re.compile(r"\b(?:not|n['’]t|never|unlike)\b", re.IGNORECASE)
CONVENTIONS = re.compile(
    r"\b(?:cit(?:e|es|ed|ation)|number|bracket|author|year|heading|capital|abbreviat|Fig\.|Tab\.|format)", re.I
)


def make_cases(library: Library) -> Iterator[Case]:
    """Yield two papers, each set for one of the conferences, and the same two swapped."""
    papers = [card for card in library.cards if card.category == "paper"][:2]
    if len(papers) < 2:
        return
    venues = stable_shuffle(VENUES, library.seed, key=str)
    share = library.max_tokens // 2
    shown = {
        card.doc_id: set_for(venue, library.excerpt(library.documents[card.doc_id].text, QUERY, share))
        for card, venue in zip(papers, venues, strict=True)
    }
    known = {card.doc_id: venue for card, venue in zip(papers, venues, strict=True)}
    for variant, order in (("as they are", papers), ("swapped", papers[::-1])):
        yield make_case(variant, order, shown, known)


def make_case(variant: str, order: Sequence[DocumentCard], shown: Mapping[str, str], venues: Mapping[str, str]) -> Case:
    """Return the case with the papers in an order."""
    named = [f"# Paper {letter}\n\n{shown[card.doc_id]}" for letter, card in zip("AB", order, strict=True)]
    gold = {letter: venues[card.doc_id] for letter, card in zip("AB", order, strict=True)}
    document = f"{OPENING}{BETWEEN.join(named)}{CLOSING}"
    return Case(NAME, variant, Prompt(document, QUESTION), gold, tuple(card.doc_id for card in order))


def set_for(venue: str, text: str) -> str:
    """Return a paper in the conventions of a conference."""
    if venue == "ICLR":
        return HEADING.sub(lambda match: f"{match[1]}{match[2].upper()}", text)
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        cited = f"{match['who']} {match['year']}"
        return f"[{numbers.setdefault(cited, len(numbers) + 1)}]"

    text = IN_PARENTHESES.sub(number, text)
    text = IN_TEXT.sub(lambda match: f"{match['who']} {number(match)}", text)
    text = HEADING.sub(lambda match: match[1] + NUMBERED.sub(r"\1. ", match[2]), text)
    return re.sub(r"\bTable (?=\d)", "Tab. ", re.sub(r"\bFigure (?=\d)", "Fig. ", text))


def check(case: Case, reply: str) -> list[Finding]:
    """Check which conference each paper is given to, and that a reason is given."""
    found = attribute(reply)
    said = ", ".join(f"Paper {letter}: {venue}" for letter, venue in sorted(found.items()))
    return [
        Finding("right attribution", found == dict(case.gold), said or "none"),
        Finding("a convention named", bool(CONVENTIONS.search(reply))),
    ]


def attribute(reply: str) -> dict[str, str]:
    """Return the conference that a reply gives each paper to: the last statement of each, those denied aside."""
    found: dict[str, str] = {}
    for sentence in split_sentences(reply):
        if DENIED.search(sentence.text):
            continue
        letters = [match[1] for match in MENTION.finditer(sentence.text) if match[1]]
        venues = [match[2] for match in MENTION.finditer(sentence.text) if match[2]]
        if len(letters) == len(venues):
            found |= dict(zip(letters, venues, strict=True))
    return found


DEMONSTRATION = Demonstration(NAME, "Two papers, two conferences' styles", make_cases, check)
