"""The page in a real browser while QEMU decides: what ``device stream`` says, at every width, in light and dark."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import soundfile

from scenelet.deploy.listening.events import NO_COLUMNS, About, Heard, Load
from scenelet.targets.emulator import process

if TYPE_CHECKING:
    from browser import Browser

pytestmark = pytest.mark.browser

SECONDS = 90
# The console script, with a program that is built already, and without counting its instructions.
PROGRAM = """
import sys
from pathlib import Path
from scenelet import cli
from scenelet.deploy.listening import load
from scenelet.deploy.listening.events import Load
from scenelet.targets.qemu import QemuTarget
elf, *words = sys.argv[1:]
QemuTarget.product_elf = Path(elf)
load.emulated = lambda *_: (Load(0.25, "a board at 168 MHz", "modelled", "all"),)
sys.exit(cli.main(words))
"""


@contextmanager
def listening(elf: Path, *words: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A session on the emulated board, and the address of its page."""
    session = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(elf), "listen", *map(str, words), "--qemu", "--web", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert session.stderr is not None
        found = re.fullmatch(r"page: (http://127\.0\.0\.1:\d+/\S{30,}/)\n", session.stderr.readline())
        assert found, session.stderr.read()
        yield session, found[1]
    finally:
        if session.poll() is None:
            session.kill()
            session.wait()


def emulators(session: subprocess.Popen[str]) -> list[int]:
    """Children of a session that run QEMU."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == session.pid and b"qemu-system-arm" in (place / "cmdline").read_bytes():
                found.append(int(place.name))
    return found


def until(browser: Browser, script: str, *arguments: object) -> Any:
    """Wait for a script to give something."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if given := browser.run(script, *arguments):
            return given
        time.sleep(0.05)
    raise AssertionError(f"never: {script}")


ROWS = "[...document.querySelectorAll('#log tr')].map(row => [row.dataset.file, +row.dataset.window, row.dataset.said])"
ENDED = "return document.querySelector('#state').textContent === 'ended'"


