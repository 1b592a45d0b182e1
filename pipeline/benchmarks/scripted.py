"""A server that speaks chat completions without a model: it quotes the documents that it is shown, or does as scripted.

It takes the place of a teacher where the wire is what matters: how fast a client is, and what it makes of faults.
"""

import asyncio
import json
import multiprocessing
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from multiprocessing.connection import Connection
from typing import Any

MODEL = "scripted"
NOTHING_SAID = "The document does not say"
NUM_DRAWN = 4  # sentences of a document that a reply quotes, at most
USUAL, LONG_CHARACTERS = b'"prompt_tokens": 1000', 12_500
FENCED = re.compile(r"<document (\d+) ([0-9a-f]{16})>\n(.*?)\n</document \1 \2>", re.DOTALL)
FIELD = re.compile(r'^- "(\w+)": ', re.MULTILINE)
FIELDS = {
    "SchemaCheck": ["word"],
    "ExampleReply": ["question", "answer", "evidence"],
    "DraftQuestion": ["question"],
    "Note": ["is_relevant", "note", "quotes"],
    "AnswerFromNotes": ["answer", "evidence"],
    "QuestionBatch": ["questions"],
    "QuestionVerdicts": ["verdicts"],
    "StatedAnswer": ["evidence", "statements"],
    "ShortAnswer": ["answer"],
    "Agreement": ["why", "agree"],
    "Support": ["statements"],
    "Judgement": ["helpful", "logical", "complete"],
    "JudgementOfDoubts": ["doubts", "helpful", "logical", "complete"],
}
MOST_QUOTES = re.compile(r'^- "evidence": a list of \d+ to (\d+)', re.MULTILINE)
ASKED_LINE = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)  # a line of a batch of questions, or of those to judge
PARTS_LINE = re.compile(r"List the (\d+) to")
LEAST_QUOTES = re.compile(r"Give (\d+) (?:to \d+ )?quotes")
LISTED = re.compile(r'^- "(\w+)": a list of (\d+) to \2', re.MULTILINE)
NOTED = re.compile(r"^Quote: (.*)$", re.MULTILINE)
ASKED_ABOUT = re.compile(r"^Question: .*?“(.*?)”", re.MULTILINE)
SENTENCE = re.compile(r"(?<=[.!?]\s)[A-Z][^.!?\n|#]{40,240}[.!?](?=\s)")


@dataclass(frozen=True)
class Response:
    """What is sent back: a body, pieces of it with pauses between them, or nothing at all."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    drip_seconds: float = 0.0  # between the bytes of the body
    work_seconds: float = 0.0  # before the body, in a slot of the server


Script = Callable[[dict[str, Any], int], Response]


def completion(content: str, *, finish: str = "stop", model: str = MODEL, **message: Any) -> Response:
    """Return a chat completion."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
    body = {"id": "0", "object": "chat.completion", "created": 0, "model": model, "choices": [choice], "usage": usage}
    return Response(body=json.dumps(body).encode())


def honest(request: dict[str, Any], number: int) -> Response:
    """Reply by the schema, with sentences of the documents as they are there."""
    del number
    return completion(json.dumps(proper_content(request)))


def proper_content(request: dict[str, Any]) -> dict[str, Any]:
    """Return content for a request, by its schema or, without one, by the fields that its prompt names."""
    schema, prompt = request.get("response_format", {}).get("json_schema"), request["messages"][-1]["content"]
    if schema:
        return content_for(schema["name"], schema["schema"], prompt)
    named = FIELD.findall(prompt)
    name = next(name for name, fields in FIELDS.items() if fields == named)
    return content_for(name, {"properties": {"evidence": {}}}, prompt)


