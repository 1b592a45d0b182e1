"""The questions of a session and the answers to them, while they are waited for, written, and when they are done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from eval.chat_page.context import Window
from eval.chat_page.links import Link, find_page
from pipeline.records import Turn

Status = Literal["waiting", "reading", "writing", "done", "stopped", "failed"]
ENDED: tuple[Status, ...] = ("done", "stopped", "failed")


@dataclass
class Answer:
    """What one model answers; changed by the thread that asks it, read by the page."""

    model: str  # its label
    status: Status = "waiting"
    text: str = ""
    error: str = ""
    num_read: int = 0  # tokens of the prompt
    num_prompt_tokens: int = 0
    num_cached: int | None = None  # tokens of the prompt that the model had read before; None while not known
    seconds_left: float | None = None  # of reading, by the pace so far
    num_left_out: int = 0  # earlier questions that no longer fit into the context
    links: list[Link] = field(default_factory=list)

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ENDED


@dataclass
class Question:
    """A question, the documents that were shown with it, and an answer for each model that was asked."""

    key: str
    text: str
    windows: tuple[Window, ...]
    beginning: str  # of the prompt
    answers: dict[str, Answer]  # by the label of the model
    is_stopped: bool = False

    @property
    def is_ended(self) -> bool:
        """Whether all answers have ended."""
        return all(answer.is_ended for answer in self.answers.values())


def list_earlier(questions: Sequence[Question], label: str) -> list[Turn]:
    """Return earlier questions with their answers by one model or, where it was not asked, by another."""
    turns: list[Turn] = []
    for question in questions:
        answer = question.answers.get(label) or next(iter(question.answers.values()))
        if answer.text:
            turns += [Turn("user", question.text), Turn("assistant", answer.text)]
    return turns


def describe_question(question: Question, position: int) -> dict[str, Any]:
    """Return a question with its answers as the page shows them.

    Args:
        question: Of a session.
        position: Its place in the queue, from 1; 0 for one that does not wait.
    """
    return {
        "key": question.key,
        "question": question.text,
        "position": position,
        "is_ended": question.is_ended,
        "answers": [describe_answer(answer, question.windows) for answer in question.answers.values()],
    }


def describe_answer(answer: Answer, windows: Sequence[Window]) -> dict[str, Any]:
    """Return an answer as the page shows it."""
    return {**vars(answer), "links": [describe_link(link, windows) for link in answer.links]}


def describe_link(link: Link, windows: Sequence[Window]) -> dict[str, Any]:
    """Return a link with the name of its document and its page."""
    document = next(window.document for window in windows if window.document.key == link.document)
    return {
        "start": link.start,
        "end": link.end,
        "document": link.document,
        "name": document.name,
        "quote": link.quote.text,
        "from": link.quote.start,
        "to": link.quote.end,
        "page": find_page(document.record.page_offsets, link.quote.start),
    }
