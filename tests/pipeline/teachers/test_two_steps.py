"""Questions are written and judged before they are answered, and each statement of an answer has its quotes."""

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.benchmarks.scripted import honest, scripted
from pipeline.checks.citations import is_citable, listed_citations, with_citations, without_citations
from pipeline.dataset.prompt import write_instruction
from pipeline.endpoint.client import Endpoint
from pipeline.endpoint.reply_cache import FILE, ReplyStore
from pipeline.judging.probes import ShortAnswer
from pipeline.passages.document_groups import read_cards
from pipeline.passages.passages import Passages
from pipeline.records import Document, Example, Turn
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import read_documents
from pipeline.teachers.generate import generate
from pipeline.teachers.prompts import show_document
from pipeline.teachers.question_prompts import (
    describe_wish,
)
from pipeline.teachers.slots import RANGES, TeachingPlan, plan_slots
from tests.pipeline import server_scripts as servers
from tests.pipeline import teacher_scripts as scripts
from tests.pipeline.endpoint.test_client import PARAMS, library  # noqa: F401

NUM = 18


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("pipeline.endpoint.client.BACKOFF_SECONDS", (0.01,))
    monkeypatch.setenv(scripts.LOG, str(tmp_path / "log"))


def make_plan(library: Path, url: str = "", num: int = NUM, **changed) -> TeachingPlan:
    params = PARAMS.model_copy(update={"base_url": url, **changed})
    places = dict.fromkeys(RANGES, 0.25)
    return TeachingPlan(library, num, 1, params, "questions_first", 4, {"unanswerable": 0.1}, places)


def teach(library: Path, url: str, out: Path, num: int = NUM, **changed):
    return generate(make_plan(library, url, num, **changed), read_cards(library), out)


def logged(tmp_path: Path) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    return [(name, messages[-1]["content"]) for name, messages in lines]


def test_each_statement_of_an_answer_is_in_it_and_names_quotes_of_the_documents(library, tmp_path) -> None:
    with scripted() as url:
        examples, _ = teach(library, url, tmp_path / "ask")
    texts = {document.doc_id: document.text for document in read_documents(library)}
    assert len(examples) == len(list(plan_slots(make_plan(library), read_cards(library)))) > 60
    assert not [example.reason for example in examples if example.reason]
    for example in examples:
        assert example.statements
        assert all(texts[span.doc_id][span.start : span.end] == span.quote for span in example.evidence)
        for statement in example.statements:
            assert statement.text in example.answer
            words = example.evidence[statement.quotes[0]].quote if statement.quotes else "The document does not say."
            assert statement.text == words  # as the server quotes it
        assert {span.doc_id for span in example.evidence} == set(example.doc_ids)
    assert {example.prompt_version.split("/")[0] for example in examples} == {"ask-3"}


def test_a_conversation_has_its_earlier_turns_and_what_they_rest_on(library, tmp_path) -> None:
    with scripted(servers.logs) as url:
        examples, _ = teach(library, url, tmp_path / "ask")
    talks = [example for example in examples if example.task == "conversation"]
    assert talks
    for talk in talks:
        assert [turn.role for turn in talk.earlier] == ["user", "assistant"]
        assert talk.earlier[0].content.startswith("What is single question")
        quotes = {span.quote for span in talk.evidence}
        assert any(talk.earlier[1].content.startswith(quote) for quote in quotes)
    asked = [prompt for name, prompt in logged(tmp_path) if name == "StatedAnswer"]
    assert [p for p in asked if f"Earlier in the conversation, the assistant: {talks[0].earlier[1].content}" in p]


