"""The page's server: who may ask, what it says, and that a slow browser costs nothing."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from scenelet.deploy.listen import WindowDecision
from scenelet.deploy.listening.events import About, Heard, Load
from scenelet.deploy.listening.web import server
from scenelet.deploy.listening.web.feed import Backlog, Message
from scenelet.deploy.listening.web.server import Page
from scenelet.errors import ToolError

EVIL = '<img src=x onerror="alert(1)">'
ABOUT = About(
    *(f"files, {EVIL}", "m.tflite", ("rain", EVIL, "a\u202eb"), 8000, 16, 0.256, 0.032),
    *((100.0, 1000.0), "computed here"),
)  # fmt: skip
COLUMNS = np.array([[-128, 0], [5, 127]], np.int8)
DECISION = WindowDecision("street.wav", 3, EVIL, (1, 2, 3), None)


def event(**values: Any) -> Heard:
    return Heard(**{"file": "street.wav", "seconds": 1.0, **values})


@pytest.fixture
def page() -> Iterator[Page]:
    with Page(ABOUT) as page:
        yield page


def get(page: Page, path: str = "", token: str | None = None, **headers: str) -> tuple[int, dict[str, str], str]:
    own = urlsplit(page.url).path if token is None else f"/{token}/"
    connection = HTTPConnection("127.0.0.1", page.port, timeout=10)
    connection.request("GET", own + path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text


def listen(page: Page, origin: str | None = "own", **settings: Any) -> Any:
    address = page.url.replace("http:", "ws:") + "heard"
    return connect(address, origin=f"http://127.0.0.1:{page.port}" if origin == "own" else origin, **settings)


def test_it_is_bound_to_this_computer_alone(page: Page) -> None:
    assert urlsplit(page.url).hostname == "127.0.0.1"
    assert page._socket.getsockname()[0] == "127.0.0.1"


def test_the_page_and_its_files_are_there_and_nothing_else(page: Page) -> None:
    assert [get(page, path)[0] for path in ("", "page.css", "page.js", "icon.svg")] == [200] * 4
    assert [get(page, path)[0] for path in ("other", "page.html.j2", "../server.py", "page.js/..")] == [404] * 4
    kinds = [get(page, path)[1]["content-type"].partition(";")[0] for path in ("", "page.css", "page.js")]
    assert kinds == ["text/html", "text/css", "text/javascript"]


@pytest.mark.parametrize(
    "change",
    [
        {"token": "x" * 32},
        {"token": ""},
        {"token": "é"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1:1"},
        {"Host": "127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_a_stranger_gets_403(page: Page, change: dict[str, str]) -> None:
    if "token" in change:
        change = {"token": change["token"].encode().decode("latin-1").replace("\xc3\xa9", "%C3%A9")}
    status, headers, text = get(page, **change)
    assert status == 403
    assert urlsplit(page.url).path.strip("/") not in text
    assert "default-src 'none'" in headers["content-security-policy"]


def test_the_own_names_are_no_strangers(page: Page) -> None:
    own = f"localhost:{page.port}"
    assert get(page, Host=own, Origin=f"http://{own}")[0] == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", None])
def test_a_foreign_pages_websocket_gets_403(page: Page, origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused:
        listen(page, origin)
    assert refused.value.response.status_code == 403


def test_a_websocket_with_a_wrong_token_or_host_gets_403(page: Page) -> None:
    own = f"http://127.0.0.1:{page.port}"
    for address in (f"ws://127.0.0.1:{page.port}/{'x' * 32}/heard", page.url.replace("http://127", "ws://x.127")):
        with pytest.raises(InvalidStatus) as refused, socket.create_connection(("127.0.0.1", page.port)) as line:
            connect(address, origin=own, sock=line)
        assert refused.value.response.status_code == 403


def test_two_sessions_have_two_tokens(page: Page) -> None:
    with Page(ABOUT) as other:
        assert urlsplit(other.url).path != urlsplit(page.url).path
        assert len(urlsplit(other.url).path) > 30


def test_the_policy_is_strict_and_the_page_keeps_it(page: Page) -> None:
    _, headers, text = get(page)
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer", "the token is in the address"
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert " style=" not in text
    assert " onload=" not in text
    assert text.count("<script") == text.count('<script src="page.js"') == 1


def test_names_are_escaped(page: Page) -> None:
    text = get(page)[2]
    assert EVIL not in text
    assert "&lt;img src=x onerror=" in text
    assert "a\\u202eb" in text, "a mark that reverses the direction of writing is shown, not obeyed"
    script = (server.resources.files(server.__package__) / "templates" / "page.js").read_text("utf-8")
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("):
        assert way not in script


def test_a_browser_gets_the_past_then_what_comes(page: Page) -> None:
    load = Load(0.25, "a board", "modelled", "all")
    page.take(event(columns=COLUMNS, decision=DECISION, loads=(load,)))
    with listen(page) as browser:
        past = json.loads(browser.recv(10))
        assert (past["kind"], past["about"]["labels"]) == ("about", ["rain", EVIL, "a\\u202eb"])
        assert [one["said"] for one in past["decisions"]] == [EVIL]
        assert past["loads"][0]["share"] == 0.25
        page.take(event(samples=np.full(4, 1 << 14, np.int32), columns=COLUMNS, remark="lost\x1b"))
        page.feed.end("over")
        heard, end = (json.loads(browser.recv(10)) for _ in range(2))
    assert past["columns"] == heard["columns"] == "AIWA/w=="
    assert heard["level"] == pytest.approx(-6.02, abs=0.01)
    assert heard["remark"] == "lost\\x1b"
    assert end == {"kind": "end", "why": "over"}


def test_the_past_is_bounded(page: Page) -> None:
    for number in range(1000):
        page.take(event(columns=np.zeros((2, 100), np.int8), decision=WindowDecision("a", number, "rain", (1,), None)))
    with listen(page) as browser:
        past = json.loads(browser.recv(10))
    assert [one["window"] for one in past["decisions"]] == list(range(800, 1000))
    assert len(past["columns"]) < 2000


def test_a_backlog_drops_the_oldest_pictures_before_decisions() -> None:
    backlog = Backlog(3)
    for text, kept in (("d0", True), ("p0", False), ("d1", True), ("p1", False), ("d2", True), ("d3", True)):
        backlog.put(Message(text, kept))
    assert [backlog.take() for _ in range(4)] == ["d1", "d2", "d3", None]
    assert backlog.lost == 3


def test_a_browser_that_does_not_read_loses_messages_and_no_memory(page: Page) -> None:
    """The session goes on at full speed; what waits is bounded, in the kernel, in the server and in the feed."""
    large = np.zeros((2, 40_000), np.int8)
    with listen(page, max_queue=1) as slow:
        slow.recv(10)
        for _ in range(160):  # 17 MB
            page.take(event(columns=large))
        (viewer,) = page.feed._viewers
        assert len(viewer.backlog) <= 64
        assert viewer.backlog.lost > 20
        kinds = (json.loads(slow.recv(10))["kind"] for _ in range(160))
        assert "lost" in kinds, "and it is told"


def test_a_browser_that_goes_is_forgotten(page: Page) -> None:
    with listen(page) as browser:
        browser.recv(10)
        assert page.feed.viewers == 1
    end = time.monotonic() + 10
    while page.feed.viewers and time.monotonic() < end:
        time.sleep(0.01)
    assert page.feed.viewers == 0
    page.take(event(decision=DECISION))


def test_there_are_never_many_browsers(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_MOST_VIEWERS", 1)
    with listen(page) as first:
        first.recv(10)
        with listen(page) as second, pytest.raises(ConnectionClosed) as closed:
            second.recv(10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013


def test_a_session_that_ends_or_fails_tells_why_and_releases_the_port() -> None:
    page = Page(ABOUT).__enter__()
    with listen(page) as browser:
        browser.recv(10)
        page.__exit__(ToolError, ToolError("board", "disconnected", "connect it again"), None)
        message = json.loads(browser.recv(10))["why"]
    assert message == "board: disconnected; connect it again"
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", page.port))


def test_a_port_that_is_taken_is_one_line(page: Page) -> None:
    with pytest.raises(ToolError, match=r"127\.0\.0\.1:\d+: cannot be bound: Address already in use; choose another"):
        Page(ABOUT, page.port)


def test_without_the_extra_it_is_one_line(scenelet: Any, small_file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "starlette", None)
    done = scenelet("listen", small_file, small_file.with_name("a.wav"), "--web")
    assert done.status == 2
    assert done.complaint.startswith("starlette: is not installed; pip install ")
