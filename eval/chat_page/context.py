"""Fit documents and a conversation into the context of a model, and say what is left out.

The beginning of the prompt, the documents in the dataset's own wrapper, depends on the documents alone. So it is the
same from question to question, and a model or an endpoint reads it once and keeps it in its cache.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eval.chat_page.links import find_page
from eval.chat_page.uploads import ChatDocument
from pipeline.dataset.evidence_window import Windowed, fit_windows
from pipeline.dataset.prompt import BETWEEN, CLOSING, OPENINGS
from pipeline.records import CharRange, Turn
from pipeline.tokenization.token_grid import make_grid

TEMPLATE_TOKENS = 64  # of a chat template around the turns, its system turn included
TOKENS_PER_TURN = 8  # of a chat template around one


@dataclass(frozen=True)
class Window:
    """The part of a document that the prompt shows."""

    document: ChatDocument
    span: CharRange

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self.span == (0, len(self.document.record.text))

    @property
    def num_tokens(self) -> int:
        """How many tokens it has, about: exact where it is whole."""
        start, end = self.document.grid.estimate(self.span)
        return int(end - start)

    @property
    def text(self) -> str:
        """Its words."""
        return self.document.record.text[slice(*self.span)]

    def notice(self) -> str:
        """Return what is left out, '' for nothing."""
        record = self.document.record
        if self.is_whole:
            return ""
        words = f"Only its beginning is read: {self.num_tokens:,} of {record.num_tokens:,} tokens"
        last, num_pages = find_page(record.page_offsets, max(0, self.span[1] - 1)), record.num_pages
        if last is None or num_pages is None:
            return f"{words}, {self.span[1] / len(record.text):.0%} of the text. The rest is left out."
        rest = f"pages {last + 1} to {num_pages}" if last < num_pages else f"the end of page {last}"
        return f"{words}, up to page {last} of {num_pages}. Left out: {rest}."


@dataclass(frozen=True)
class Budget:
    """How the context of a model is shared out, in tokens."""

    context: int  # of the model
    reply: int  # kept for the answer
    conversation: int  # kept for questions and earlier answers

    @property
    def room(self) -> int:
        """The tokens that documents may have together, wrapper included."""
        return max(0, self.context - self.reply - self.conversation - TEMPLATE_TOKENS)


@dataclass(frozen=True)
class Shown:
    """The documents as a prompt shows them."""

    windows: tuple[Window, ...]
    beginning: str  # of the prompt, up to the question
    num_tokens: int  # of the beginning
    fits: bool


def write_beginning(windows: Sequence[Window]) -> str:
    """Return the documents in the dataset's wrapper, up to where the question follows."""
    if not windows:
        return ""
    opening = OPENINGS[windows[0].document.record.category]
    return "".join([opening, BETWEEN.join(window.text for window in windows), CLOSING])


def show_documents(
    documents: Sequence[ChatDocument], budget: Budget, count_tokens: Callable[[str], int], *, is_cut: bool
) -> Shown:
    """Return documents as a prompt shows them: whole or, where they may be cut, the beginning of each.

    A cut falls between sections, paragraphs or sentences; longer documents get more of the room.
    """
    whole = [Window(document, (0, len(document.record.text))) for document in documents]
    num_tokens = count_long(write_beginning(whole), count_tokens)
    if num_tokens <= budget.room or not is_cut:
        return Shown(tuple(whole), write_beginning(whole), num_tokens, fits=num_tokens <= budget.room)
    texts = [
        Windowed(d.record.text, d.grid, (0, 0), 0.0, tuple(section.start for section in d.record.sections))
        for d in documents
    ]

    def count(spans: Sequence[CharRange]) -> int:
        return count_long(write_beginning([*map(Window, documents, spans)]), count_tokens)

    fitted = fit_windows(texts, budget.room, count)
    if fitted is None:
        return Shown(tuple(whole), write_beginning(whole), num_tokens, fits=False)
    windows = tuple(map(Window, documents, fitted[0]))
    return Shown(windows, write_beginning(windows), fitted[1], fits=True)


def count_long(text: str, count_tokens: Callable[[str], int]) -> int:
    """Return the tokens of a text of any length, counted in pieces: tokenizers slow down on long texts."""
    grid = make_grid(text, lambda pieces: [count_tokens(piece) for piece in pieces])
    return int(grid.tokens[-1]) if text else 0


def write_conversation(beginning: str, earlier: Sequence[Turn], question: str) -> list[Turn]:
    """Return the turns of a prompt; the documents are in the first one, before its question."""
    first, *rest = [*earlier, Turn("user", question)]
    return [Turn(first.role, beginning + first.content), *rest]


def keep_latest(
    earlier: Sequence[Turn], question: str, room: int, count_tokens: Callable[[str], int]
) -> tuple[list[Turn], int]:
    """Return the latest questions with their answers that fit beside a question, and how many pairs are left out.

    Args:
        earlier: Questions and answers in turn.
        question: The next one.
        room: Tokens for all of them.
        count_tokens: Counts.
    """
    left = room - count_tokens(question) - TOKENS_PER_TURN
    kept = 0
    for pair in reversed(range(0, len(earlier), 2)):
        left -= sum(count_tokens(turn.content) + TOKENS_PER_TURN for turn in earlier[pair : pair + 2])
        if left < 0:
            break
        kept += 2
    return list(earlier[len(earlier) - kept :]), (len(earlier) - kept) // 2