def test_a_citation_is_behind_its_statement(library, tmp_path) -> None:
    with scripted() as url:
        examples, _ = teach(library, url, tmp_path / "ask", num=6)
    cited = [(example, with_citations(example)) for example in examples if is_citable(example)]
    assert len(cited) > 10
    for plain, marked in cited:
        assert without_citations(marked.answer) == plain.answer
        listed = listed_citations(marked.answer)
        used = {plain.evidence[quote].quote for one in plain.statements for quote in one.quotes}
        assert set(listed.values()) == used
        for statement in plain.statements:
            behind = marked.answer.split(statement.text)[1]
            numbers = re.findall(r"\[(\d+)\]", re.match(r"(?:\[\d+\])*", behind)[0])
            assert [listed[number] for number in numbers] == [plain.evidence[quote].quote for quote in statement.quotes]
    assert not [plain for plain, _ in cited if plain.task == "table_extraction"]


def test_a_row_has_the_earlier_turns_before_its_question() -> None:
    document = Document("1" * 64, "book", "1.txt", text="Ada lost the mill.")
    earlier = (Turn("user", "Who ran the mill?"), Turn("assistant", "Ada did."))
    talk = Example("a" * 16, "conversation", "And who lost it?", "She did.", (document.doc_id,), earlier=earlier)
    instruction, (material,) = write_instruction(talk, [(document, (0, 18))])
    said = "User: Who ran the mill?\n\nAssistant: Ada did.\n\nUser: And who lost it?"
    assert instruction.endswith(f"{document.text}\nNow the material ends. {said}")
    assert instruction[material.offset : material.offset + 18] == document.text
    single, _ = write_instruction(replace(talk, earlier=()), [(document, (0, 18))])
    assert single.endswith("Now the material ends. And who lost it?")


def test_questions_are_written_for_readers_and_judged_before_anybody_answers(library, tmp_path) -> None:
    with scripted(servers.logs) as url:
        teach(library, url, tmp_path / "ask", max_in_flight=1)
    sent = logged(tmp_path)
    prompts = {name: [prompt for one, prompt in sent if one == name] for name, _ in sent}
    assert all(prompt.startswith("<document 1 ") for name, prompt in sent if name != "SchemaCheck")
    names = [name for name, _ in sent if name != "SchemaCheck"]
    assert names[:3] == ["QuestionBatch", "QuestionVerdicts", "StatedAnswer"]
    assert len(prompts["QuestionBatch"]) == len(prompts["QuestionVerdicts"])
    wishes = [line for p in prompts["QuestionBatch"] for line in re.findall(r"^\d+\. .*", p, re.MULTILINE)]
    assert all("Write it for " in wish and "Good ones, about other documents: “" in wish for wish in wishes)
    assert len({wish.split("Write it for ")[1].split("Good ones")[0] for wish in wishes}) > 40
    later = [prompt for prompt in prompts["QuestionBatch"] if "Asked already" in prompt]
    assert max(prompt.count("\n- What is told of") for prompt in later) >= 12
    answers = prompts["StatedAnswer"]
    assert all("Statement on quotes [" in p and "First copy the words that answer it." in p for p in answers)


def test_a_place_is_named_only_where_a_task_asks_about_one(library) -> None:
    store = DocumentStore(library)
    for slot in plan_slots(make_plan(library), read_cards(library)):
        documents = [show_document(number, Passages(store[doc_id])) for number, doc_id in enumerate(slot.doc_ids, 1)]
        wish = describe_wish(slot, documents, with_examples=True)
        assert ("percent of the way through it" in wish) == (slot.task.asks_about == "place")
        assert ("places that lie apart" in wish) == (slot.task.asks_about != "place")
        low, high = slot.num_quotes
        assert slot.task.num_quotes[0] <= low <= high <= slot.task.num_quotes[1]


def test_a_refused_question_is_a_row_with_its_reason_and_is_never_answered(library, tmp_path) -> None:
    with scripted(servers.judges_books_badly) as url:
        examples, _ = teach(library, url, tmp_path / "ask")
    refused = [example for example in examples if example.reason]
    assert {example.reason for example in refused} == {"question refused: not clear (it asks for two things)"}
    assert len(refused) >= NUM // 4
    assert len({example.example_id for example in examples}) == len(examples)
    answered = [prompt for name, prompt in logged(tmp_path) if name == "StatedAnswer"]
    for example in refused:
        assert example.question.startswith("What is told of")
        assert not [p for p in answered if f"Question: {example.question}\n" in p and "Days of 2" not in p]


