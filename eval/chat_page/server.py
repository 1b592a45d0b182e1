"""The page over HTTP: its files, and a small JSON interface for what `service` does."""

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from eval.chat_page.conversations import Question
from eval.chat_page.security import OwnPageOnly
from eval.chat_page.service import ChatService, RefusedError
from eval.chat_page.sessions import FullError, Session
from eval.chat_page.uploads import RefusedUploadError, check_name

STATIC = Path(__file__).parent / "static"
MAX_JSON_BYTES = 100_000
POLL_SECONDS = 0.05  # between looks at an answer that is being written
KEEP_ALIVE_SECONDS = 15  # between lines that say nothing, so that proxies keep the connection
log = logging.getLogger(__name__)


def make_app(service: ChatService, names: Iterable[str] = ()) -> Starlette:
    """Return the app of the page.

    Args:
        service: What it serves.
        names: Host names that it is reached by, beside addresses and localhost.
    """
    server = Server(service)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        yield
        await run_in_threadpool(service.close)

    routes = [
        Route("/", server.page),
        Mount("/static", StaticFiles(directory=STATIC)),
        Route("/api/state", server.state),
        Route("/api/session", server.delete_session, methods=["DELETE"]),
        Route("/api/documents", server.upload, methods=["POST"]),
        Route("/api/documents/{key}", server.change_document, methods=["DELETE", "PATCH"]),
        Route("/api/documents/{key}/place", server.place),
        Route("/api/cut", server.set_cut, methods=["PUT"]),
        Route("/api/questions", server.ask, methods=["POST"]),
        Route("/api/questions", server.clear, methods=["DELETE"]),
        Route("/api/questions/{key}/events", server.events),
        Route("/api/questions/{key}/stop", server.stop, methods=["POST"]),
        Route("/api/conversation.md", server.export_markdown),
        Route("/api/conversation.json", server.export_row),
    ]
    faults: Any = {RefusedError: refuse, RefusedUploadError: refuse, FullError: say_full, HTTPException: say_http}
    return Starlette(
        routes=routes, middleware=[Middleware(OwnPageOnly, names)], exception_handlers=faults, lifespan=lifespan
    )


async def refuse(request: Request, error: Exception) -> Response:
    """Answer that something cannot be done: an outcome that the page shows, no fault, so browsers need not log it."""
    del request
    return JSONResponse({"error": str(error)})


async def say_full(request: Request, error: Exception) -> Response:
    """Answer that there is no room."""
    del request
    return JSONResponse({"error": str(error)}, status_code=503)


async def say_http(request: Request, error: HTTPException) -> Response:
    """Answer with an error of HTTP."""
    del request
    return JSONResponse({"error": error.detail}, status_code=error.status_code)


