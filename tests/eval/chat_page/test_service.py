"""The page over HTTP: reading, asking, stopping, and who sees what."""

import json
import re
from pathlib import Path

import pytest
from pypdf import PdfWriter

from eval.chat_page.sessions import FullError, SessionStore
from tests.eval.chat_page.pages import PAGES, TEXT, ScriptedModel, load_params, make_browser, open_service, write_pdf

ANSWER = "The miller counted eleven days on the beam above his door. It was a long wait."


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with open_service(tmp_path_factory.mktemp("chat"), {"model": ScriptedModel(ANSWER)}) as service:
        yield service


@pytest.fixture
def browser(service):
    service.models["model"].asked.clear()
    browser = make_browser(service)
    yield browser
    browser.client.delete("/api/session")


@pytest.fixture(scope="module")
def pdf(tmp_path_factory) -> bytes:
    return write_pdf(tmp_path_factory.mktemp("pdf") / "mill.pdf").read_bytes()


def test_a_document_has_title_pages_tokens_and_its_part_of_the_context(browser, pdf) -> None:
    assert browser.upload("mill.pdf", pdf).status_code == 201
    state = browser.state()
    (document,) = state["documents"]
    assert (document["name"], document["num_pages"]) == ("mill.pdf", 2)
    assert document["num_tokens"] == sum(len(line.split()) for page in PAGES for line in page) + 2  # two '##'
    meter = state["meter"]
    assert meter["documents"] > document["num_tokens"]  # the wrapper is counted too
    assert meter["documents"] + meter["conversation"] + meter["reply"] < meter["context"] == 4_000
    assert meter["room"] == 4_000 - 512 - 100 - 64
    assert meter["fits"]
    assert len(state["examples"]) >= 3


def test_the_meter_counts_several_files_together(browser, pdf) -> None:
    browser.upload("mill.pdf", pdf)
    one = browser.state()["meter"]["documents"]
    browser.upload("quay.txt", TEXT.encode())
    both = browser.state()
    assert both["meter"]["documents"] == one + len(TEXT.split())
    assert "common" in both["examples"][0]


