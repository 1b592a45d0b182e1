"""Write documents into an instruction, in the words of the original.

Source  the prompts of LongLoRA's repository (arXiv 2309.12307) for books and papers; those for reports and
        statements follow them
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from pipeline.dataset.instruction_formats import write_turns
from pipeline.records import Category, CharRange, Document, Example, Material, Turn
from pipeline.tokenization.token_grid import Grid, count_tokens

OPENINGS: dict[Category, str] = {
    "book": "Below is some content in the book. Memorize the content and answer my question after the book.\n"
    "The book begins. ",
    "paper": "Below is a paper. Memorize the material and answer my question after the paper. ",
    "report": "Below is a report. Memorize the content and answer my question after the report.\n",
    "statement": "Below is a financial statement. Memorize the content and answer my question after the statement.\n",
}
BETWEEN = "\n\n"
CLOSING = "\nNow the material ends. "


@dataclass(frozen=True)
class Shown:
    """A document, the part of it that is shown, and its grid of tokens."""

    document: Document
    span: CharRange
    grid: Grid

    @property
    def text(self) -> str:
        """The words that are shown."""
        return self.document.text[slice(*self.span)]


def write_instruction(
    example: Example, parts: Sequence[tuple[Document, CharRange]]
) -> tuple[str, tuple[Material, ...]]:
    """Return the instruction of an example with its documents in it, and where in it each of them is."""
    if not parts:
        return write_question(example), ()
    pieces = [OPENINGS[parts[0][0].category]]
    length = len(pieces[0])
    material = []
    for number, (document, (start, end)) in enumerate(parts):
        pieces.append(BETWEEN * bool(number))
        length += len(pieces[-1])
        material.append(Material(document.doc_id, start, end, length))
        pieces.append(document.text[start:end])
        length += end - start
    return "".join([*pieces, CLOSING, write_question(example)]), tuple(material)


def write_question(example: Example) -> str:
    """Return the question of an example, after the turns before it where it goes on with a conversation."""
    return write_turns([*example.earlier, Turn("user", example.question)])


def count_row_tokens(tokenizer: Tokenizer, example: Example, shown: Sequence[Shown]) -> int:
    """Return how many tokens instruction and answer have together; the inside of the documents is counted already."""
    counted = sum(count_tokens(tokenizer, piece) for piece in uncounted_pieces(example, shown))
    inside = 0
    for part in shown:
        first, last = part.grid.inner(*part.span)
        inside += int(part.grid.tokens[last] - part.grid.tokens[first]) if first < last else 0
    return counted + inside


def uncounted_pieces(example: Example, shown: Sequence[Shown]) -> Iterator[str]:
    """Yield the pieces of a row that its documents' grids do not hold, and the answer."""
    pending = OPENINGS[shown[0].document.category] if shown else ""
    for number, part in enumerate(shown):
        pending += BETWEEN * bool(number)
        first, last = part.grid.inner(*part.span)
        start, end = part.span
        if first < last:
            yield pending + part.document.text[start : part.grid.cuts[first]]
            pending = part.document.text[part.grid.cuts[last] : end]
        else:
            pending += part.text
    question = write_question(example)
    yield f"{pending}{CLOSING}{question}" if shown else question
    yield example.answer