@pytest.fixture
def files(small: Any, tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.wav" for name in ("rain drops", "sea")]
    for number, path in enumerate(paths):
        soundfile.write(path, small.windows(5, 40 + number).reshape(-1) << 8, 8000, "PCM_24")
    return paths


@pytest.fixture
def streamed(product_elf: Path, files: list[Path], scenelet: Callable[..., Any]) -> list[dict[str, Any]]:
    """What ``scenelet device stream`` says of the files."""
    line = "socket,id=line,path=serial,server=on,wait=off,mux=on"
    with process.Emulator(product_elf, ("-echr", "256", "-chardev", line, "-serial", "chardev:line")) as board:
        done = scenelet("device", "stream", *files, "--port", f"unix:{board.folder / 'serial'}", "--json")
    found: list[dict[str, Any]] = json.loads(done.out)["results"]
    return found


@pytest.mark.qemu
def test_the_page_shows_what_device_stream_says_and_ctrl_c_ends_it_all(
    browser: Browser, product_elf: Path, small_file: Path, files: list[Path], streamed: list[dict[str, Any]]
) -> None:
    with listening(product_elf, small_file, *files) as (session, address):
        browser.open(address)
        rows = until(browser, f"const rows = {ROWS}; return rows.length === 10 && rows")
        assert rows[::-1] == [[one["file"], one["window"], one["label"]] for one in streamed]
        assert len(set(map(str, rows))) == 10
        last = streamed[-1]
        assert browser.one("#said").text == last["label"]
        widths = browser.run(
            "return [...document.querySelectorAll('#bars .fill')].map(one => parseFloat(one.style.width))"
        )
        assert widths == pytest.approx([(score + 128) / 2.56 for score in last["scores"]], abs=0.01)
        assert browser.run(
            "return [...document.querySelectorAll('#bars li')].findIndex(one => one.matches('.best'))"
        ) == (last["scores"].index(max(last["scores"])))
        assert browser.one("#loads").text.split("\n") == ["25 %", "modelled, of a board at 168 MHz", "all"]
        until(browser, ENDED)
        assert all(one.startswith(address) for one in browser.requests())
        browser.check_console()
        session.send_signal(signal.SIGINT)
        out, err = session.communicate(timeout=SECONDS)
    assert session.returncode == 130
    assert err.splitlines()[-1] == "scenelet: interrupted; no file is half written"
    said = [json.loads(line) for line in out.splitlines()]
    assert [(one["file"], one["window"], one["scores"]) for one in said] == [
        (one["file"], one["window"], one["scores"]) for one in streamed
    ]


@pytest.mark.qemu
def test_a_closed_browser_ends_nothing_and_a_dead_emulator_is_one_line(
    browser: Browser, product_elf: Path, small_file: Path, files: list[Path]
) -> None:
    with listening(product_elf, small_file, *files, "--repeat") as (session, address):
        browser.open(address)
        until(browser, f"return {ROWS}.length > 1")
        browser.open("about:blank")
        assert session.stdout is not None
        for _ in range(4):
            assert json.loads(session.stdout.readline())["scores"], "it goes on without a browser"
        browser.open(address)  # and shows the past to one that comes back
        assert until(browser, f"return {ROWS}.length > 3")
        (emulator,) = emulators(session)
        os.kill(emulator, signal.SIGKILL)
        until(browser, ENDED)
        assert "the emulated board" in browser.one("#remark").text
        _, err = session.communicate(timeout=SECONDS)
    assert session.returncode == 2
    (complaint,) = [line for line in err.splitlines() if line]
    assert complaint.startswith("scenelet: qemu-system-arm: the emulated board")
    browser.check_console()


@pytest.fixture
def shown(browser: Browser) -> Iterator[tuple[Browser, Any]]:
    """A page with names that are markup, and long ones."""
    from scenelet.deploy.listening.web.server import Page

    labels = (
        "rain",
        '<b title="x">wind</b>',
        "a class with a name that is longer than any bar",
        "sea waves",
        *"abcdefghijklmn",
    )
    bands = tuple(100.0 * (number + 1) for number in range(16))
    about = About("files in real time", "m.tflite", labels, 8000, 16, 0.256, 0.032, bands, "computed here")
    with Page(about) as page:
        browser.open(page.url)
        until(browser, "return document.querySelector('#state').textContent === 'live'")
        yield browser, page


def test_names_are_text_and_nothing_is_cut_at_any_width(shown: tuple[Browser, Any]) -> None:
    import numpy as np

    from scenelet.deploy.listen import WindowDecision

    browser, page = shown
    blank = until(browser, "return document.querySelector('#spectrogram').toDataURL()")
    labels = page.feed._about.labels
    for number, label in enumerate(labels):
        scores = tuple(100 if other == number else -128 for other in range(len(labels)))
        decision = WindowDecision(f"<i>{number}</i>.wav", number, label, scores, None)
        page.take(Heard("<i>x</i>.wav", number, columns=NO_COLUMNS, decision=decision))
    page.take(Heard("<i>x</i>.wav", 9.0, np.full(99, 9000, np.int32), np.full((16, 40), 100, np.int8)))
    page.take(Heard("a", 9.0, loads=(Load(1.25, "<u>b</u>", "measured", "c"),), remark="<s>lost</s>"))
    until(browser, "return document.querySelector('#remark').textContent === '<s>lost</s>'")
    assert browser.all("b, i, u, s") == []
    assert browser.run(f"return {ROWS}")[-2] == ["<i>1</i>.wav", 1, labels[1]]
    seen = "const [list, row] = ['#bars', '.best'].map(one => document.querySelector(one).getBoundingClientRect());"
    assert browser.run(f"{seen} return list.top < row.top + 1 && row.bottom < list.bottom + 1"), (
        "the last of many classes"
    )
    browser.check_widths()
    browser.check_names()
    pictures = []
    for scheme in ("light", "dark"):
        browser.media(scheme=scheme)
        drawn = "const now = document.querySelector('#spectrogram').toDataURL(); return now !== arguments[0] && now"
        pictures.append(until(browser, drawn, pictures[-1] if pictures else blank))


def test_the_page_has_the_colours_that_are_asked_for(shown: tuple[Browser, Any]) -> None:
    browser, _ = shown
    grounds = []
    for scheme in ("light", "dark"):
        browser.media(scheme=scheme)
        colour = browser.run("return getComputedStyle(document.body).backgroundColor")
        grounds.append(sum(map(int, re.findall(r"\d+", colour))))
    assert grounds[0] > 600 > 200 > grounds[1]