def content_for(name: str, schema: dict[str, Any], prompt: str) -> dict[str, Any]:
    """Return content for one of the schemas of `pipeline.teachers`."""
    documents = FENCED.findall(prompt)
    lot = int.from_bytes(sha256(prompt.encode()).digest()[:4])
    quotes = [(int(number), quote) for number, _, text in documents for quote in drawn(text, lot)]
    sentence = quotes[0][1] if quotes else "Nothing is said."
    if name == "SchemaCheck":
        return {"word": "kestrel"}
    if name == "DraftQuestion":
        return {"question": f"What is told of “{' '.join(sentence.split()[:6])}”?"}
    if name == "QuestionBatch":
        return questions_content(documents, prompt)
    if name == "QuestionVerdicts":
        return verdicts_content(prompt)
    if name == "Note":
        return note_content(documents, prompt)
    if name in ("Agreement", "Support", "Judgement", "JudgementOfDoubts"):
        return kind_judgement(name, prompt)
    if name == "ShortAnswer":
        return {"answer": "I do not know."}
    return answer_content(name, schema, prompt, quotes)


def answer_content(name: str, schema: dict[str, Any], prompt: str, quotes: list[tuple[int, str]]) -> dict[str, Any]:
    """Return an answer that consists of quotes: of the documents that are shown or, from notes, of theirs."""
    most = max_quotes(schema, prompt)
    if name == "AnswerFromNotes" or "notes on its parts" in prompt:
        documents = FENCED.findall(prompt)
        quotes = [(int(number), quote) for number, _, text in documents for quote in NOTED.findall(text)] or quotes
    quotes = alternate(quotes)
    evidence = [{"document": number, "quote": quote} for number, quote in quotes[:most]]
    sentence = quotes[0][1] if quotes else "Nothing is said."
    if name == "StatedAnswer":
        evidence = evidence[: max(2, int(LEAST_QUOTES.findall(prompt)[-1]))]
        denial = [{"text": f"{NOTHING_SAID}.", "quotes": []}] if f"begins with '{NOTHING_SAID}'" in prompt else []
        statements = [{"text": one["quote"], "quotes": [number]} for number, one in enumerate(evidence, 1)]
        return {"evidence": evidence, "statements": [*denial, *statements]}
    if name == "AnswerFromNotes":
        return {"answer": sentence, "evidence": evidence}
    words = " ".join(sentence.split()[:7]).rstrip(",;:")
    return {"question": f"What is told where it says that “{words}”?", "answer": sentence, "evidence": evidence}


