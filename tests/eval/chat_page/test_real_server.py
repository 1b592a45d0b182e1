"""The page works before llama.cpp's server, and the example that starts it before a server runs."""

import os
import signal
import socket
import subprocess
import time

import httpx
import pytest

from eval.models.open import open_model
from tests.eval.chat_page.pages import TEXT, load_params, make_browser, open_service
from tests.eval.test_measures_on_a_server import SERVED, server  # noqa: F401 - a fixture
from tests.pipeline.endpoint.test_client import PARAMS as ENDPOINT

pytestmark = pytest.mark.slow


def test_a_document_is_talked_about_with_a_model_behind_a_server(server, tmp_path):
    params = load_params()
    model = open_model(
        f"{server}#smollm2", params.model, ENDPOINT.model_copy(update=SERVED), store=tmp_path / "replies"
    )
    sampling = params.sampling.model_copy(update={"max_tokens": 12})
    with open_service(tmp_path / "files", {"model": model}, sampling=sampling) as service:
        browser = make_browser(service)
        assert browser.upload("quay.md", TEXT.encode()).json().get("error") is None
        for number, question in enumerate(("Who built the quay?", "When?"), 1):
            browser.ask(question)
            state = browser.wait(120)
            assert len(state["questions"]) == number
            (answer,) = state["questions"][-1]["answers"]
            assert answer["text"].strip()
            assert not answer["error"]


def test_the_example_serves_the_page_before_a_server(server, root):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["examples/chat_with_vllm.sh", "smollm2", "--port", str(port)]
    environment = {**os.environ, "BASE_URL": server}
    with subprocess.Popen(command, cwd=root, env=environment, start_new_session=True) as page:
        try:
            wait_until(lambda: httpx.get(f"http://127.0.0.1:{port}").is_success, page)
            assert "smollm2" in httpx.get(f"http://127.0.0.1:{port}/api/state").text
        finally:
            os.killpg(page.pid, signal.SIGTERM)


def wait_until(is_there, process, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "it has ended"
        try:
            if is_there():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError("nothing answers")
