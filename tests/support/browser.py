"""A browser without a window, for tests of pages: what it shows, says, asks for, and what a screen reader would hear.

Chromium by Debian's chromedriver. No name resolves in it but this computer's own: a page that wants anything from the
network has an error on its console. The fixture ``browser`` (fixtures_browser) is the only one of a test process.
"""

from __future__ import annotations

import base64
import shutil
import tempfile
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webelement import WebElement

CHROMIUM, DRIVER = "chromium", "chromedriver"
WIDTHS = (390, 768, 1280)  # CSS pixels: a telephone, a tablet upright, a small desk
SCHEMES = ("light", "dark")
HEIGHT = 900
TALLEST = 16_000  # of a picture, in pixels
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--force-color-profile=srgb", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)  # fmt: skip
# Roles of what a person works or looks at: each must have a name.
_NAMED = frozenset({
    "Audio", "Video", "button", "checkbox", "combobox", "graphics-document", "graphics-object", "image", "img", "link",
    "meter", "progressbar", "radio", "searchbox", "slider", "spinbutton", "switch", "tab", "textbox",
})  # fmt: skip

# Elements that reach beyond the right edge of the page, and are in no box that scrolls.
_BEYOND = """
const edge = document.documentElement.clientWidth, found = [];
for (const element of document.body.querySelectorAll('*')) {
  const box = element.getBoundingClientRect();
  if (box.width === 0 || box.right <= edge + 0.5 || getComputedStyle(element).visibility === 'hidden') continue;
  let up = element.parentElement, held = false;
  for (; up && up !== document.body; up = up.parentElement)
    if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(up).overflowX)) { held = true; break; }
  if (!held) found.push(`${element.tagName.toLowerCase()}.${element.getAttribute('class') || ''} ends at `
    + `${Math.round(box.right)} of ${edge}: ${element.textContent.trim().slice(0, 40)}`);
}
if (document.documentElement.scrollWidth > edge)
  found.push(`the page is ${document.documentElement.scrollWidth} wide, its window ${edge}`);
return found;
"""
# What is cut off: text of a drawing outside the drawing, and boxes whose content is wider than they are.
_CUT = """
const found = [];
for (const text of document.querySelectorAll('svg text')) {
  const inner = text.getBoundingClientRect(), outer = text.ownerSVGElement.getBoundingClientRect();
  if (outer.width === 0 || inner.width === 0) continue;
  if (inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.top < outer.top - 1
      || inner.bottom > outer.bottom + 1) found.push(`text of a drawing: ${text.textContent.slice(0, 60)}`);
}
for (const element of document.body.querySelectorAll('*')) {
  if (element.closest('svg')) continue;
  const style = getComputedStyle(element);
  if (style.overflowX !== 'visible' && element.clientWidth > 1 && element.scrollWidth > element.clientWidth + 1)
    found.push(`${element.tagName.toLowerCase()}.${element.className} holds ${element.scrollWidth} in `
      + `${element.clientWidth}: ${element.textContent.trim().slice(0, 40)}`);
}
return found;
"""
# Text whose colour is too close to what is behind it: WCAG 2.2, success criterion 1.4.3. What stands on a picture or a
# gradient is not judged.
_PALE = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const seen = new Map();
function rgba(colour) {
  if (!seen.has(colour)) {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    seen.set(colour, [r, g, b, a / 255]);
  }
  return seen.get(colour);
}
const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
const linear = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const light = colour => colour.slice(0, 3).map(value => linear(value / 255))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const found = new Set(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
  if (!text || !element.checkVisibility() || element.closest('style, script')) continue;
  const style = getComputedStyle(element), layers = [];
  let up = element, judged = true;
  for (; up; up = up.parentElement) {
    const one = getComputedStyle(up);
    if (one.backgroundImage !== 'none') { judged = false; break; }
    layers.push(rgba(one.backgroundColor));
    if (layers.at(-1)[3] === 1) break;
  }
  if (!judged) continue;
  const behind = layers.reduceRight((below, top) => over(top, below), [255, 255, 255, 1]);
  const colour = element instanceof SVGElement ? style.fill : style.color;
  const [one, other] = [light(over(rgba(colour), behind)), light(behind)];
  const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
  if (ratio < (large ? 3 : 4.5)) found.add(`${ratio.toFixed(2)}: ${text.slice(0, 40)}`);
}
return [...found];
"""


class Browser:
    """Chromium with one page.

    Attributes
    ----------
    driver
        Selenium's, for what this class does not have.
    """

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="scenelet-browser-")
        options = ChromeOptions()
        options.binary_location = _program(CHROMIUM)
        for flag in (*_FLAGS, f"--user-data-dir={self._folder}/profile"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = Chrome(options=options, service=Service(_program(DRIVER)))

    def close(self) -> None:
        """End Chromium and its driver, and remove the profile."""
        self.driver.quit()
        shutil.rmtree(self._folder, ignore_errors=True)

    def open(self, page: Path | str, *, width: int = 1280, scheme: str = "light", reduced_motion: bool = True) -> None:
        """Show a file or an address as a reader would see it who asks for light or dark."""
        self._said()  # by the page before
        self.media(scheme=scheme, reduced_motion=reduced_motion)
        self.resize(width)
        self.driver.get(page.resolve().as_uri() if isinstance(page, Path) else page)

    def resize(self, width: int, height: int = HEIGHT) -> None:
        """Give the window a size in CSS pixels; narrower than a desktop's window can be, too."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def media(self, *, scheme: str = "light", print_: bool = False, reduced_motion: bool = True) -> None:
        """Ask for light or dark, for paper, and for stillness."""
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced_motion else "no-preference"},
        ]
        asked = {"media": "print" if print_ else "screen", "features": features}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", asked)

    def scripts(self, *, allowed: bool) -> None:
        """Let pages that are opened from now on run scripts, or not."""
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not allowed})

    def all(self, css: str) -> list[WebElement]:
        """The elements that a selector finds."""
        found: list[WebElement] = self.driver.find_elements("css selector", css)
        return found

    def one(self, css: str) -> WebElement:
        """The only element that a selector finds."""
        found = self.all(css)
        assert len(found) == 1, f"{len(found)} elements match {css}"
        return found[0]

    def run(self, script: str, *arguments: object) -> Any:
        """What a function body of JavaScript returns."""
        return self.driver.execute_script(script, *arguments)

    def _said(self) -> list[str]:
        entries = self.driver.get_log("browser")
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    def check_console(self) -> None:
        """Fail where the page had an error or a warning since it was opened, or since the last check."""
        said = self._said()
        assert not said, said

    def requests(self) -> list[str]:
        """Addresses that the page has fetched; of ``data:`` addresses there is no word."""
        return self.run("return performance.getEntriesByType('resource').map(entry => entry.name)")  # type: ignore[no-any-return]

    def beyond(self, width: int) -> list[str]:
        """What reaches beyond the page's right edge at a width, one line each."""
        self.resize(width)
        return self.run(_BEYOND)  # type: ignore[no-any-return]

    def cut(self, width: int) -> list[str]:
        """What is cut off, or must be scrolled sideways in its box, at a width; one line each."""
        self.resize(width)
        return self.run(_CUT)  # type: ignore[no-any-return]

    def check_widths(self, widths: tuple[int, ...] = WIDTHS) -> None:
        """Fail where the page must be scrolled sideways at one of the widths."""
        for width in widths:
            assert not self.beyond(width), f"at {width} px: {self.beyond(width)}"

    def accessible(self) -> list[dict[str, Any]]:
        """Nodes of the accessibility tree that a screen reader hears: ``role``, ``name``, ``properties``."""
        self.driver.execute_cdp_cmd("Accessibility.enable", {})
        nodes = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        return [
            {
                "role": node["role"]["value"],
                "name": node.get("name", {}).get("value", ""),
                "properties": {one["name"]: one["value"].get("value") for one in node.get("properties", ())},
            }
            for node in nodes
            if not node["ignored"]
        ]

    def check_names(self) -> None:
        """Fail where something to work or to look at has no accessible name, or the page no title or language."""
        nodes = self.accessible()
        unnamed = [node["role"] for node in nodes if node["role"] in _NAMED and not node["name"].strip()]
        assert not unnamed, unnamed
        assert self.driver.title.strip()
        assert self.run("return document.documentElement.lang")

    def check_contrast(self) -> None:
        """Fail where text is too pale to be read in light or in dark."""
        for scheme in SCHEMES:
            self.media(scheme=scheme)
            pale = self.run(_PALE)
            assert not pale, f"{scheme}: {pale}"

    def screenshot(self, to: Path, *, width: int = 1280, scheme: str = "light", print_: bool = False) -> Path:
        """Write the whole page as a PNG, at most 16,000 pixels tall."""
        self.media(scheme=scheme, print_=print_)
        self.resize(width)
        height = min(self.run("return document.documentElement.scrollHeight"), TALLEST)
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        asked = {"format": "png", "captureBeyondViewport": True, "clip": clip}
        to.write_bytes(base64.b64decode(self.driver.execute_cdp_cmd("Page.captureScreenshot", asked)["data"]))
        return to

    def print(self, to: Path) -> Path:
        """Write the page as a PDF: A4, as a reader would print it."""
        asked = {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": False, "preferCSSPageSize": True}
        to.write_bytes(base64.b64decode(self.driver.execute_cdp_cmd("Page.printToPDF", asked)["data"]))
        return to


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"no {name} on this computer: run `make setup` (Debian: apt install chromium chromium-driver)"
    return found
