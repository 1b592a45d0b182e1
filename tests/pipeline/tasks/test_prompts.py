"""What a model is asked: each kind of question has two worked examples that keep to its own rules."""

import re
from pathlib import Path

import pytest

from pipeline.passages.document_groups import DocumentCard, alone, in_threes
from pipeline.tasks.task import Task, all_tasks

PROMPTED = [task for task in all_tasks().values() if task.prompt]


@pytest.mark.parametrize("task", PROMPTED, ids=lambda task: task.name)
def test_two_worked_examples_keep_to_the_rules_of_their_task(task: Task) -> None:
    assert len(task.worked_examples) == 2
    for example in task.worked_examples:
        assert task.num_quotes[0] <= len(example.evidence) <= task.num_quotes[1]
        assert task.num_parts[0] <= len(example.parts) <= task.num_parts[1]
        used = {number for _, numbers in example.statements for number in numbers}
        assert used == set(range(1, len(example.evidence) + 1))
        assert all(numbers or task.expects_no_answer for _, numbers in example.statements)
        documents = {document for document, _ in example.evidence}
        assert documents == ({1} if task.related is alone else set(range(1, len(documents) + 1)))
        assert task.related is alone or len(documents) >= 2


def test_a_task_that_asks_about_one_place_needs_no_more_and_others_take_several() -> None:
    assert all(task.num_quotes[1] > 1 for task in PROMPTED if task.asks_about != "place")
    assert all(task.asks_about != "place" for task in PROMPTED if task.related is not alone)
    assert all((task.parts_are == "none") == (task.num_parts == (0, 0)) for task in PROMPTED)


def test_three_and_more_documents_are_in_one_group_each_whatever_their_order() -> None:
    cards = [
        DocumentCard(f"{n}" * 64, "paper" if n < 8 else "review", "", (), "", "train", "", "", 1) for n in range(1, 9)
    ]
    groups = list(in_threes(cards))
    assert [len(group) for group in groups] == [3, 4]
    assert len({card.doc_id for group in groups for card in group}) == 7
    assert list(in_threes(cards[::-1])) == groups
    assert not list(in_threes(cards[:2]))


def test_the_page_has_each_kind_with_its_quotes_and_version(root: Path) -> None:
    page = (root / "docs" / "questions.md").read_text(encoding="utf-8")
    for task in PROMPTED:
        least, most = task.num_quotes
        version = f"(?:that of its rules|`{task.version}`)"
        row = rf"^\| `{task.name}` \|.*\| {least} to {most} \| {version} \|$"
        assert re.search(row, page, re.MULTILINE), task.name