def encrypted(path: Path) -> bytes:
    writer = PdfWriter(clone_from=write_pdf(path))
    writer.encrypt("secret", algorithm="AES-256")
    writer.write(path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("broken.pdf", b"%PDF-1.7\n%%EOF", "broken"),
        ("empty.txt", b"", "no text"),
        ("photo.png", b"\x89PNG\r\n\x1a\n", "not read"),
        ("page.exe", b"MZ", "not read"),
        ("../../etc/passwd", b"root", "not read"),
        ("archive.pdf", b"PK\x03\x04" * 50, "broken"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_plain_words(browser, name, content, words) -> None:
    answer = browser.upload(name, content).json()
    assert words in answer["error"]
    assert "Traceback" not in answer["error"]
    assert browser.state()["documents"] == []
    assert not browser.client.cookies  # a refused file begins no session


def test_an_encrypted_file_is_refused_with_what_to_do(browser, tmp_path) -> None:
    assert "Remove the password" in browser.upload("secret.pdf", encrypted(tmp_path / "secret.pdf")).json()["error"]


def test_a_file_that_is_too_large_is_refused_before_and_while_it_is_read(service, browser, monkeypatch) -> None:
    monkeypatch.setattr(service, "params", load_params(max_file_bytes=1_000_000))
    assert "1 MB" in browser.upload("long.txt", b"a " * 600_000).json()["error"]
    chunks = (b"a " * 1_000 for _ in range(600))  # without a length
    answer = browser.client.post("/api/documents", params={"name": "long.txt"}, content=chunks)
    assert "1 MB" in answer.json()["error"]
    assert not list(service.store.folder.rglob("*.txt"))


def test_a_document_that_is_too_long_is_refused_with_its_numbers_or_cut_with_a_notice(service, browser) -> None:
    paragraphs = [f"Paragraph {number} says that the lamp burned for {number} nights." for number in range(600)]
    browser.upload("long.txt", "\n\n".join(paragraphs).encode())
    meter = browser.state()["meter"]
    assert not meter["fits"]
    error = browser.ask("What burned?").json()["error"]
    assert f"{meter['documents']:,}" in error
    assert f"{meter['room']:,}" in error
    browser.client.put("/api/cut", json={"is_cut": True})
    state = browser.state()
    assert state["meter"]["fits"]
    assert state["meter"]["documents"] <= meter["room"]
    notice = state["documents"][0]["notice"]
    assert re.match(r"Only its beginning is read: [\d,]+ of 6,000 tokens, \d+% of the text", notice)
    browser.ask("What burned?")
    browser.wait()
    (((_, prompt),),) = service.models["model"].asked
    assert "Paragraph 0 " in prompt
    assert "Paragraph 599 " not in prompt
    assert re.search(r"\d+ nights\.\s+Now the material ends\.", prompt)  # a cut falls between sentences


def test_an_answer_is_streamed_and_its_sentence_opens_the_page_with_the_words_boxed(browser, pdf) -> None:
    browser.upload("mill.pdf", pdf)
    key = browser.ask("How long did he wait?").json()["key"]
    with browser.client.stream("GET", f"/api/questions/{key}/events") as answer:
        events = [json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line.startswith("data: ")]
    text = ""
    for event in events:
        assert event["answers"][0]["text_start"] == len(text)
        text += event["answers"][0]["text"]
    assert text.strip() == ANSWER
    (link,) = events[-1]["answers"][0]["links"]
    assert (link["page"], link["name"]) == (1, "mill.pdf")
    place = browser.client.get(
        f"/api/documents/{link['document']}/place", params={"from": link["from"], "to": link["to"]}
    ).json()
    assert place["quote"] == PAGES[0][1]
    (box,) = place["picture"]["boxes"]
    left, top, right, bottom = box
    assert (left, top) == pytest.approx((40 / 400, 1 - (410 + 8.5) / 500), abs=0.015)  # where the words were set
    assert right > 0.6
    assert bottom - top < 0.04


def test_a_text_opens_with_the_words_around_the_quote(browser) -> None:
    browser.upload("quay.txt", TEXT.encode())
    start = TEXT.index("built in 1871")
    place = browser.client.get("/api/documents/d1/place", params={"from": start, "to": start + 13}).json()
    assert (place["quote"], place["picture"], place["page"]) == ("built in 1871", None, None)
    assert place["before"].endswith("The quay of Varn was ")
    assert place["after"].startswith(" by forty masons")


def test_the_beginning_of_the_prompt_stays_the_same_from_question_to_question(service, browser, pdf) -> None:
    browser.upload("mill.pdf", pdf)
    for question in ("How long did he wait?", "What did the farm give?", "Why?"):
        browser.ask(question)
        browser.wait()
    first, second, third = service.models["model"].asked
    beginning = first[0][1].removesuffix("How long did he wait?")
    assert beginning.endswith("Now the material ends. ")
    assert second == [*first, ("assistant", f"{ANSWER} "), ("user", "What did the farm give?")]
    assert third[: len(second)] == second


def test_questions_that_no_longer_fit_leave_the_prompt_and_the_answer_says_so(service, browser) -> None:
    browser.upload("quay.txt", TEXT.encode())
    for number in range(6):
        browser.ask(f"Question {number} of the harbour?")
        state = browser.wait()
    answer = state["questions"][-1]["answers"][0]
    assert answer["num_left_out"] == 3  # of 100 tokens the question takes 5 + 8, a pair 5 + 16 + 2 * 8
    assert service.models["model"].asked[-1][0][1].endswith("Question 3 of the harbour?")
    assert service.models["model"].asked[-1][0][1].startswith("Below is")


def test_editing_a_question_drops_it_and_what_followed(service, browser) -> None:
    browser.upload("quay.txt", TEXT.encode())
    keys = []
    for question in ("One?", "Two?", "Three?"):
        keys.append(browser.ask(question).json()["key"])
        browser.wait()
    browser.ask("Second?", replaced=keys[1])
    state = browser.wait()
    assert [question["question"] for question in state["questions"]] == ["One?", "Second?"]
    assert [content for _, content in service.models["model"].asked[-1]][-1] == "Second?"


def test_stop_ends_an_answer_while_the_model_reads_and_while_it_waits(service, browser) -> None:
    model = service.models["model"]
    other = make_browser(service)
    for each in (browser, other):
        each.upload("quay.txt", TEXT.encode())
    model.gate.clear()
    reading, waiting = (each.ask("When?").json()["key"] for each in (browser, other))
    assert other.state()["questions"][0]["position"] == 1
    assert browser.ask("Again?").json()["error"].startswith("The question before this one")
    other.client.post(f"/api/questions/{waiting}/stop")
    browser.client.post(f"/api/questions/{reading}/stop")
    try:
        assert [each.wait()["questions"][0]["answers"][0]["status"] for each in (browser, other)] == ["stopped"] * 2
    finally:
        model.gate.set()
        other.client.delete("/api/session")
    assert len(model.asked) == 1  # the one that waited was never asked


def test_nobody_sees_documents_answers_or_places_of_another(service, browser, pdf) -> None:
    browser.upload("mill.pdf", pdf)
    key = browser.ask("How long?").json()["key"]
    browser.wait()
    other = make_browser(service)
    other.upload("quay.txt", TEXT.encode())
    assert [document["name"] for document in other.state()["documents"]] == ["quay.txt"]
    assert other.state()["questions"] == []
    assert other.client.get(f"/api/questions/{key}/events").status_code == 404
    assert other.client.get("/api/documents/d1/place?from=0&to=4").json()["quote"] == TEXT[:4]  # their own d1
    stranger = make_browser(service)
    for path in ("/api/documents/d1/place?from=0&to=4", "/api/conversation.md", "/api/conversation.json"):
        assert stranger.client.get(path).status_code == 404
    other.client.delete("/api/session")


def test_the_cookie_cannot_be_guessed_nor_read_by_scripts(browser) -> None:
    answer = browser.upload("quay.txt", TEXT.encode())
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert len(re.search(r"longalpaca-7860=([\w-]+)", cookie)[1]) >= 43  # 32 bytes
    assert browser.upload("more.txt", b"More words for the quay.").headers.get("set-cookie") is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:7860", "Origin": "http://localhost:7860"}, 200),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:7860"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_requests_of_other_sites_and_under_other_names_are_refused(browser, headers, status) -> None:
    browser.upload("quay.txt", TEXT.encode())
    if status == 200 and headers:
        assert browser.client.get("/api/state", headers=headers).status_code == 200
        return
    assert browser.client.put("/api/cut", json={"is_cut": False}, headers=headers).status_code == status


def test_a_post_without_an_origin_is_refused(service) -> None:
    browser = make_browser(service)
    del browser.client.headers["Origin"]
    assert browser.upload("quay.txt", TEXT.encode()).status_code == 403


def test_every_answer_forbids_other_hosts(browser) -> None:
    for path in ("/", "/static/main.js", "/api/state", "/nothing"):
        policy = browser.client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy
    assert "://" not in re.sub(r"http://www\.w3\.org/2000/svg", "", browser.client.get("/").text)


def test_history_is_exported_as_markdown_and_as_a_row_of_the_dataset(browser, pdf) -> None:
    browser.upload("mill.pdf", pdf)
    for question in ("How long did he wait?", "And then?"):
        browser.ask(question)
        browser.wait()
    text = browser.client.get("/api/conversation.md").text
    assert "## How long did he wait?" in text
    assert f"> {PAGES[0][1]}\n>\n> — mill.pdf, page 1" in text
    (row,) = browser.client.get("/api/conversation.json").json()
    assert row["output"].strip() == ANSWER
    assert row["instruction"].startswith("Below is")
    (material,) = row["material"]
    shown = row["instruction"][material["offset"] : material["offset"] + material["end"] - material["start"]]
    (evidence,) = row["evidence"]
    assert shown[evidence["start"] : evidence["end"]] == evidence["quote"] == PAGES[0][1]
    assert [turn["role"] for turn in row["turns"]] == ["user", "assistant", "user", "assistant"]
    assert row["num_tokens"] > 40
    assert (row["task"], row["teacher"], row["question"]) == ("chat", "scripted", "And then?")


def test_two_models_answer_side_by_side(tmp_path) -> None:
    models = {"tuned": ScriptedModel("Eleven days."), "base": ScriptedModel("I cannot say.")}
    with open_service(tmp_path / "chat", models) as service:
        browser = make_browser(service)
        browser.upload("quay.txt", TEXT.encode())
        browser.ask("When?", models=["tuned", "base"])
        browser.wait()
        browser.ask("Why?", models=["tuned", "base"])
        answers = browser.wait()["questions"][0]["answers"]
    assert {answer["model"]: answer["text"].strip() for answer in answers} == {
        "tuned": "Eleven days.",
        "base": "I cannot say.",
    }
    assert models["base"].asked[-1][1] == ("assistant", "I cannot say. ")  # each goes on with its own answers


def test_a_model_that_fails_says_so_and_the_next_question_is_answered(service, browser, monkeypatch, caplog) -> None:
    browser.upload("quay.txt", TEXT.encode())
    monkeypatch.setattr(service.models["model"], "stream", lambda *args, **more: 1 / 0)
    browser.ask("When?")
    answer = browser.wait()["questions"][0]["answers"][0]
    assert answer["status"] == "failed"
    assert answer["error"].startswith("The model failed")
    monkeypatch.undo()
    browser.ask("Why?")
    assert browser.wait()["questions"][1]["answers"][0]["status"] == "done"


def test_sessions_are_limited_and_deleted_when_idle(tmp_path) -> None:
    now = [0.0]
    store = SessionStore(load_params(max_sessions=2, idle_minutes=10), tmp_path, clock=lambda: now[0])
    first, second = store.create(), store.create()
    with pytest.raises(FullError):
        store.create()
    now[0] = 500
    assert store.find(second.key) is second
    now[0] = 700
    assert store.find(first.key) is None
    assert not first.folder.exists()
    assert store.find(second.key) is second
    assert store.create().key != first.key


def test_documents_of_all_sessions_together_are_bounded(tmp_path) -> None:
    changed = {"max_total_bytes": 3_000}
    with open_service(tmp_path / "chat", {"model": ScriptedModel()}, **changed) as service:
        one, other = make_browser(service), make_browser(service)
        assert one.upload("a.txt", b"word " * 500).status_code == 503
        assert one.upload("a.txt", b"word " * 120).status_code == 201
        assert other.upload("b.txt", b"ward " * 120).status_code == 503
        one.client.delete("/api/documents/d1")
        assert other.upload("b.txt", b"ward " * 120).status_code == 201
    assert len(service.store) == 2
