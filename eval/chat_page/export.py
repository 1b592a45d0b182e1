"""Write a conversation as Markdown, and as a row of the dataset."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from eval.chat_page.conversations import Answer, Question, describe_link
from pipeline.dataset.prompt import write_instruction
from pipeline.records import Evidence, Example, MixedExample, Turn, make_example_id

TASK = "chat"


def write_markdown(questions: Sequence[Question]) -> str:
    """Return a conversation as Markdown: each question a heading, each answer with its quotes and their places."""
    parts = ["# Conversation\n"]
    documents = {window.document.name: window for question in questions for window in question.windows}
    parts += [f"- {name} {window.notice()}".rstrip() for name, window in documents.items()]
    for question in questions:
        parts.append(f"\n## {question.text}\n")
        for answer in question.answers.values():
            parts.append(write_answer(question, answer, is_named=len(question.answers) > 1))
    return "\n".join(parts) + "\n"


def write_answer(question: Question, answer: Answer, *, is_named: bool) -> str:
    """Return an answer with its quotes as Markdown."""
    lines = [f"**{answer.model}**\n"] if is_named else []
    lines.append(answer.text.strip() or f"({answer.error or answer.status})")
    for link in answer.links:
        shown = describe_link(link, question.windows)
        place = f"{shown['name']}, page {shown['page']}" if shown["page"] else shown["name"]
        lines.append(f"\n> {' '.join(shown['quote'].split())}\n>\n> — {place}")
    return "\n".join(lines) + "\n"


def make_row(questions: Sequence[Question], label: str, model_name: str, num_tokens: int) -> MixedExample | None:
    """Return a conversation with one model as a row of the dataset; None if that model has answered nothing.

    The last answer is the output, and what was said before it is in `earlier`; its links are the evidence.

    Args:
        questions: Of a session.
        label: Of the model.
        model_name: Its name, which becomes the teacher.
        num_tokens: Of instruction and output.
    """
    answered = [question for question in questions if label in question.answers and question.answers[label].text]
    if not answered:
        return None
    last = answered[-1]
    answer = last.answers[label]
    earlier = [turn for question in answered[:-1] for turn in list_pair(question, label)]
    doc_ids = tuple(window.document.record.doc_id for window in last.windows)
    example = Example(
        example_id=make_example_id(TASK, last.text, answer.text, doc_ids),
        task=TASK,
        question=last.text,
        answer=answer.text,
        doc_ids=doc_ids,
        evidence=list_evidence(last, answer),
        teacher=model_name,
        earlier=tuple(earlier),
    )
    parts = [(window.document.record, window.span) for window in last.windows]
    instruction, material = write_instruction(example, parts)
    turns = list_turns(last.beginning, [*earlier, *list_pair(last, label)]) if earlier else ()
    return MixedExample(instruction, answer.text, num_tokens, material, example, turns)


def list_pair(question: Question, label: str) -> tuple[Turn, Turn]:
    """Return a question and its answer as turns."""
    return Turn("user", question.text), Turn("assistant", question.answers[label].text)


def list_turns(beginning: str, turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return the turns of a conversation with the documents before the first question."""
    return (Turn("user", beginning + turns[0].content), *turns[1:])


def list_evidence(question: Question, answer: Answer) -> tuple[Evidence, ...]:
    """Return the places that an answer is linked to, each once, in the order of the answer."""
    ids = {window.document.key: window.document.record.doc_id for window in question.windows}
    found = {
        Evidence(ids[link.document], link.quote.start, link.quote.end, link.quote.text): None for link in answer.links
    }
    return tuple(found)


def describe_row(row: MixedExample) -> dict[str, Any]:
    """Return a row with the columns of the dataset's Parquet files."""
    content = asdict(row)
    return {**content, **content.pop("example")}
