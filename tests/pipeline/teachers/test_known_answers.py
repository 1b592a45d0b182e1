"""How a teacher's answers compare with the known ones."""

import json
import logging
import os
from pathlib import Path

import pytest

from pipeline.ask import run
from pipeline.benchmarks.scripted import completion, honest, scripted
from pipeline.errors import InputError
from pipeline.passages.document_groups import read_cards
from pipeline.records import Document
from pipeline.storage.parquet import write_documents
from pipeline.tasks.task import KnownFact
from pipeline.teachers.cost_estimate import estimate_cost
from pipeline.teachers.known_answers import LONG_DOCUMENT, choose_known, compare_answers, compare_with_known
from pipeline.teachers.known_facts import read_known_facts
from pipeline.teachers.slots import TeachingPlan
from tests.pipeline.endpoint.test_client import PARAMS, story
from tests.pipeline.teacher_scripts import KNOWN, schema_name
from tests.pipeline.test_ask import PARAMS as ASK

FACTS = (
    ("How many lamps were counted?", "37 lamps", "37 lamps were counted", "known"),
    ("Who counted them?", "The captain", "The captain counted", "known"),
    (
        "Why were they counted?",
        "Because the harbour had to be lit before the ships came in for winter",
        "the",
        "why",
    ),
)


def answers_known(request, number):
    """Give the answers of a file to the questions with known answers, and be honest otherwise."""
    if schema_name(request) != "KnownReply":
        return honest(request, number)
    known = json.loads(Path(os.environ[KNOWN]).read_text())
    prompt = request["messages"][-1]["content"]
    return completion(json.dumps({"answer": next(answer for question, answer in known.items() if question in prompt)}))


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Two short books and one that no model's context holds, as `curate` writes them."""
    texts = [story(1), story(2), story(3, 4_000)]
    rows = [
        Document(f"{n}" * 64, "book", f"{n}.txt", f"Days of {n}", text=text, num_tokens=1_500, split="train")
        for n, text in enumerate(texts, 1)
    ]
    write_documents(tmp_path / "curate" / "documents-00000.parquet", rows)
    return tmp_path / "curate"


@pytest.fixture
def facts_file(tmp_path: Path) -> Path:
    lines = [
        {"path": path, "question": f"{question} ({path})", "answer": answer, "quote": quote, "task": task}
        for path in ("1.txt", "3.txt")
        for question, answer, quote, task in FACTS
    ]
    (tmp_path / "facts.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return tmp_path / "facts.jsonl"


def known_to_server(tmp_path: Path, monkeypatch, **answers: str) -> None:
    (tmp_path / "known.json").write_text(json.dumps(answers))
    monkeypatch.setenv(KNOWN, str(tmp_path / "known.json"))


def test_answers_are_compared_by_words_figures_and_overlap(library, facts_file, tmp_path, monkeypatch) -> None:
    told = {
        "How many lamps were counted? (1.txt)": "There were 37 lamps in the harbour.",
        "Who counted them? (1.txt)": "The weaver.",
        "Why were they counted? (1.txt)": "The harbour had to be lit before the ships came in.",
    }
    known_to_server(tmp_path, monkeypatch, **told)
    facts = read_known_facts(facts_file, read_cards(library))
    with scripted(answers_known) as url:
        plan = TeachingPlan(library, 3, 1, PARAMS.model_copy(update={"base_url": url}))
        report = compare_with_known(plan, facts, 24, tmp_path / "ask")
        again = compare_with_known(plan, facts, 24, tmp_path / "ask")
    assert report["asked"] == 6
    assert report["not_compared"] == {LONG_DOCUMENT: 3}
    assert report["short_answers"] == {"n": 2, "right": 1, "right_by_task": {"known": 1}}
    assert report["long_answers"]["n"] == 1
    assert report["long_answers"]["mean_rouge_l"] > 0.7
    assert again == report


def test_a_run_with_an_endpoint_logs_and_reports_the_comparison(
    library, facts_file, tmp_path, monkeypatch, caplog
) -> None:
    told = {f"{question} (1.txt)": answer for question, answer, _, _ in FACTS}
    known_to_server(tmp_path, monkeypatch, **told)
    caplog.set_level(logging.INFO)
    with scripted(answers_known) as url:
        params = ASK.model_copy(update={
            "teacher": "endpoint", "num_known": 6, "endpoint": PARAMS.model_copy(update={"base_url": url}),
            "max_failed_fraction": 1.0,
        })  # fmt: skip
        run(params, documents=library, known=facts_file, out=tmp_path / "ask", dry_run=False)
    report = json.loads((tmp_path / "ask" / "report.json").read_text())["known_answers"]
    assert report["short_answers"]["right"] == report["short_answers"]["n"] == 2
    assert report["long_answers"]["mean_rouge_l"] == 1.0
    assert "of 6 questions with known answers, 2 of 2 short answers are the known ones" in caplog.text


def test_a_dry_run_counts_the_questions_with_known_answers(library, facts_file) -> None:
    plan, cards = TeachingPlan(library, 3, 1, PARAMS), read_cards(library)
    known = choose_known(read_known_facts(facts_file, cards), 24, 1)
    without, found = (estimate_cost(plan, cards, known=each) for each in ((), known))
    assert found.most_requests - without.most_requests == 3 * PARAMS.max_samples  # the long book is not asked about
    assert found.most_prompt_tokens > without.most_prompt_tokens


@pytest.mark.parametrize(("known", "given", "is_right"), [
    ("37 lamps", "It was 37 lamps.", True),
    ("37 lamps", "It was 38 lamps.", False),
    ("1,204", "The figure is 1204.", True),
    ("a jackdaw that could count", "She kept a jackdaw, which could count.", True),
    ("a jackdaw that could count", "She kept a goat.", False),
])  # fmt: skip
def test_a_short_answer_is_right_if_it_has_the_figures_and_the_words(known: str, given: str, is_right: bool) -> None:
    assert compare_answers(KnownFact("?", known, ("q",)), given).is_right == is_right


def test_kinds_of_known_questions_take_turns() -> None:
    facts = {"d": [*(KnownFact(f"{n}?", "a", ("q",)) for n in range(9)), KnownFact("why?", "a", ("q",), "why")]}
    assert {fact.task for _, fact in choose_known(facts, 2, seed=1)} == {"known", "why"}
    assert len(choose_known(facts, 99, seed=1)) == 10


@pytest.mark.parametrize("line", [
    '{"path": "1.txt", "question": "q", "answer": "a"}',
    '{"path": "1.txt", "question": "q", "answer": "a", "quotes": []}',
    '{"path": "1.txt", "question": "q", "answer": "a", "quotes": "words"}',
    '{"path": "1.txt", "question": "q", "answer": "a", "quote": "w", "statements": [{"text": "b", "quotes": [0]}]}',
    '{"path": "1.txt", "question": "q", "answer": "a", "quote": "w", "statements": [{"text": "a", "quotes": [1]}]}',
    '["path"]',
    "words",
])  # fmt: skip
def test_a_broken_line_of_known_facts_is_named(library: Path, tmp_path: Path, line: str) -> None:
    (tmp_path / "facts.jsonl").write_text(f"\n{line}\n")
    with pytest.raises(InputError, match="line 2"):
        read_known_facts(tmp_path / "facts.jsonl", read_cards(library))
