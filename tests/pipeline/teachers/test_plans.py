"""What is planned, and what it will cost at most: slots, shares, places of evidence, prompts and their tokens."""

import asyncio
import json
import re
from collections import Counter
from dataclasses import replace

import pytest

from pipeline.benchmarks.scripted import honest, scripted
from pipeline.endpoint.request_body import estimate_tokens, show_fields
from pipeline.passages.document_groups import read_cards
from pipeline.tasks.task import all_tasks
from pipeline.teachers.answers import Question, answer_messages, stated_schema
from pipeline.teachers.context import EXAMPLES_TOKENS, OVERHEAD_TOKENS
from pipeline.teachers.cost_estimate import estimate
from pipeline.teachers.profiles import Profile
from pipeline.teachers.prompts import example_messages, reply_schema
from pipeline.teachers.question_prompts import (
    WISH_TOKENS,
    WrittenQuestion,
    batch_messages,
    batch_schema,
    list_asked,
)
from pipeline.teachers.questions import choose_batch_size, find_lines, refuse_repeated
from pipeline.teachers.slots import RANGES, Slot, SlotQueue, plan_slots
from tests.pipeline import server_scripts as servers
from tests.pipeline.endpoint.test_client import PARAMS, library  # noqa: F401
from tests.pipeline.teachers.test_two_steps import make_plan, no_long_pauses, teach  # noqa: F401

PROFILE = Profile("a doctoral student new to the field", "to check a claim that they heard", "hard: it takes thought")


@pytest.mark.parametrize(
    ("tokens", "script"),
    [(32_000, honest), (32_000, servers.cold_prose_warm_json), (4_000, honest), (2_600, servers.cold_prose_warm_json)],
)
def test_a_dry_run_names_a_bound_that_holds(library, tmp_path, tokens, script) -> None:
    plan = make_plan(library, num=8, max_context_tokens=tokens)
    line = estimate(plan, read_cards(library))
    most, prompt, reply = map(int, re.findall(r"at most (\d+) requests, (\d+) prompt tokens, (\d+) reply", line)[0])
    least = int(re.findall(r"again, (\d+) requests", line)[0])
    with scripted(script) as url:
        _, spending = teach(library, url, tmp_path / "ask", num=8, max_context_tokens=tokens)
    assert spending.num_sent <= most
    assert script is not honest or spending.num_sent <= least
    assert spending.spent.prompt <= prompt
    assert spending.spent.reply <= reply


@pytest.mark.parametrize("tokens", [32_000, 6_000, 3_000])
def test_the_prompts_that_are_sent_have_no_more_tokens_than_a_dry_run_says(library, tmp_path, tokens) -> None:
    plan = make_plan(library, num=8, max_context_tokens=tokens)
    line = estimate(plan, read_cards(library))
    bound = int(re.findall(r"again, \d+ requests, (\d+) prompt tokens", line)[0])
    with scripted(servers.logs) as url:
        teach(library, url, tmp_path / "ask", num=8, max_context_tokens=tokens)
    sent = [json.loads(line)[1] for line in (tmp_path / "log").read_text().splitlines()]
    assert sum(map(estimate_tokens, sent)) <= bound
    assert max(map(estimate_tokens, sent)) <= plan.endpoint.max_prompt_tokens


def test_what_is_around_documents_in_a_prompt_is_within_what_is_reserved_for_it(library) -> None:
    slots = list(plan_slots(make_plan(library), read_cards(library)))
    for task in all_tasks().values():
        if not task.prompt:
            continue
        slot = Slot(("1" * 64,), task, 0, 9, task.num_quotes, PROFILE)
        question = Question("Why is that so? " * 37)
        for messages, schema in (
            (example_messages(slot, "", "f" * 16, "", with_examples=True), reply_schema(task)),
            (answer_messages(slot, question, "", "f" * 16, with_examples=True), stated_schema(task)),
        ):
            assert estimate_tokens(show_fields(messages, schema)) <= OVERHEAD_TOKENS + EXAMPLES_TOKENS, task.name
        for messages, schema in (
            (example_messages(slot, "", "f" * 16, "", with_examples=False), reply_schema(task)),
            (answer_messages(slot, question, "", "f" * 16, with_examples=False), stated_schema(task)),
        ):
            assert estimate_tokens(show_fields(messages, schema)) <= OVERHEAD_TOKENS + 200, task.name
    longest = [max(slots, key=lambda slot: len(slot.task.prompt))] * 8
    messages = batch_messages(longest, [None, None], "", "f" * 16, [], with_examples=True)
    assert estimate_tokens(show_fields(messages, batch_schema(8))) <= OVERHEAD_TOKENS + 8 * WISH_TOKENS


