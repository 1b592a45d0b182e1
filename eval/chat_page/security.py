"""Keep other sites, and scripts from other hosts, away from the page.

A page of another site can make a browser send requests here (cross-site request forgery), or point its own name at
this machine (DNS rebinding). The first is refused by its Origin, the second by its Host: an address cannot be rebound,
so addresses pass, and of names only those that the server was told.
"""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
SAFE_METHODS = ("GET", "HEAD")


class OwnPageOnly:
    """ASGI middleware: refuses requests that do not come from our own page, and adds the headers that protect it."""

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        """Guard an app.

        Args:
            app: The app.
            names: Host names that the page is reached by, beside addresses.
        """
        self.app = app
        self.names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with 403."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        fault = find_fault(scope["method"], Headers(scope=scope), self.names)
        answer = JSONResponse({"error": fault}, status_code=403) if fault else self.app
        await answer(scope, receive, send_protected)


def find_fault(method: str, headers: Headers, names: frozenset[str]) -> str:
    """Return why a request is refused, '' if it is not."""
    host = headers.get("host", "")
    if not is_known_host(host, names):
        return f"This page is not served under the name '{host[:100]}'. Open it by its address, or add --allow-host."
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return "This request comes from another site."
    if method not in SAFE_METHODS and (origin is None or headers.get("sec-fetch-site", "same-origin") != "same-origin"):
        return "This request does not say that it comes from this page."
    return ""


def is_known_host(host: str, names: frozenset[str]) -> bool:
    """Say whether a Host header has an address, localhost, or a name that the server was told."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return False
    if name == "localhost" or name in names:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