class Server:
    """The handlers of the routes."""

    def __init__(self, service: ChatService) -> None:
        """Serve what a service does."""
        self.service = service

    def find_session(self, request: Request) -> Session | None:
        """Return the session of a browser, None if it has none."""
        return self.service.store.find(request.cookies.get(cookie_name(request), ""))

    def require_session(self, request: Request) -> Session:
        """Return the session of a browser.

        Raises:
            HTTPException: It has none: 404.
        """
        session = self.find_session(request)
        if session is None:
            raise HTTPException(404, "This session has ended, and its documents are deleted. Reload the page.")
        return session

    def require_question(self, request: Request) -> Question:
        """Return a question of the browser's session.

        Raises:
            HTTPException: There is none by that key: 404.
        """
        question = self.require_session(request).find_question(request.path_params["key"])
        if question is None:
            raise HTTPException(404, "There is no such question.")
        return question

    async def page(self, request: Request) -> Response:
        """Return the page."""
        del request
        return FileResponse(STATIC / "index.html")

    async def state(self, request: Request) -> Response:
        """Return all that the page shows."""
        session = self.find_session(request)
        has_ended = session is None and cookie_name(request) in request.cookies
        content = await run_in_threadpool(self.service.describe, session)
        answer = JSONResponse({**content, "has_ended": has_ended})
        if has_ended:
            answer.delete_cookie(cookie_name(request))
        return answer

    async def delete_session(self, request: Request) -> Response:
        """Forget documents and conversation."""
        if session := self.find_session(request):
            await run_in_threadpool(self.service.delete, session)
        answer = JSONResponse({})
        answer.delete_cookie(cookie_name(request))
        return answer

    async def upload(self, request: Request) -> Response:
        """Read a file, the body of the request, into the session; the first one begins a session."""
        name = check_name(request.query_params.get("name", ""))
        limit = self.service.params.max_file_bytes
        if int(request.headers.get("content-length", "0")) > limit:
            raise RefusedUploadError(f"It has more than {limit / 1e6:,.0f} MB, the most that is taken.")
        session = self.find_session(request)
        self.service.check_upload(session, int(request.headers.get("content-length", "0")))
        is_new = session is None
        session = session or self.service.store.create()
        path = session.folder / f"{secrets.token_hex(8)}{Path(name).suffix.lower()}"
        try:
            await save_body(request, path, limit)
            document = await run_in_threadpool(self.service.add_document, session, name, path)
        except BaseException:
            path.unlink(missing_ok=True)
            if is_new:
                self.service.store.delete(session)
            raise
        if document.file is None:
            path.unlink()
        answer = JSONResponse({"key": document.key}, status_code=201)
        if is_new:
            answer.set_cookie(cookie_name(request), session.key, httponly=True, samesite="strict", path="/")
        return answer

    async def change_document(self, request: Request) -> Response:
        """Remove a document, or choose its category."""
        session, key = self.require_session(request), request.path_params["key"]
        if request.method == "DELETE":
            self.service.remove_document(session, key)
        else:
            self.service.set_category(session, key, str((await read_json(request)).get("category")))
        return JSONResponse({})

    async def set_cut(self, request: Request) -> Response:
        """Choose whether documents that do not fit are cut."""
        self.require_session(request).is_cut = bool((await read_json(request)).get("is_cut"))
        return JSONResponse({})

    async def ask(self, request: Request) -> Response:
        """Put a question into the queue."""
        session, content = self.require_session(request), await read_json(request)
        labels = [str(label) for label in content.get("models") or []]
        replaced = content.get("replaced")
        question = await run_in_threadpool(
            self.service.ask, session, str(content.get("question", "")), labels, str(replaced) if replaced else None
        )
        return JSONResponse(self.service.describe_question(question), status_code=201)

    async def clear(self, request: Request) -> Response:
        """Forget the conversation."""
        self.service.clear(self.require_session(request))
        return JSONResponse({})

    async def stop(self, request: Request) -> Response:
        """Stop the answers to a question."""
        self.service.answerer.stop(self.require_question(request))
        return JSONResponse({})

    async def events(self, request: Request) -> Response:
        """Stream a question's answers as they are written, from their beginning, as server-sent events."""
        question = self.require_question(request)
        return StreamingResponse(self.follow(question), media_type="text/event-stream")

    async def follow(self, question: Question) -> AsyncIterator[str]:
        """Yield an event for each change of a question, until it has ended; text that was sent is not sent again."""
        sent: dict[str, int] = {}
        last, silent_seconds = "", 0.0
        while True:
            is_ended = question.is_ended  # read before the text: nothing is added after it
            content, has_text = self.describe_change(question, sent)
            facts = json.dumps([content["position"], *({**a, "text": "", "text_start": 0} for a in content["answers"])])
            if has_text or facts != last:
                yield f"data: {json.dumps(content)}\n\n"
                last, silent_seconds = facts, 0.0
            elif silent_seconds > KEEP_ALIVE_SECONDS:
                yield ": still here\n\n"
                silent_seconds = 0.0
            if is_ended:
                return
            await asyncio.sleep(POLL_SECONDS)
            silent_seconds += POLL_SECONDS

    def describe_change(self, question: Question, sent: dict[str, int]) -> tuple[dict[str, Any], bool]:
        """Return a question with only the text that is new, and whether there is any; `sent` counts what was sent."""
        content = self.service.describe_question(question)
        has_text = False
        for answer in content["answers"]:
            start = sent.get(answer["model"], 0)
            sent[answer["model"]] = len(answer["text"])
            has_text |= len(answer["text"]) > start
            answer.update(text=answer["text"][start:], text_start=start)
        return content, has_text

    async def place(self, request: Request) -> Response:
        """Return a place of a document."""
        session, query = self.require_session(request), request.query_params
        try:
            start, end = int(query["from"]), int(query["to"])
        except (KeyError, ValueError) as error:
            raise HTTPException(400, "A place has two numbers, 'from' and 'to'.") from error
        key = request.path_params["key"]
        return JSONResponse(await run_in_threadpool(self.service.show_place, session, key, start, end))

    async def export_markdown(self, request: Request) -> Response:
        """Return the conversation as Markdown."""
        text = self.service.export_markdown(self.require_session(request))
        return PlainTextResponse(text, media_type="text/markdown", headers=attach("conversation.md"))

    async def export_row(self, request: Request) -> Response:
        """Return the conversation as a row of the dataset."""
        session = self.require_session(request)
        label = request.query_params.get("model") or next(iter(self.service.models))
        if label not in self.service.models:
            raise HTTPException(404, "There is no such model.")
        rows = await run_in_threadpool(self.service.export_row, session, label)
        return JSONResponse(rows, headers=attach("conversation.json"))


def cookie_name(request: Request) -> str:
    """Return the name of our cookie: one for each port, since browsers send cookies to all ports of a host."""
    return f"longalpaca-{request.url.port or 80}"


def attach(name: str) -> dict[str, str]:
    """Return the header that makes a browser save an answer."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


async def save_body(request: Request, path: Path, limit: int) -> None:
    """Write the body of a request to a file.

    Raises:
        RefusedUploadError: It is longer than `limit` bytes, or breaks off.
    """
    num_bytes = 0
    try:
        with path.open("xb") as file:
            async for chunk in request.stream():
                num_bytes += len(chunk)
                if num_bytes > limit:
                    raise RefusedUploadError(f"It has more than {limit / 1e6:,.0f} MB, the most that is taken.")
                file.write(chunk)
    except ClientDisconnect as error:
        raise RefusedUploadError("The upload broke off.") from error


async def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body of a request.

    Raises:
        HTTPException: It is none, or too long: 400.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise HTTPException(413, "The request is too long.")
    try:
        content = json.loads(body)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise HTTPException(400, "The request is not JSON.") from error
    if not isinstance(content, dict):
        raise HTTPException(400, "The request is no JSON object.")
    return content
