"""A run against servers as people have them goes on, says what is wrong, loses nothing and keeps to its budget."""

import asyncio
import json
import logging
import re
import time
from pathlib import Path

import pytest

from pipeline.ask import AskParams
from pipeline.ask import run as ask
from pipeline.benchmarks.scripted import honest, scripted
from pipeline.endpoint.client import Endpoint
from pipeline.endpoint.reply_cache import FILE, ReplyStore
from pipeline.endpoint.throttle import Throttle
from pipeline.errors import InputError
from pipeline.judging.examination import Examination, examine_all
from pipeline.judging.judge import JudgeParams
from pipeline.judging.probes import PROBES
from pipeline.passages.document_groups import read_cards
from pipeline.records import Evidence, Example
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import read_documents, read_examples
from pipeline.teachers.cost_estimate import estimate
from pipeline.teachers.slots import SlotQueue, TeachingPlan, plan_slots
from tests.pipeline import server_scripts as servers
from tests.pipeline import teacher_scripts as scripts
from tests.pipeline.discussions import REVIEW_RULES
from tests.pipeline.endpoint.test_client import NUM_PER_DOCUMENT, PARAMS, asked, library, num_slots, verified  # noqa: F401

OFF = {"chat_template_kwargs": {"enable_thinking": False}}


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch) -> None:
    monkeypatch.setattr("pipeline.endpoint.client.BACKOFF_SECONDS", (0.01,))


def run(library: Path, url: str, out: Path, *, failed: float = 0.2, preview: int = 0, dry_run: bool = False, **changed):
    params = AskParams(
        human=REVIEW_RULES, endpoint=PARAMS.model_copy(update={"base_url": url, **changed}), teacher="endpoint",
        executor="local", num_workers=1, units_per_shard=2, num_per_document=NUM_PER_DOCUMENT, cited_fraction=0.0,
        max_failed_fraction=failed, quotas=[], seed=1, max_shares={}, steps="at_once", questions_per_request=4,
        evidence_places={}, num_known=0,
    )  # fmt: skip
    known = out.parent / "known.jsonl"
    known.touch()
    ask(params, preview, documents=library, known=known, out=out, dry_run=dry_run)


def is_all_sound(examples) -> bool:
    return bool(examples) and not [example.reason for example in examples if example.reason]


