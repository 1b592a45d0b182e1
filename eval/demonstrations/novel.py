"""Ask about a novel: why things happen in it; with its names replaced, to tell reading from remembering.

Source  the fifth demonstration of LongAlpaca's announcement, about novels that its models may have seen in training
"""

import re
from collections.abc import Iterator, Mapping

from eval.demonstrations.case import Case, Demonstration, Finding, Library
from eval.models.records import Prompt
from eval.qa.scores import compute_f1, find_evidence
from pipeline.checks.citations import without_citations
from pipeline.dataset.prompt import CLOSING, OPENINGS
from pipeline.passages.names import find_names
from pipeline.passages.passage_search import search_passages
from pipeline.passages.passages import Passages
from pipeline.records import Document, Example
from pipeline.stable_order import stable_shuffle

NAME = "novel"
TASKS = ("why", "inference", "characters", "multi_hop", "known", "lookup")  # the first are asked first
NUM_QUESTIONS = 2
NUM_PASSAGES = 3
LEAST_F1, LEAST_EVIDENCE = 0.3, 0.5  # of the words of the gold answer, and of the quotes
BETWEEN_PASSAGES = "\n\n[…]\n\n"
SUBSTITUTES = re.findall(r"\w+", (
    "Abbett Arkell Bardsey Benfold Brackley Calloway Carden Coldrey Dacre Denholm Dunmore Eastry Elwick Farrant "
    "Garrick Gedney Halden Harbury Hexton Ilmer Ingram Kelby Kirkham Langley Lorimer Marden Merrow Newbold Norbury "
    "Oakley Orrell Paxton Penrose Quenby Radley Rowsley Selwick Stanmer Tansley Thorley Uffculme Vardon Yarwell"
))  # fmt: skip
WITH_TEXT, WITHOUT, PASSAGES, RENAMED = "with the text", "without it", "with passages", "with other names"


def make_cases(library: Library) -> Iterator[Case]:
    """Yield questions about the first book, held-out ones first: with its text, without, with passages, renamed."""
    books = [card.doc_id for card in library.cards if card.category == "book"]
    by_book = {
        book: [one for one in library.examples if one.doc_ids == (book,) and one.task in TASKS] for book in books
    }
    book = next((book for book in books if by_book[book]), None)
    if book is None:
        return
    document = library.documents[book]
    ordered = sorted(by_book[book], key=lambda one: (TASKS.index(one.task), one.example_id))
    for number, example in enumerate(ordered[:NUM_QUESTIONS], 1):
        yield from make_variants(library, document, example, number)


def make_variants(library: Library, document: Document, example: Example, number: int) -> Iterator[Case]:
    """Yield a question in its four variants."""
    asked, answer = example.question, without_citations(example.answer)
    quotes = [span.quote for span in example.evidence]
    text = library.excerpt(document.text, f"{asked} {' '.join(quotes)}", library.max_tokens)
    found = sorted(search_passages(document.text, asked, NUM_PASSAGES), key=lambda passage: passage.start)
    shown = {WITH_TEXT: text, WITHOUT: "", PASSAGES: BETWEEN_PASSAGES.join(passage.text for passage in found)}
    gold = {"answer": answer, "quotes": quotes, "question": asked, "old_names": []}
    for variant, content in shown.items():
        yield Case(NAME, f"question {number}, {variant}", write_prompt(content, asked), gold, example.doc_ids)
    names = choose_names(document, library.seed)
    new = {"answer": rename(answer, names), "quotes": [rename(quote, names) for quote in quotes]}
    new |= {"question": rename(asked, names), "old_names": sorted(names)}
    prompt = write_prompt(rename(text, names), rename(asked, names))
    yield Case(NAME, f"question {number}, {RENAMED}", prompt, new, example.doc_ids)


def write_prompt(text: str, question: str) -> Prompt:
    """Return a question about a text, or about none."""
    return Prompt(f"{OPENINGS['book']}{text}{CLOSING}" if text else "", question)


def choose_names(document: Document, seed: int) -> dict[str, str]:
    """Return another word for each word of a book's names that the book never has in lower case."""
    passages = Passages(document)
    words = {word for name in find_names(passages) for word in re.findall(r"[A-Z][\w’-]+", name.words)}
    replaced = sorted(word for word in words if word.lower() not in passages.lower_case_words)
    given = stable_shuffle(SUBSTITUTES, seed, document.doc_id, key=str)
    return {word: given[number % len(given)] + "y" * (number // len(given)) for number, word in enumerate(replaced)}


def rename(text: str, names: Mapping[str, str]) -> str:
    """Return a text with each of the words replaced."""
    if not names:
        return text
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})\b")
    return pattern.sub(lambda match: names[match[1]], text)


def check(case: Case, reply: str) -> list[Finding]:
    """Check that the reply gives the gold reason, and no name that only the book as printed has."""
    gold = case.gold
    f1 = compute_f1(reply, gold["answer"])
    found = [find_evidence(reply, quote, gold["question"]) for quote in gold["quotes"]]
    share = sum(found) / len(found) if found else 0.0
    remembered = [name for name in gold["old_names"] if re.search(rf"\b{re.escape(name)}\b", reply)]
    return [
        Finding("the gold reason", f1 >= LEAST_F1 or share >= LEAST_EVIDENCE, f"F1 {f1:.2f}, evidence {share:.2f}"),
        *([Finding("no name from memory", not remembered, ", ".join(remembered))] if gold["old_names"] else []),
    ]


DEMONSTRATION = Demonstration(NAME, "Why things happen in a novel", make_cases, check)
