"""The text that keys and needles are hidden in: the prose of held-out documents, and idle sentences of our own.

Documents of training are never used, and nothing is downloaded. Essays that other tests use as haystacks are under
copyright; what is here is under the licences of the documents that curation kept.
"""

import logging
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nupunkt

from pipeline.errors import InputError
from pipeline.records import Document
from pipeline.stable_order import order_key
from pipeline.storage.parquet import read_documents

CATEGORIES = ("book", "report", "paper", "statement", "review")  # by how much of them is running prose
NOT_PROSE = re.compile(r"\s*(#|\||>|```|[-*•] |\d+[.)] |\[|!)")
MIN_WORDS, MAX_WORDS = 4, 60  # of a sentence
MIN_SENTENCES = 20
WORD = re.compile(r"(?<![\w’'-])[a-z]{4,9}(?![\w’'-])")
FILLER = (
    "Rain fell on the harbour all morning, and the boats stayed in.",
    "A clerk counted the barrels twice and wrote the number down.",
    "The road to the mill is long, but it is level and dry.",
    "Nobody had opened the windows of the upper room since spring.",
    "Two goats stood by the gate and waited for the evening.",
    "The baker sells his last loaf at noon and then closes the shop.",
    "Old maps show a second bridge where there is only water now.",
    "She mended the net with a knot that her father had taught her.",
)
CountTokens = Callable[[str], int]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Haystack:
    """The sentences of held-out documents in their order, and the words that they are made of."""

    sentences: tuple[str, ...]
    words: tuple[str, ...]  # lower case, each once, sorted
    doc_ids: tuple[str, ...]

    def iterate_from(self, start: int) -> Iterator[str]:
        """Yield the sentences from one of them on, from the first again after the last, without end."""
        number = start % len(self.sentences)
        while True:
            yield self.sentences[number]
            number = (number + 1) % len(self.sentences)

    def take(self, start: int, num: int) -> list[str]:
        """Return so many sentences from one of them on."""
        found = self.iterate_from(start)
        return [next(found) for _ in range(num)]


def read_haystack(folder: Path, seed: int) -> Haystack:
    """Return the prose of the documents of the test split, books first; each sentence once.

    Raises:
        InputError: It has hardly any.
    """
    held_out = [document for document in read_documents(folder) if document.split == "test" and document.text]
    held_out.sort(key=lambda one: (CATEGORIES.index(one.category), order_key(seed, one.doc_id)))
    sentences = list(dict.fromkeys(sentence for document in held_out for sentence in list_sentences(document)))
    if len(sentences) < MIN_SENTENCES:
        raise InputError(
            folder,
            found=f"{len(sentences)} sentences of prose in {len(held_out)} documents of the test split",
            expected=f"at least {MIN_SENTENCES}, to hide something in",
            fix="Add longer documents, or raise curate.test_fraction.",
        )
    words = sorted({word for sentence in sentences for word in WORD.findall(sentence)})
    return Haystack(tuple(sentences), tuple(words), tuple(document.doc_id for document in held_out))


def list_sentences(document: Document) -> Iterator[str]:
    """Yield the sentences of a document's prose, without headings, tables, lists and what is hardly a sentence."""
    for paragraph in document.text.split("\n\n"):
        if NOT_PROSE.match(paragraph):
            continue
        flat = " ".join(paragraph.split())
        for start, end in nupunkt.sent_spans(flat):
            sentence = flat[start:end].strip()
            if MIN_WORDS <= sentence.count(" ") + 1 <= MAX_WORDS and sentence[-1:] in ".!?”":
                yield sentence


def fill(room: int, sentences: Iterator[str], count_tokens: CountTokens) -> list[str]:
    """Return the first sentences that together have at most `room` tokens."""
    taken: list[str] = []
    for sentence in sentences:
        room -= count_tokens(f" {sentence}")
        if room < 0:
            break
        taken.append(sentence)
    return taken


def repeat_filler(draw: random.Random) -> Iterator[str]:
    """Yield idle sentences in random order, without end."""
    while True:
        yield draw.choice(FILLER)


def hide(needles: Sequence[str], depths: Sequence[float], sentences: Sequence[str]) -> str:
    """Return a text with each needle between two sentences at its depth, 0 before the first and 1 after the last."""
    order = sorted(range(len(needles)), key=lambda number: depths[number])
    pieces: list[str] = []
    last = 0
    for number in order:
        place = round(depths[number] * len(sentences))
        pieces += [*sentences[last:place], needles[number]]
        last = place
    return " ".join([*pieces, *sentences[last:]])