def alternate(quotes: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return quotes of several documents in turns, so that the first of them are of all documents."""
    ranks: dict[int, int] = {}
    ranked = []
    for number, quote in quotes:
        ranks[number] = ranks.get(number, 0) + 1
        ranked.append((ranks[number], number, quote))
    return [(number, quote) for _, number, quote in sorted(ranked, key=lambda one: one[:2])]


def questions_content(documents: list[tuple[str, str, str]], prompt: str) -> dict[str, Any]:
    """Return a question for each line of a request for a batch, about sentences that are spread over the documents."""
    wishes = ASKED_LINE.findall(prompt.rsplit("\n</document", 1)[1].split("\nEach question is clear")[0])
    found = [sentence for _, _, text in documents for sentence in SENTENCE.findall(text)] or ["Nothing is said here."]
    asked = prompt.count("\n- What is told of")
    questions = []
    for place, (number, wish) in enumerate(wishes):
        sentence = found[((asked + place) * 7919) % len(found)]
        parts = PARTS_LINE.search(wish)
        singles = [f"What is single question {one} of {number}?" for one in range(int(parts[1]))] if parts else []
        words = " ".join(sentence.split()[:8]).rstrip(",;:.")
        questions.append({"number": int(number), "parts": singles, "question": f"What is told of “{words}”?"})
    return {"questions": questions}


def verdicts_content(prompt: str) -> dict[str, Any]:
    """Return the verdict on each question of a request, that it is sound."""
    marks = {"is_clear": True, "is_self_contained": True, "is_worth_asking": True, "fault": ""}
    lines = ASKED_LINE.findall(prompt.rsplit("\n</document", 1)[1].split("\nJudge each of them")[0])
    return {
        "verdicts": [
            {"number": int(number), "is_answerable": "meant to have no answer" not in line, **marks}
            for number, line in lines
        ]
    }


def kind_judgement(name: str, prompt: str) -> dict[str, Any]:
    """Return content for one of the schemas of a judge who finds everything sound."""
    if name == "Agreement":
        return {"why": "They say the same.", "agree": True}
    verdicts: dict[str, dict[str, Any]] = {"statements": {"verdict": "supported"}, "doubts": {"is_fault": False}}
    counts = {field: int(number) for field, number in LISTED.findall(prompt) if field in verdicts}
    lists = {field: [{"why": "It is so.", **verdicts[field]}] * number for field, number in counts.items()}
    return lists if name == "Support" else {**lists, "helpful": 5, "logical": 5, "complete": 5}


def max_quotes(schema: dict[str, Any], prompt: str) -> int:
    """Return how many quotes a reply may have: by its schema or, where limits are left out of it, by its prompt."""
    most: int | None = schema["properties"]["evidence"].get("maxItems")
    return int(MOST_QUOTES.findall(prompt)[-1]) if most is None else most


def note_content(documents: list[tuple[str, str, str]], prompt: str) -> dict[str, Any]:
    """Return a note on a chunk, or on notes: the sentences with the words that the question quotes, and some others."""
    asked, text = ASKED_ABOUT.findall(prompt), " ".join(text for _, _, text in documents)
    if "Put them together" in prompt:
        kept = NOTED.findall(text)[:4]
        return {"is_relevant": True, "note": " ".join(kept)[:1_000], "quotes": kept}
    found = SENTENCE.findall(text)
    about = [sentence for sentence in found if asked and asked[-1] in " ".join(sentence.split())][:1]
    others = found[:: max(1, len(found) // 3)][:3]
    is_relevant = bool(about) or "answers the question (is_relevant)" not in prompt
    quotes = list(dict.fromkeys([*about, *others]))[:4] if is_relevant else []
    return {"is_relevant": is_relevant, "note": " ".join(quotes)[:1_000], "quotes": quotes}


def drawn(text: str, lot: int) -> list[str]:
    """Return a few sentences of a document."""
    found = SENTENCE.findall(text[:200_000])
    step = max(1, len(found) // NUM_DRAWN)
    return [found[(lot + turn * step) % len(found)] for turn in range(min(NUM_DRAWN, len(found)))]


def count_long_prompt(response: Response, request: dict[str, Any]) -> Response:
    """Return a completion that says of a long prompt about how many tokens it has, where it had the usual number."""
    characters = sum(len(message["content"]) for message in request["messages"])
    if characters <= LONG_CHARACTERS or USUAL not in response.body:
        return response
    return replace(response, body=response.body.replace(USUAL, b'"prompt_tokens": %d' % (characters // 5)))


class Server:
    """An HTTP/1.1 server on a loopback port, with as much of the protocol as a client needs."""

    def __init__(self, script: Script, num_slots: int) -> None:
        """Take what it does, and how many requests it works on at a time."""
        self.script = script
        self.slots = asyncio.Semaphore(num_slots)
        self.num_requests = 0

    async def serve(self, port_to: Connection) -> None:
        """Listen on a free port and say which."""
        server = await asyncio.start_server(self.connection, "127.0.0.1", 0)
        port_to.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                match = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(match[1]) if match else 0)
                await self.respond(json.loads(body), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def respond(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        """Send what the script says."""
        self.num_requests += 1
        response = count_long_prompt(self.script(request, self.num_requests), request)
        if response.work_seconds:
            async with self.slots:
                await asyncio.sleep(response.work_seconds)
        headers = {"content-type": response.media_type, "content-length": str(len(response.body)), **response.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {response.status} Status\r\n{lines}\r\n".encode())
        if response.drip_seconds:
            for byte in response.body:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(response.drip_seconds)
        else:
            writer.write(response.body)
        await writer.drain()


def run_server(script: Script, port_to: Connection, num_slots: int) -> None:
    """Serve until the process is ended."""
    asyncio.run(Server(script, num_slots).serve(port_to))


@contextmanager
def scripted(script: Script = honest, *, num_slots: int = 64) -> Iterator[str]:
    """Run a server in a process of its own and give its base URL."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_server, args=(script, theirs, num_slots), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/v1"
    finally:
        process.kill()
        process.join()
