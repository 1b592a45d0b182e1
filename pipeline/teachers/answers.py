"""What a model is told to answer a question: quotes first, then statements, each with the quotes that it rests on.

The answer is composed of the statements, so a citation is behind each of them.

Source  LongCite (arXiv 2409.02897): statements with citations; its quotes come after the answer, ours before it
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pydantic import Field, create_model

from pipeline.endpoint.request_body import Messages
from pipeline.endpoint.structured import StructuredReply
from pipeline.records import Turn
from pipeline.tasks.task import Task, WorkedExample
from pipeline.teachers.prompts import MANNERS, Quote, describe_quotes, head_examples, make_messages
from pipeline.teachers.slots import Slot

MAX_STATEMENTS, MAX_STATEMENT_QUOTES = 24, 12


@dataclass(frozen=True)
class Question:
    """A question that was written and judged, and what is known of it before it is answered."""

    text: str
    parts: tuple[str, ...] = ()  # the single questions that it was merged from
    earlier: tuple[Turn, ...] = ()  # the turns before it

    def __str__(self) -> str:
        """Return it as a model reads it."""
        turns = [f"Earlier in the conversation, the {turn.role}: {turn.content}" for turn in self.earlier]
        merged = [f"It was merged from: {' '.join(self.parts)}"] if self.parts else []
        return "\n".join([*turns, f"Question: {self.text}", *merged])


class AnswerStatement(StructuredReply):
    """A part of an answer and the quotes that it rests on."""

    text: str
    quotes: list[int]


class StatedAnswer(StructuredReply):
    """Quotes, and the statements that rest on them; both are empty where the documents do not answer."""

    evidence: list[Quote]
    statements: list[AnswerStatement]

    def list_sentences(self) -> dict[str, str]:
        """Return the texts that must end as sentences do: the last statement, since others may go on in the next."""
        return {"statements": self.statements[-1].text} if self.statements else {}


@cache
def stated_schema(task: Task) -> type[StatedAnswer]:
    """Return the schema of answers to a task, with the task's limits in it."""
    statement = create_model(
        "AnswerStatement",
        __base__=AnswerStatement,
        text=(str, Field(min_length=1, max_length=task.max_answer_characters, description="in your own words")),
        quotes=(list[int], Field(max_length=MAX_STATEMENT_QUOTES, description="the numbers of its quotes, from 1")),
    )
    return create_model(
        "StatedAnswer",
        __base__=StatedAnswer,
        evidence=(list[Quote], Field(max_length=task.num_quotes[1])),
        statements=(list[statement], Field(max_length=MAX_STATEMENTS)),  # type: ignore[valid-type]
    )


def answer_messages(slot: Slot, question: Question, body: str, nonce: str, *, with_examples: bool) -> Messages:
    """Return the request for the answer to a question about documents.

    Args:
        slot: What the question was written for.
        question: It, with the turns before it.
        body: The documents between their fences, or notes on them.
        nonce: The word in the fences.
        with_examples: Whether worked examples are shown.
    """
    examples = [show_stated(example) for example in slot.task.worked_examples] if with_examples else []
    wish = f"{question}\nIt was asked by this rule: {slot.task.prompt}\n{describe_steps(slot)} {MANNERS}"
    return make_messages(nonce, body, "\n\n".join([wish, *head_examples(examples)]))


def describe_steps(slot: Slot) -> str:
    """Return how an answer is written: quotes first, then what they show."""
    lone = (
        "A statement that the documents do not say something may have none."
        if slot.task.expects_no_answer
        else "If the documents do not answer the question, leave both lists empty."
    )
    return (
        f"First copy the words that answer it. {describe_quotes(slot)} Then write the answer as statements: each rests"
        " on the quotes whose numbers it names, and says nothing that they do not show. Read one after the other, the"
        f" statements are the whole answer. {lone}"
    )


def show_stated(example: WorkedExample) -> str:
    """Return a worked example as a model reads it, its statements with the numbers of their quotes."""
    numbered = enumerate(example.evidence, 1)
    quotes = "\n".join(f"Quote {number}, of document {document}: {quote}" for number, (document, quote) in numbered)
    statements = "\n".join(f"Statement on quotes {list(numbers)}: {text}" for text, numbers in example.statements)
    return f"Question: {example.question}\n{quotes}\n{statements}"


def compose_answer(task: Task, statements: Sequence[AnswerStatement]) -> str:
    """Return the answer that statements are read as, one after the other."""
    return task.statements_joined_by.join(statement.text.strip() for statement in statements)
