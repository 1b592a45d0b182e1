"""A web server of this machine that says what a test tells it to, and remembers what it was asked."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class Loopback:
    """Answers by `answer(request)`, a function of `Asked`; by default by the routes."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://{server.server_address[0]}:{server.server_address[1]}"
        self.routes: dict[str, Callable] = {}
        self.asked: list[Asked] = []

    def route(self, path: str, body: bytes = b"", status: int = 200, **headers: str) -> None:
        """Say what stands at a path."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        self.routes[path] = lambda asked: asked.send(body, status, given)

    def paths(self) -> list[str]:
        """What was asked for, robots.txt left out."""
        return [asked.path for asked in self.asked if asked.path != "/robots.txt"]


class Asked:
    """One request, and how to answer it."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self.handler = handler
        self.path = urlsplit(handler.path).path
        self.query = dict(parse_qsl(urlsplit(handler.path).query))
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.time = time.monotonic()

    def send(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answer; a Content-Length that is given is kept even if it is wrong."""
        given = {"Content-Length": str(len(body)), **(headers or {})}
        self.handler.send_response(status)
        for name, value in given.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(body)
        if given["Content-Length"] != str(len(body)):
            self.handler.close_connection = True


@contextmanager
def serve(address: str = "127.0.0.1", port: int = 0) -> Iterator[Loopback]:
    """Run such a server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self):
            asked = Asked(self)
            loopback.asked.append(asked)
            route = loopback.routes.get(asked.path) or loopback.routes.get("*")
            try:
                route(asked) if route else asked.send(b"no such page", 404)
            except OSError:
                self.close_connection = True

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request, client_address):
            """Say nothing: whoever asked has been killed."""

    server = Server((address, port), Handler)
    loopback = Loopback(server)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield loopback
    finally:
        server.shutdown()
        server.server_close()
