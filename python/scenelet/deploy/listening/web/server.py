"""The page's server: starlette and uvicorn on 127.0.0.1, in a thread of its own."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from importlib import resources
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ....core import extras
from ....core.templating import render
from ....errors import ToolError
from ..events import About, Heard
from .feed import Feed

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.websockets import WebSocket

HOST = "127.0.0.1"
_FILES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_MOST_VIEWERS, _MOST_CONNECTIONS = 16, 128
_START_SECONDS, _STOP_SECONDS = 10.0, 5.0
_TRY_AGAIN_LATER = 1013


class Page:
    """The page while a source is heard; a consumer and a context manager.

    Parameters
    ----------
    port
        Port on 127.0.0.1; 0: one that is free.

    Attributes
    ----------
    url
        Address of the page, with its token.

    Raises
    ------
    ToolError
        The extra ``listen`` is not installed, or the port is taken.
    """

    def __init__(self, about: About, port: int = 0) -> None:
        require_packages()
        self._socket = _bound(port)
        self.port = int(self._socket.getsockname()[1])
        self._token = secrets.token_urlsafe(24)
        self.url = f"http://{HOST}:{self.port}/{self._token}/"
        self.feed = Feed(about)
        self._html = render(__package__, "page.html", {"about": asdict(about)})
        self._server = self._made()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def take(self, heard: Heard) -> None:
        """See :class:`..events.Consumer`."""
        self.feed.take(heard)

    def _made(self) -> Any:
        import uvicorn

        config = uvicorn.Config(
            self._guarded(),
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            ws_max_size=1024,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
            limit_concurrency=_MOST_CONNECTIONS,
        )
        return uvicorn.Server(config)

    def _guarded(self) -> Any:
        from starlette.applications import Starlette
        from starlette.routing import Route, WebSocketRoute

        from .guard import Guard

        files = [Route(f"/{name}", self._file) for name in _FILES]
        routes = [Route("/", self._page), *files, WebSocketRoute("/heard", self._heard)]
        return Guard(Starlette(routes=routes), self._token, self.port)

    async def _page(self, _request: Request) -> Response:
        from starlette.responses import HTMLResponse

        return HTMLResponse(self._html)

    async def _file(self, request: Request) -> Response:
        from starlette.responses import Response

        name = request.url.path.rsplit("/", 1)[-1]
        content = resources.files(__package__).joinpath("templates", name).read_bytes()
        return Response(content, media_type=_FILES[name])

    async def _heard(self, websocket: WebSocket) -> None:
        """Send a browser what is heard, as fast as it takes it, until it goes."""
        await websocket.accept()
        if self.feed.viewers >= _MOST_VIEWERS:
            await websocket.close(_TRY_AGAIN_LATER)
            return
        viewer = self.feed.enter()
        gone = asyncio.create_task(_until_gone(websocket))
        sending = asyncio.create_task(self._send(websocket, viewer))
        try:
            await asyncio.wait((gone, sending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.feed.leave(viewer)
            for task in (gone, sending):
                task.cancel()
            await asyncio.gather(gone, sending, return_exceptions=True)

    async def _send(self, websocket: WebSocket, viewer: Any) -> None:
        lost = 0
        while True:
            await viewer.wait()
            while (text := self.feed.next(viewer)) is not None:
                await websocket.send_text(text)
                if viewer.backlog.lost > lost:
                    lost = viewer.backlog.lost
                    await websocket.send_text(f'{{"kind": "lost", "messages": {lost}}}')

    def _run(self) -> None:
        with suppress(SystemExit):  # uvicorn's word for a server that could not start
            self._server.run(sockets=[self._socket])

    def __enter__(self) -> Self:
        self._thread.start()
        end = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                raise ToolError(self.url, "the page's server does not start", "try another --web-port")
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.feed.end(str(error) if isinstance(error, Exception) else "the session has ended")
        time.sleep(0.1)  # let browsers hear it
        self._server.should_exit = True
        self._thread.join(_STOP_SECONDS)
        self._socket.close()


async def _until_gone(websocket: WebSocket) -> None:
    """Read and ignore what a browser sends until it disconnects."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


def require_packages() -> None:
    """Raise a ToolError where a package of the extra ``listen`` is missing that the page needs."""
    for name in ("starlette", "uvicorn", "websockets"):
        try:
            __import__(name)
        except ImportError:
            raise extras.missing(name, "listen") from None


def _bound(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HOST, port))
    except OSError as error:
        made.close()
        raise ToolError(f"{HOST}:{port}", f"cannot be bound: {error.strerror}", "choose another --web-port") from None
    return made