@pytest.mark.parametrize(
    ("script", "changed"),
    [
        (servers.thinks_aloud, {}),
        (servers.thinks_unless_told, {"extra_body": OFF}),
        (servers.knows_json_objects_only, {}),
        (servers.knows_text_only, {}),
        (servers.knows_text_only, {"structured_output": "none"}),
        (servers.refuses_limits, {}),
        (servers.like_gpt_5, {"reply_limit_field": "max_completion_tokens", "temperature": None}),
        (servers.streams_only, {"stream": True}),
        (servers.dates_its_name, {}),
        (servers.cold_prose_warm_json, {}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_server_of_today_fills_every_slot(library, tmp_path, script, changed) -> None:
    with scripted(script) as url:
        examples, _ = asked(library, url, tmp_path / "ask", **changed)
    assert is_all_sound(examples)


@pytest.mark.parametrize(
    ("script", "changed", "words"),
    [
        (servers.thinks_unless_told, {}, "used up by thinking.*extra_body"),
        (servers.like_gpt_5, {}, "reply_limit_field to max_completion_tokens"),
        (servers.like_gpt_5, {"reply_limit_field": "max_completion_tokens"}, "temperature to null"),
        (servers.strict_about_fields, {"extra_body": OFF}, "Remove chat_template_kwargs"),
        (servers.streams_only, {}, "stream to true"),
    ],
)
def test_a_server_that_needs_a_parameter_says_which(library, tmp_path, script, changed, words) -> None:
    with scripted(script) as url, pytest.raises(InputError, match=words):
        asked(library, url, tmp_path / "ask", **changed)
    with scripted(honest) as url:  # the same record: a question at the start is never replayed
        assert is_all_sound(asked(library, url, tmp_path / "ask", **changed)[0])


def test_a_dated_name_is_said_once(library, tmp_path, caplog) -> None:
    with caplog.at_level(logging.INFO), scripted(servers.dates_its_name) as url:
        asked(library, url, tmp_path / "ask")
    assert caplog.text.count("accepted as the same") == 1


def test_a_model_that_is_loading_does_not_use_up_attempts_or_deadlines(library, tmp_path) -> None:
    with scripted(servers.loads_first) as url:
        started = time.monotonic()
        examples, _ = asked(library, url, tmp_path / "ask", deadline_seconds=0.5, max_attempts=1, max_wait_seconds=9.0)
    assert time.monotonic() - started > 1.0
    assert is_all_sound(examples)


@pytest.mark.parametrize("script", [servers.says_when_in_a_header, servers.says_when_as_a_date])
def test_a_limit_is_waited_for_in_whatever_form_the_server_says_until_when(library, tmp_path, script) -> None:
    with scripted(script) as url:
        examples, _ = asked(library, url, tmp_path / "ask", max_attempts=1, max_wait_seconds=30.0)
    assert is_all_sound(examples)


def test_a_path_that_the_server_does_not_know_is_named_with_what_to_try(library, tmp_path) -> None:
    with scripted(servers.knows_no_such_path) as url, pytest.raises(InputError) as error:
        asked(library, url.removesuffix("/v1"), tmp_path / "ask")
    assert f"and try {url}" in str(error.value)


def test_a_server_with_one_slot_is_asked_one_at_a_time_and_nothing_is_lost(library, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(scripts.LOG, str(tmp_path / "log"))
    peaks = []
    slot = Throttle.slot

    def watched(self):
        peaks.append(self.limit)
        return slot(self)

    monkeypatch.setattr(Throttle, "slot", watched)
    with scripted(servers.one_at_a_time, num_slots=1) as url:
        examples, spending = asked(library, url, tmp_path / "ask", max_in_flight=32, deadline_seconds=0.6)
    assert is_all_sound(examples)
    assert (tmp_path / "log").read_text().count("\n") == spending.num_sent == len(examples) + 1
    assert max(peaks) <= 4
    assert Throttle.slot is watched


def test_the_limit_grows_with_a_server_that_batches_and_falls_for_one_that_does_not(monkeypatch) -> None:
    now = [1.0]
    monkeypatch.setattr("pipeline.endpoint.throttle.time.monotonic", lambda: now[0])

    def limits(seconds_a_reply, num: int) -> list[float]:
        throttle, found = Throttle(32, start=1), []
        for _ in range(num):
            now[0] += seconds_a_reply(throttle.limit)
            throttle.succeeded()
            found.append(throttle.limit)
        return found

    assert limits(lambda limit: 1 / limit, 150)[-1] == 32
    serial = limits(lambda limit: 1.0, 400)
    assert max(serial) <= 2
    assert serial.count(1.0) > 350
    assert max(limits(lambda limit: 1 / min(limit, 8), 300)) <= 16


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (servers.runs_out, "current quota"),
        (servers.key_expires, "status 401: Incorrect API key"),
        (servers.credit_ends, "status 402: Insufficient credits"),
        (servers.day_is_used_up, "free-models-per-day"),
        (servers.asks_for_an_hour, "it asks to wait 3600 s, more than endpoint.max_wait_seconds"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_no_waiting_helps_ends_the_run_with_one_line_and_a_second_run_asks_for_the_rest(
    library, tmp_path, script, words
) -> None:
    with scripted(script) as url, pytest.raises(InputError, match=words) as error:
        run(library, url, tmp_path / "ask", max_in_flight=2)
    assert "run again" in str(error.value)
    rows = list(read_examples(tmp_path / "ask", "examples*.parquet"))
    missing = [row for row in rows if row.reason]
    assert {row.reason.split(": ")[0] for row in missing} == {"endpoint stopped"}
    assert len(rows) - len(missing) == 8  # of nine requests the first was the question at the start
    report = json.loads((tmp_path / "ask" / "report.json").read_text())
    assert report["faulty"] == {"endpoint stopped": len(missing)}
    with scripted(honest) as url:
        examples, spending = asked(library, url, tmp_path / "ask")
    assert is_all_sound(examples)
    assert spending.num_sent == len(missing) + 1


def test_a_run_without_a_single_usable_reply_writes_rows_reasons_and_the_report(library, tmp_path) -> None:
    with scripted(scripts.unenforced_after_check) as url, pytest.raises(InputError) as error:
        run(library, url, tmp_path / "ask")
    slots = num_slots(library)
    assert f"no usable reply for {slots} of {slots} examples: {slots} times reply not by the schema" in str(error.value)
    assert "structured_output" in str(error.value)
    assert len(list(read_examples(tmp_path / "ask", "examples*.parquet"))) == slots
    report = json.loads((tmp_path / "ask" / "report.json").read_text())
    assert report["faulty"] == {"reply not by the schema": slots}
    with scripted(honest) as url:
        examples, spending = asked(library, url, tmp_path / "ask")
    assert is_all_sound(examples)
    assert spending.num_sent == slots + 1


def test_a_few_failures_are_counted_by_reason_and_too_many_fail_the_run(library, tmp_path, caplog) -> None:
    with scripted(servers.prose_about_reports) as url:
        with caplog.at_level(logging.INFO):
            run(library, url, tmp_path / "ask", failed=0.5)
        assert "refused 9 (9 reply not by the schema)" in caplog.text  # six slots and three about a pair
        with pytest.raises(InputError, match="for 9 of 30 examples"):
            run(library, url, tmp_path / "ask", failed=0.2)
    with scripted(honest) as url:
        examples, spending = asked(library, url, tmp_path / "ask")
    assert is_all_sound(examples)
    assert spending.num_sent == 10


def test_a_spent_budget_is_no_failure_of_the_replies_unless_nothing_was_asked(library, tmp_path) -> None:
    with scripted() as url:
        run(library, url, tmp_path / "ask", failed=0.0, max_tokens=20_000)
        report = json.loads((tmp_path / "ask" / "report.json").read_text())
        assert report["faulty"]["budget"] > sum(report["examples"].values()) / 2
        with pytest.raises(InputError, match=r"30 times budget: the request was not sent.*Raise endpoint.max_tokens"):
            run(library, url, tmp_path / "other", max_tokens=10)


def test_a_raised_limit_asks_again_for_what_was_cut_off_and_for_nothing_else(library, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(scripts.LOG, str(tmp_path / "log"))
    with scripted(servers.cuts_off_below_600) as url:
        first, _ = asked(library, url, tmp_path / "ask")
        cut = [example for example in first if example.reason]
        again, spending = asked(library, url, tmp_path / "ask")
        raised, more = asked(library, url, tmp_path / "ask", max_reply_tokens=700)
    assert {example.reason for example in cut} == {"reply cut off: ended by length"}
    assert again == first
    assert spending.num_sent == 0
    assert is_all_sound(raised)
    assert more.num_sent == len(cut) + 1


@pytest.mark.parametrize("script", [servers.says_no_usage, scripts.drips])
def test_what_a_server_does_not_say_is_charged_as_reserved(library, tmp_path, script) -> None:
    with scripted(script) as url:
        examples, spending = asked(
            library, url, tmp_path / "ask", max_tokens=20_000, max_attempts=1, deadline_seconds=0.2
        )
        spent = spending.spent.prompt + spending.spent.reply
        assert 14_000 < spent <= 20_000
        assert spending.num_over_budget > len(examples) // 2
        _, again = asked(library, url, tmp_path / "ask", max_tokens=spent, max_attempts=1, deadline_seconds=0.2)
    assert again.num_sent == 0  # an earlier run's charges count


def test_cached_tokens_are_reported_and_charged_at_their_price(library, tmp_path, caplog) -> None:
    with caplog.at_level(logging.INFO), scripted(servers.caches) as url:
        _, spending = asked(library, url, tmp_path / "ask")
    assert spending.as_dict(1)["cached_prompt_tokens"] == 900 * spending.num_sent
    assert spending.cost == pytest.approx(spending.num_sent * (100 * 1.0 + 900 * 0.5 + 100 * 2.0) / 1e6)
    said = f"{900 * spending.num_sent} of {1_000 * spending.num_sent} prompt tokens from the server's cache"
    assert said in caplog.text


def test_the_questions_about_a_document_follow_one_another(library, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(scripts.LOG, str(tmp_path / "log"))
    with scripted(servers.logs) as url:
        asked(library, url, tmp_path / "ask", max_in_flight=1)
    sent = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    prompts = [messages[-1]["content"] for name, messages in sent if name != "SchemaCheck"]
    documents = [re.findall(r"^<document \d+ (\w+)>", prompt)[0] for prompt in prompts]
    assert documents == sorted(documents, key=documents.index)
    assert all(prompt.startswith("<document 1 ") for prompt in prompts)


def test_a_server_that_cuts_the_prompt_is_named_with_the_remedy(library, tmp_path) -> None:
    with scripted(servers.cuts_the_prompt) as url, pytest.raises(InputError, match="prompt cut by the server") as error:
        run(library, url, tmp_path / "ask")
    assert "OLLAMA_CONTEXT_LENGTH" in str(error.value)


def test_a_proxy_is_left_out_for_loopback_and_named_elsewhere(library, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with scripted() as url:
        assert is_all_sound(asked(library, url, tmp_path / "ask")[0])
    with pytest.raises(InputError, match="by the proxy of HTTP_PROXY"):
        asked(library, "http://teacher.invalid/v1", tmp_path / "other")


def test_a_dry_run_names_a_bound_that_holds(library, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(scripts.LOG, str(tmp_path / "log"))
    for tokens, script in ((32_000, servers.cold_prose_warm_json), (2_600, servers.logs)):
        changed = {"max_context_tokens": tokens, "max_samples": 2}
        plan = TeachingPlan(library, NUM_PER_DOCUMENT, 1, PARAMS.model_copy(update=changed))
        line = estimate(plan, read_cards(library))
        most, prompt, reply = map(int, re.findall(r"at most (\d+) requests, (\d+) prompt tokens, (\d+) reply", line)[0])
        least = int(re.findall(r"again, (\d+) requests", line)[0])
        with scripted(script) as url:
            _, spending = asked(library, url, tmp_path / f"ask{tokens}", **changed)
        assert spending.num_sent <= most
        assert script is servers.cold_prose_warm_json or spending.num_sent <= least
        assert spending.spent.prompt <= prompt
        assert spending.spent.reply <= reply


def test_a_preview_shows_a_few_examples_which_the_whole_run_replays(library, tmp_path, caplog) -> None:
    with scripted() as url:
        with caplog.at_level(logging.INFO):
            run(library, url, tmp_path / "ask", preview=5)
        assert sorted(path.name for path in (tmp_path / "ask").iterdir()) == ["preview.html", FILE]
        assert "What is told" in (tmp_path / "ask" / "preview.html").read_text()
        assert "5 examples in" in caplog.text
        examples, spending = asked(library, url, tmp_path / "ask")
    assert spending.num_replayed == 5
    assert spending.spent.prompt == 1_000 * (len(examples) + 2)  # charged to the budget of the whole run


def test_an_old_record_is_replayed_without_a_server(library, tmp_path) -> None:
    with scripted() as url:
        first, _ = asked(library, url, tmp_path / "ask")
    again, spending = asked(library, "http://127.0.0.1:9/v1", tmp_path / "ask", stream=True, max_reply_tokens=400)
    assert again == first
    assert spending.num_sent == 0


def test_a_server_that_goes_away_ends_the_run(library, tmp_path) -> None:
    with ReplyStore(tmp_path / FILE) as store:
        endpoint = Endpoint(PARAMS.model_copy(update={"base_url": "http://127.0.0.1:9/v1"}), store)
        endpoint._throttle.last_reply_at = 1.0  # it has answered before
        with pytest.raises(Exception, match=r"endpoint stopped: no connection .*, for 1 s"):
            endpoint.give_up("no connection (ConnectError)", 0, is_waiting=True, failing_since=1.0)


def test_others_of_a_document_wait_for_its_first(library) -> None:
    slots = list(plan_slots(TeachingPlan(library, NUM_PER_DOCUMENT, 1, PARAMS), read_cards(library)))

    async def go() -> list[tuple[str, int]]:
        queue = SlotQueue(slots)
        first = [await queue.take() for _ in range(4)]  # one of each document
        await queue.answered(first[1])
        return [(slots[n].doc_ids[0][0], slots[n].number) for n in [*first, await queue.take(), await queue.take()]]

    documents = [slot.doc_ids[0][0] for slot in slots if slot.number == 0][:4]
    assert asyncio.run(go()) == [*((name, 0) for name in documents), (documents[1], 1), (documents[1], 2)]


def test_a_judge_whose_server_stops_ends_the_run_and_the_next_one_replays_what_was_judged(library, tmp_path) -> None:
    with scripted() as url:
        run(library, url, tmp_path / "asked")
    with scripted(servers.runs_out) as url, pytest.raises(InputError, match=r"no verdict: endpoint stopped.*quota"):
        verified(library, url, tmp_path, [], when="auto")
    assert not list((tmp_path / "verify").glob("*.parquet"))
    with ReplyStore(tmp_path / "verify" / FILE) as store:
        num_judged = len(store)
    assert num_judged > 4
    with scripted() as url:
        accepted, _ = verified(library, url, tmp_path, [], when="auto")
    assert all("judge" in row.checks for row in accepted)
    report = json.loads((tmp_path / "verify" / "report.json").read_text())
    assert report["judge"]["judged_sound"] == len(accepted)
    assert report["judge"]["written_by_the_same_model"] >= len(accepted)


def test_the_judge_of_does_not_say_is_shown_what_a_search_finds(library, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(scripts.LOG, str(tmp_path / "log"))
    document = next(iter(read_documents(library)))
    words = "the baker"
    answer = "The document does not say who was sad."
    span = Evidence(document.doc_id, 0, 40, document.text[:40])
    example = Example("a" * 16, "unanswerable", f"Was {words} sad?", answer, (document.doc_id,), (span,))
    with scripted(servers.logs) as url:
        params = PARAMS.model_copy(update={"base_url": url})
        examination = Examination(PROBES, JudgeParams(when="always", votes=1, min_mark=3), params)
        (probed,), _ = examine_all([example], examination, DocumentStore(library), tmp_path / "verify")
    assert (probed.reason, probed.checks) == ("", ("closed_book", "evidence_only", "judge"))  # 'I do not know' agrees
    judged = [line for line in (tmp_path / "log").read_text().splitlines() if "Support" in line]
    found = [part for part in judged[0].split("[found by a search] ")[1:] if words in part]
    assert 2 <= len(found) <= 8
