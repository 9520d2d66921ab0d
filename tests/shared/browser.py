"""A real browser for generated pages: an installed Chromium, driven by Playwright.

Playwright drives it without a download: it is given the path. Its protocol tells of every request,
dialog and message, and it emulates colour schemes, print, touch and sizes.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from npm import without

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser; without Chromium or Playwright tests are skipped, but not in CI."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        without("chromium is not installed")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        without("playwright is not installed")
    with sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # root has no sandbox
        browser = driver.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


class Opened:
    """A page in the browser, and everything that it should not do."""

    def __init__(self, browser: Browser, **settings: Any) -> None:
        size = settings.pop("size", (1400, 900))
        viewport = {"width": size[0], "height": size[1]}
        settings.setdefault("reduced_motion", "reduce")
        self.context = browser.new_context(viewport=viewport, **settings)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.file = ""
        self.problems: list[str] = []
        self.page.on("console", lambda message: self.problems.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("popup", lambda popup: self.problems.append(f"popup: {popup.url}"))
        self.page.on("request", self._request)

    def _dialog(self, dialog: Any) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Any) -> None:
        if request.url.partition("#")[0] != self.file:
            self.problems.append(f"request: {request.url}")

    def go(self, file: Path, fragment: str = "") -> Page:
        """Load a file, and wait until it is drawn."""
        self.file = file.resolve().as_uri()
        self.page.goto("about:blank")
        self.page.goto(f"{self.file}{fragment}")
        until(self.page, "document.querySelector('#content').style.transform !== ''")
        return self.page


def until(page: Page, condition: str, seconds: float = 20) -> None:
    """Wait for an expression to be true.

    `wait_for_function` evaluates it in the page from the second time on, where the page's policy
    forbids that.
    """
    for _ in range(int(20 * seconds)):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"not true after {seconds:g} s: {condition}")


def box(page: Page, id: str) -> Locator:
    return page.locator(f'#shapes .box[data-id="{id}"]')


def frame(page: Page, id: str) -> Locator:
    return page.locator(f'#shapes .frame[data-id="{id}"]')


def shown(page: Page) -> dict[str, str]:
    """The facts in the panel by name, and its heading."""
    names, values = (page.locator(f"#panel {tag}").all_text_contents() for tag in ("dt", "dd"))
    return {
        "": page.locator("#panel h2").text_content() or "",
        **dict(zip(names, values, strict=True)),
    }


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.dataset.id || document.activeElement.id"))


def scale(page: Page) -> tuple[float, float, float]:
    """Where the figure is on the stage, and how large."""
    text = page.evaluate("document.getElementById('content').style.transform")
    x, y, size = map(float, re.findall(r"-?[\d.]+(?:e-?\d+)?", text))
    return x, y, size


def middle(item: Locator) -> tuple[float, float]:
    found = item.bounding_box()
    assert found is not None
    return found["x"] + found["width"] / 2, found["y"] + found["height"] / 2
