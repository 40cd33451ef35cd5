"""Who may ask: the holder of the token, from a page of this server, under this server's own name."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAMES = ("127.0.0.1", "localhost")


def policy(port: int) -> str:
    """Content-Security-Policy: nothing but this server's own files and its own websocket."""
    sockets = " ".join(f"ws://{name}:{port}" for name in NAMES)
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' {sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def headers(port: int) -> dict[str, str]:
    """Headers of every response."""
    return {
        "Content-Security-Policy": policy(port),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


class Guard:
    """Answers 403 to every request that is not this page's own; all others get the headers.

    The token is the first part of the path. A Host that is not this server's is another site's name for this computer
    (DNS rebinding). A browser names the Origin of every websocket and of every request that another page makes.

    Parameters
    ----------
    app
        What it guards; it sees the path without the token.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app, self._token = app, token.encode()
        self._hosts = frozenset(f"{name}:{port}" for name in NAMES)
        self._origins = frozenset(f"http://{host}" for host in self._hosts)
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers(port).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        _, given, rest = (scope["path"] + "//").split("/", 2)
        right = secrets.compare_digest(given.encode("utf-8", "surrogateescape"), self._token)
        if not (right and self._trusted(scope)):
            await self._refuse(scope, receive, send)
            return
        inner = {**scope, "path": "/" + rest.rstrip("/"), "root_path": ""}
        await self._app(inner, receive, self._adding(send))

    def _trusted(self, scope: Scope) -> bool:
        given = Headers(scope=scope)
        if _only(given.getlist("host")) not in self._hosts:
            return False
        origins = given.getlist("origin")
        if not origins:
            return bool(scope["type"] == "http")
        return _only(origins) in self._origins

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: the server answers 403
            return
        await PlainTextResponse("403: the address is wrong, or the request is another page's\n", 403)(
            scope, receive, self._adding(send)
        )

    def _adding(self, send: Send) -> Send:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._headers]
            await send(message)

        return sent


def _only(values: Iterable[str]) -> str:
    """The one value of a header; "" where there is none, or more than one."""
    found = list(values)
    return found[0] if len(found) == 1 else ""