def test_a_question_in_the_words_of_an_earlier_one_is_refused() -> None:
    found = refuse_repeated(
        {1: Question("Who  fell?"), 2: Question("Who rose?"), 3: Question("who rose?")}, ["Who fell?"]
    )
    assert [isinstance(found[number], Question) for number in (1, 2, 3)] == [False, True, False]
    assert str(found[1]) == "question refused: it was asked before"


@pytest.mark.parametrize(
    ("numbers", "lines"),
    [((1, 2, 3), (1, 2, 3)), ((3, 1), (3, 1)), ((0, 1, 2), (1, 2, 3)), ((1, 1, 1), (1, 2, 3)), ((2, 2), (2,))],
)
def test_what_a_model_wrote_is_found_by_its_numbers_or_by_its_order(numbers, lines) -> None:
    written = [WrittenQuestion(number=n, parts=[], question=f"Is it the {place}?") for place, n in enumerate(numbers)]
    found = find_lines(written, 3)
    assert sorted(found) == sorted(lines)
    assert [found[line] for line in lines] == written[: len(lines)]


def test_slots_of_other_documents_are_handed_out_while_a_batch_is_answered(library) -> None:
    slots = list(plan_slots(make_plan(library), read_cards(library)))

    async def go() -> list[str]:
        queue = SlotQueue(slots, 2)
        first = await queue.take()
        await queue.answered(first)
        taken = [await queue.take() for _ in range(4)]
        return [slots[number].doc_ids[0][0] for number in [first, *taken]]

    one, *others = dict.fromkeys(slot.doc_ids[0][0] for slot in slots if len(slot.doc_ids) == 1)
    assert asyncio.run(go()) == [one, one, one, others[0], others[1]]


def test_the_questions_that_were_asked_are_listed_as_far_as_there_is_room() -> None:
    asked = [f"What happened on day {number} of the long voyage to the islands?" for number in range(500)]
    lines = list_asked(asked).splitlines()
    assert 20 < len(lines) < 200
    assert lines[-1].endswith("day 499 of the long voyage to the islands?")


def test_a_short_context_asks_for_fewer_questions_at_a_time() -> None:
    sizes = [choose_batch_size(PARAMS.model_copy(update={"max_context_tokens": n}), 8) for n in (2_000, 6_000, 32_000)]
    assert sizes == [1, 3, 8]


def test_shares_of_tasks_hold_and_places_of_evidence_are_drawn_in_their_shares(library) -> None:
    plan = replace(make_plan(library, num=200), max_shares={"unanswerable": 0.1, "lookup": 0.02, "why": 0.0})
    slots = list(plan_slots(plan, read_cards(library)))
    tasks = Counter(slot.task.name for slot in slots)
    assert 0 < tasks["unanswerable"] <= len(slots) * 0.1
    assert 0 < tasks["lookup"] <= len(slots) * 0.02
    assert tasks["why"] == 0
    assert tasks["summary"] > tasks["lookup"]
    several = [slot.num_quotes for slot in slots if slot.needs_places]
    counts = Counter(sum(low >= least for least, _ in RANGES.values()) for low, _ in several)
    assert min(counts[bucket] for bucket in (2, 3, 4)) > len(several) * 0.15
    assert len({(slot.doc_ids, slot.profile) for slot in slots if len(slot.doc_ids) == 1}) > 4 * 100
