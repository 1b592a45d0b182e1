"""Questions are asked about the part of a document that has the evidence of most of them."""

import pytest

from eval.qa.questions import choose_questions
from pipeline.records import Document, Evidence, Example, Turn

LINES = [f"Line {number} says that boat {number} left the harbour." for number in range(100)]
TEXT = "\n".join(LINES)


def count_words(texts):
    return [len(text.split()) for text in texts]


def make(example_id: str, *numbers: int, task: str = "lookup", **changes) -> Example:
    spans = [(TEXT.index(LINES[number]), LINES[number]) for number in numbers]
    evidence = tuple(Evidence("d", start, start + len(line), line) for start, line in spans)
    return Example(
        **{"example_id": example_id, "task": task, "question": "Q?", "answer": "A."}
        | {"doc_ids": ("d",), "evidence": evidence}
        | changes
    )


def choose(examples, length=100, num=10):
    documents = {"d": Document("d", "book", "d.txt", "Boats", text=TEXT)}
    return choose_questions(examples, documents, length, count_words, num_per_document=num, seed=1)


def test_the_window_has_whole_lines_all_evidence_and_at_most_the_length():
    found = choose([make("a", 52), make("b", 55), make("c", 2)])
    assert {question.example.example_id for question in found} == {"a", "b"}
    for question in found:
        assert question.text == TEXT[slice(*question.span)]
        assert set(question.text.strip().splitlines()) <= set(LINES)
        assert 75 <= len(question.text.split()) <= 100
        assert all(span.quote in question.text for span in question.example.evidence)
    assert len({question.text for question in found}) == 1


def test_a_document_that_fits_is_shown_whole():
    (question,) = choose([make("a", 99)], length=10_000)
    assert question.text == TEXT
    assert question.position > 0.98


@pytest.mark.parametrize(("numbers", "needs", "places"), [((3,), "part", "1"), ((3, 90), "whole", "1")])
def test_evidence_far_apart_needs_the_whole_text(numbers, needs, places):
    (question,) = choose([make("a", *numbers)], length=10_000)
    assert (question.needs, question.places) == (needs, places)


@pytest.mark.parametrize("blank", [" ", ""])
def test_a_text_in_one_line_is_shown_in_part_too(blank):
    text = blank.join(f"word{number}" for number in range(2_000))
    evidence = (Evidence("d", 0, 5, text[:5]),)
    example = Example("a", "lookup", "Q?", "A.", ("d",), evidence)
    documents = {"d": Document("d", "book", "d.txt", text=text)}
    count_characters = lambda texts: [len(one) for one in texts]  # noqa: E731
    (found,) = choose_questions([example], documents, 1_000, count_characters, num_per_document=1, seed=1)
    assert found.text.startswith("word0")
    assert 500 < len(found.text) <= 1_000


def test_tasks_take_turns():
    examples = [make(f"a{number}", number) for number in range(5)] + [make("b", 6, task="why")]
    assert {question.example.task for question in choose(examples, num=2)} == {"lookup", "why"}


def test_conversations_and_other_peoples_evidence_are_left_out():
    with_turns = make("a", 3, earlier=(Turn("user", "Hello?"), Turn("assistant", "Yes.")))
    of_reviews = make("b", 3, evidence=(Evidence("r", 0, 4, "Line"),))
    assert choose([with_turns, of_reviews, make("c", doc_ids=("d", "e"))]) == []
