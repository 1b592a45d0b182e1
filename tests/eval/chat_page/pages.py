"""Small documents, a model that says what it is told, and the page with both."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reportlab.pdfgen.canvas import Canvas
from starlette.testclient import TestClient

from eval.chat_page.params import ChatParams
from eval.chat_page.server import make_app
from eval.chat_page.service import ChatService
from pipeline.extract import ExtractParams

ROOT = Path(__file__).parents[3]
PAGES = (
    ("The mill at Torvin", "The miller counted eleven days on the beam above his door.", "He will not sell the mill."),
    ("The harvest", "In 1923 the farm gave 412 sacks of barley, the most in ten years.", "Nobody had hoped for it."),
)
TEXT = "# The quay\n\nThe quay of Varn was built in 1871 by forty masons. Its stones came from the hill of Osk.\n"


class ScriptedModel:
    """A model that answers every question alike, word by word; `gate` holds it up until it is set."""

    name = "scripted"

    def __init__(self, answer: str = "Done.", context: int = 4_000) -> None:
        self.answer, self.max_context_tokens = answer, context
        self.asked: list[list[tuple[str, str]]] = []
        self.gate = threading.Event()
        self.gate.set()

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def respond(self, prompts, sampling):
        raise NotImplementedError

    def stream(self, turns, sampling, *, progress, is_stopped) -> Iterator[str]:
        self.asked.append([(turn.role, turn.content) for turn in turns])
        num_tokens = sum(self.count_tokens(turn.content) for turn in turns)
        progress(0, num_tokens)
        while not self.gate.wait(0.01):
            progress(num_tokens // 2, num_tokens)
        progress(num_tokens, num_tokens)
        for word in self.answer.split(" "):
            if is_stopped():
                return
            yield f"{word} "


def write_pdf(path: Path, pages=PAGES) -> Path:
    canvas = Canvas(str(path), pagesize=(400, 500), invariant=True)
    for lines in pages:
        for number, line in enumerate(lines):
            canvas.setFont("Helvetica", 16 if number == 0 else 11)
            canvas.drawString(40, 440 - 30 * number, line)
        canvas.showPage()
    canvas.save()
    return path


def load_params(**changed) -> ChatParams:
    return ChatParams.load(ROOT / "params.yaml").model_copy(update={"conversation_tokens": 100, **changed})


@contextmanager
def open_service(folder: Path, models, **changed) -> Iterator[ChatService]:
    folder.mkdir(exist_ok=True)
    service = ChatService(models, load_params(**changed), ExtractParams.load(ROOT / "params.yaml"), folder)
    try:
        yield service
    finally:
        service.close()


class Browser:
    """A client of the page with its own cookies, which sends what a browser would."""

    def __init__(self, app) -> None:
        self.client = TestClient(app, base_url="http://127.0.0.1:7860", headers={"Origin": "http://127.0.0.1:7860"})

    def state(self) -> dict:
        return self.client.get("/api/state").json()

    def upload(self, name: str, content: bytes):
        return self.client.post("/api/documents", params={"name": name}, content=content)

    def ask(self, question: str, **more):
        return self.client.post("/api/questions", json={"question": question, **more})

    def wait(self, seconds: float = 20) -> dict:
        """Return the state once nothing is asked any more."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.state()
            if all(question["is_ended"] for question in state["questions"]):
                return state
            time.sleep(0.02)
        raise AssertionError("the answer did not end")


def make_browser(service: ChatService) -> Browser:
    return Browser(make_app(service))
