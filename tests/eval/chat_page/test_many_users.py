"""Twenty users at once on one model: nobody gets what is another's, the queue is shown, and memory is bounded."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest
import uvicorn

from eval.chat_page.params import ChatParams
from eval.chat_page.server import make_app
from eval.chat_page.service import ChatService
from eval.models.open import open_model
from pipeline.extract import ExtractParams
from tests.eval.chat_page.pages import ROOT, load_params

NUM_USERS, NUM_ROUNDS = 20, 2
MAX_GROWTH_BYTES = 300_000_000


class EchoModel:
    """Answers with the documents and the questions of its prompt, so that a stranger's words would be seen."""

    def __init__(self, model) -> None:
        self.model, self.name, self.max_context_tokens = model, model.name, model.max_context_tokens
        self.count_tokens = model.count_tokens

    def respond(self, prompts, sampling):
        raise NotImplementedError

    def stream(self, turns, sampling, **callbacks):
        yield " ".join(turn.content for turn in turns)
        yield from self.model.stream(turns, sampling, **callbacks)


@pytest.fixture
def url(tmp_path, tiny_model):
    params: ChatParams = load_params(conversation_tokens=400, max_sessions=NUM_USERS)
    params = params.model_copy(
        update={
            "sampling": params.sampling.model_copy(update={"max_tokens": 16}),
            "model": params.model.model_copy(update={"max_context_tokens": 4_096, "dtype": "float32"}),
        }
    )
    model = EchoModel(open_model(str(tiny_model), params.model, params.endpoint, store=tmp_path))
    folder = tmp_path / "files"
    folder.mkdir()
    service = ChatService({"model": model}, params, ExtractParams.load(ROOT / "params.yaml"), folder)
    config = uvicorn.Config(make_app(service), host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


class User:
    """One browser."""

    def __init__(self, url: str, number: int) -> None:
        self.word = f"secret-{number:02d}-word"
        self.client = httpx.Client(base_url=url, headers={"Origin": url}, timeout=120)
        self.positions: set[int] = set()

    def talk(self) -> None:
        """Add a document, ask about it, and follow each answer to its end."""
        text = f"The word of this user is {self.word}. " * 20
        self.client.post("/api/documents?name=own.txt", content=text.encode()).raise_for_status()
        for number in range(NUM_ROUNDS):
            answer = self.client.post("/api/questions", json={"question": f"Which word, {number}?"})
            self.follow(answer.raise_for_status().json()["key"])

    def follow(self, key: str) -> None:
        with self.client.stream("GET", f"/api/questions/{key}/events") as answer:
            self.positions |= {
                int(line.partition('"position": ')[2].partition(",")[0])
                for line in answer.iter_lines()
                if line.startswith("data: ")
            }


@pytest.mark.slow
def test_twenty_users_at_once_see_their_own_words_and_their_place_in_the_queue(url) -> None:
    users = [User(url, number) for number in range(NUM_USERS)]
    process = psutil.Process()
    before = process.memory_info().rss
    with ThreadPoolExecutor(NUM_USERS) as pool:
        list(pool.map(User.talk, users))
    assert process.memory_info().rss - before < MAX_GROWTH_BYTES
    words = {user.word for user in users}
    for user in users:
        state = user.client.get("/api/state").json()
        text = str(state)
        assert {word for word in words if word in text} == {user.word}
        assert [question["answers"][0]["status"] for question in state["questions"]] == ["done"] * NUM_ROUNDS
    assert max(max(user.positions) for user in users) >= NUM_USERS // 4  # they did wait for each other, and saw it
    assert len({user.client.cookies.get(name) for user in users for name in user.client.cookies}) == NUM_USERS
    late = User(url, NUM_USERS)
    assert late.client.post("/api/documents?name=own.txt", content=b"One too many.").status_code == 503
    for user in (*users, late):
        user.client.close()