def test_after_the_server_failed_at_questions_a_second_run_asks_for_what_failed_and_nothing_else(
    library, tmp_path
) -> None:
    with scripted(servers.fails_at_questions) as url:
        first, _ = teach(library, url, tmp_path / "ask", max_attempts=1)
    failed = [example for example in first if example.reason]
    assert {example.doc_ids[0][0] for example in failed} >= {"2"}
    assert {example.reason.split(":")[0] for example in failed} == {"endpoint"}
    num_first = len(logged(tmp_path))
    with scripted(servers.logs) as url:
        second, _ = teach(library, url, tmp_path / "ask")
    assert not [example.reason for example in second if example.reason]
    again = [prompt for name, prompt in logged(tmp_path)[num_first:] if name != "SchemaCheck"]
    assert all("Days of 2" in prompt for prompt in again)
    assert [one for one in second if one.doc_ids[0][0] not in "12"] == [
        one for one in first if one.doc_ids[0][0] not in "12"
    ]


def test_a_second_run_needs_no_server_and_a_preview_is_part_of_the_whole(library, tmp_path) -> None:
    with scripted() as url:
        plan = make_plan(library, url)
        few, _ = generate(plan, read_cards(library), tmp_path / "ask", num=5)
        whole, _ = generate(plan, read_cards(library), tmp_path / "ask")
    assert len(few) == 5
    assert set(few) <= set(whole)
    again, spending = teach(library, "http://127.0.0.1:9/v1", tmp_path / "ask")
    assert again == whole
    assert spending.num_sent == 0


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (servers.names_no_quotes, "reply not by the schema: statement 1 has no quote"),
        (servers.finds_no_answer, "question not answered: the model found no answer in the documents"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_answer_without_support_is_refused(library, tmp_path, script, reason) -> None:
    with scripted(script) as url:
        examples, _ = teach(library, url, tmp_path / "ask")
    assert {example.reason for example in examples if example.task != "unanswerable"} == {reason}


@pytest.mark.parametrize("steps", ["questions_first", "at_once"])
def test_a_quote_that_no_document_has_draws_another_sample(library, tmp_path, steps) -> None:
    with scripted(servers.invents_at_first) as url:
        plan = replace(make_plan(library, url, num=4), steps=steps)
        examples, _ = generate(plan, read_cards(library), tmp_path / "ask")
        assert not [example.reason for example in examples if example.reason]
        once, spending = generate(
            replace(plan, endpoint=plan.endpoint.model_copy(update={"max_samples": 1})),
            read_cards(library), tmp_path / "ask",
        )  # fmt: skip
    assert spending.num_sent == 0
    assert {example.reason.split(":")[0] for example in once} == {"quote not found"}


def test_equal_requests_at_a_time_are_sent_once(tmp_path) -> None:
    async def go(url: str) -> int:
        with ReplyStore(tmp_path / FILE) as store:
            async with Endpoint(PARAMS.model_copy(update={"base_url": url}), store) as endpoint:
                asked = [endpoint.ask([{"role": "user", "content": "Why?"}], ShortAnswer) for _ in range(8)]
                replies = await asyncio.gather(*asked)
                assert len(set(replies)) == 1
                return endpoint.spending.num_sent

    with scripted(honest) as url:
        assert asyncio.run(go(url)) == 2  # with the question at the start


@pytest.mark.parametrize("steps", ["questions_first", "at_once"])
def test_a_prompt_that_is_too_long_for_the_server_is_read_in_chunks(library, tmp_path, steps) -> None:
    with scripted(servers.has_a_short_context) as url:
        plan = replace(make_plan(library, url, num=4, max_context_tokens=9_000), steps=steps)
        examples, _ = generate(plan, read_cards(library), tmp_path / "ask")
    sound = [example for example in examples if not example.reason]
    assert len(sound) > len(examples) // 2
    assert {"Note"} <= {name for name, _ in logged(tmp_path)}
    assert not [example for example in examples if example.reason.startswith("prompt too long")]
