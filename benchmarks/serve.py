"""Measures the time from a save to the new picture on the page of `inception-dsl serve`.

    python benchmarks/serve.py

It saves a copy of specs/v4.yaml with its blocks and overlays again and again, and asks for what the
page shows. If Playwright and a Chromium are installed, it also measures in that browser.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

SAVES, LIMIT = 20, 0.5
ROOT = Path(__file__).parent.parent


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server that follows a copy of the spec."""
    shutil.copytree(ROOT / "specs", folder / "specs")
    call = [sys.executable, "-m", "inception_dsl", "serve", "specs/v4.yaml"]
    process = subprocess.Popen(
        [*call, "--no-browser", "--port", "0"],
        cwd=folder,
        env={**os.environ, "XDG_CONFIG_HOME": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().rpartition(" ")[2].strip()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def times(spec: Path, shown: Callable[[str], None]) -> list[float]:
    """Seconds from each save until ``shown``, which waits for a title, returns."""
    text, found = spec.read_text(encoding="utf-8"), []
    for number in range(SAVES + 1):
        title = f"Save {number} at {time.monotonic_ns()}"
        start = time.perf_counter()
        spec.write_text(text.replace("title: Inception-v4", f"title: {title}"), encoding="utf-8")
        shown(title)
        found.append(time.perf_counter() - start)
        time.sleep(0.2)
    return found[1:]  # the first also imports the backends


@contextlib.contextmanager
def client(address: str) -> Iterator[Callable[[str], None]]:
    """Waits for the event with a title, and reads the figure."""
    parts = urlsplit(address)
    stream = http.client.HTTPConnection(parts.netloc)
    stream.request("GET", f"{parts.path}events")
    events = stream.getresponse()
    other = http.client.HTTPConnection(parts.netloc)

    def shown(title: str) -> None:
        while line := events.readline():
            found = json.loads(line[6:])["specs"][0] if line.startswith(b"data: ") else None
            if found and found["about"][:1] == [title]:
                break
        other.request("GET", f"{parts.path}0/file/svg?file=v4.svg&theme=light")
        figure = other.getresponse().read().decode()
        assert title in figure

    yield shown
    stream.close()
    other.close()


@contextlib.contextmanager
def browser(address: str) -> Iterator[Callable[[str], None]]:
    """Waits until a page in Chromium has the title and a new figure."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = chromium.new_page()
        page.goto(address)
        page.wait_for_selector("#pane[data-version]:not(.waiting)")
        if page.locator("#backend").count():  # another backend writes pages to explore
            page.locator("#backend").select_option("svg")
        page.wait_for_selector("#pane img")
        last = [page.locator("#pane img").get_attribute("src")]

        def shown(title: str) -> None:
            page.wait_for_function(
                """([title, last]) => {
                    const image = document.querySelector("#pane img");
                    return document.querySelector("#title").textContent === title
                        && image.getAttribute("src") !== last && image.complete;
                }""",
                arg=[title, last[0]],
            )
            last[0] = page.locator("#pane img").get_attribute("src")

        yield shown
        chromium.close()


def main() -> None:
    """Print the medians; exit with status 1 if one is above the limit."""
    missed = False
    rows = {"event and figure": client, "figure in Chromium": browser}
    if importlib.util.find_spec("playwright") is None or shutil.which("chromium") is None:
        del rows["figure in Chromium"]
        print("figure in Chromium     not installed: playwright, chromium")
    for name, way in rows.items():
        with (
            tempfile.TemporaryDirectory() as folder,
            served(Path(folder)) as address,
            way(address) as shown,
        ):
            found = times(Path(folder) / "specs" / "v4.yaml", shown)
        middle, worst = statistics.median(found), max(found)
        missed |= middle > LIMIT
        verdict = f"at most {LIMIT:g} s: {'met' if middle <= LIMIT else 'MISSED'}"
        print(f"{name:22} {middle:.3f} s, {SAVES} saves, longest {worst:.3f} s  {verdict}")
    raise SystemExit(missed)


main()
