"""Requests and replies by files: rounds until nothing is left, at the same requests as over the wire."""

import json
import logging
from pathlib import Path

import pytest

from pipeline.ask import run as ask
from pipeline.benchmarks.scripted import honest, scripted
from pipeline.endpoint.batch_files import BatchRequests, read_results
from pipeline.endpoint.reply_cache import FILE, ReplyStore
from pipeline.errors import InputError
from pipeline.passages.document_groups import read_cards
from pipeline.teachers.generate import generate
from tests.pipeline import server_scripts as servers
from tests.pipeline.endpoint.test_client import PARAMS, library  # noqa: F401
from tests.pipeline.teachers.test_two_steps import make_plan
from tests.pipeline.test_ask import PARAMS as ASK

NOWHERE = "http://127.0.0.1:9/v1"


def exchange(library: Path, tmp_path: Path, **changed) -> None:
    endpoint = PARAMS.model_copy(update={"base_url": NOWHERE, **changed})
    params = ASK.model_copy(
        update={
            "teacher": "endpoint", "endpoint": endpoint, "steps": "questions_first", "num_per_document": 4,
            "max_shares": {"unanswerable": 0.1}, "evidence_places": make_plan(library).evidence_places,
        }
    )  # fmt: skip
    known = tmp_path / "known.jsonl"
    known.touch()
    folder = str(tmp_path / "batch")
    ask(params, batch=folder, documents=library, known=known, out=tmp_path / "ask", dry_run=False)


def requests_in(tmp_path: Path) -> list[dict]:
    files = sorted((tmp_path / "batch").glob("requests-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def answer(tmp_path: Path, name: str, script=honest) -> int:
    """Answer the requests of a round as the batch API does, in another order."""
    asked = requests_in(tmp_path)
    lines = []
    for row in reversed(asked):
        response = script(row["body"], 0)
        body = {"status_code": response.status, "body": json.loads(response.body)}
        lines.append(json.dumps({"id": "x", "custom_id": row["custom_id"], "response": body, "error": None}))
    (tmp_path / "batch" / name).write_text("\n".join(lines) + "\n")
    return len(asked)


def test_rounds_of_files_end_with_the_examples_of_a_server(library, tmp_path, caplog) -> None:
    sizes = []
    with caplog.at_level(logging.INFO):
        for number in range(9):
            exchange(library, tmp_path)
            if not requests_in(tmp_path):
                break
            sizes.append(answer(tmp_path, f"results-{number}.jsonl"))
    assert "Nothing is left to ask" in caplog.text
    assert 3 <= len(sizes) <= 6  # questions, verdicts, answers, and the turns of conversations
    first = requests_in(tmp_path)
    assert not first
    replayed, spending = generate(make_plan(library, NOWHERE, 4), read_cards(library), tmp_path / "ask")
    assert not [example.reason for example in replayed if example.reason]
    assert spending.num_sent == 0
    assert spending.spent.prompt == 1_000 * sum(sizes)
    with scripted() as url:
        direct, _ = generate(make_plan(library, url, 4), read_cards(library), tmp_path / "direct")
    assert replayed == direct


def test_documents_that_are_read_in_chunks_take_a_few_more_rounds(library, tmp_path) -> None:
    for number in range(12):
        exchange(library, tmp_path, max_context_tokens=3_000)
        if not requests_in(tmp_path):
            break
        answer(tmp_path, f"results-{number}.jsonl")
    assert not requests_in(tmp_path)
    plan = make_plan(library, NOWHERE, 4, max_context_tokens=3_000)
    examples, spending = generate(plan, read_cards(library), tmp_path / "ask")
    assert spending.num_sent == 0
    assert len([example for example in examples if not example.reason]) > len(examples) // 2


def test_a_request_is_a_line_as_batch_apis_take_it(library, tmp_path) -> None:
    exchange(library, tmp_path)
    for row in requests_in(tmp_path):
        assert set(row) == {"custom_id", "method", "url", "body"}
        assert (row["method"], row["url"]) == ("POST", "/v1/chat/completions")
        assert row["body"]["messages"][-1]["content"].startswith("<document 1 ")
        assert row["body"]["response_format"]["json_schema"]["strict"]
    assert len({row["custom_id"] for row in requests_in(tmp_path)}) == len(requests_in(tmp_path))
    assert not list((tmp_path / "ask").glob("examples*"))


def test_what_failed_in_a_batch_is_in_the_next_one_and_is_charged_once(library, tmp_path) -> None:
    exchange(library, tmp_path)
    asked = answer(tmp_path, "results.jsonl", servers.refuses_long_batches)
    exchange(library, tmp_path)
    exchange(library, tmp_path)  # the same results again
    with ReplyStore(tmp_path / "ask" / FILE) as store:
        prompt = store.count_tokens()[0]
    assert prompt == 1_000 * (asked - 1)
    names = [row["body"]["response_format"]["json_schema"]["name"] for row in requests_in(tmp_path)]
    assert names.count("QuestionBatch") >= 1
    assert "QuestionVerdicts" in names


def test_a_batch_keeps_to_the_budget(library, tmp_path) -> None:
    exchange(library, tmp_path)
    whole = len(requests_in(tmp_path))
    exchange(library, tmp_path, max_tokens=9_000)
    assert 0 < len(requests_in(tmp_path)) < whole


def test_many_requests_are_split_into_files_and_a_broken_result_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("pipeline.endpoint.batch_files.MAX_REQUESTS", 2)
    with BatchRequests(tmp_path / "batch", PARAMS) as batch:
        for number in range(5):
            batch.add(str(number), {"model": "m"})
    assert [len(path.read_text().splitlines()) for path in sorted((tmp_path / "batch").iterdir())] == [2, 2, 1]
    assert [row["custom_id"] for row in requests_in(tmp_path)] == list("01234")
    (tmp_path / "batch" / "results.jsonl").write_text('{"custom_id": "0", "response": null}\nno json\n')
    with ReplyStore(tmp_path / FILE) as store, pytest.raises(InputError, match=r"results.jsonl, line 2"):
        read_results(tmp_path / "batch", store, PARAMS)
