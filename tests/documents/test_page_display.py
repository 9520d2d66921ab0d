"""How a page looks: light and dark, on small screens, in print, in motion; and how fast it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser import Opened, box, scale, shown

Windows = Callable[..., Opened]
Pages = Callable[..., Path]


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(theme: str, scheme: Any, opened: Windows, page_of: Pages) -> None:
    page = opened(color_scheme=scheme).go(page_of("v0", theme=theme))
    dark = (scheme if theme == "auto" else theme) == "dark"
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == ("rgb(16, 18, 20)" if dark else "rgb(255, 255, 255)")
    page.emulate_media(media="print")
    assert page.evaluate(background) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("width", [400, 1400])
def test_widths(width: int, opened: Windows, page_of: Pages) -> None:
    page = opened(size=(width, 800)).go(page_of("inception_resnet_v2"))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("#search", "#colour", "#expand", "#fit", "#stage", "#panel"):
        found = page.locator(name).bounding_box()
        assert found is not None and found["x"] >= 0 and found["x"] + found["width"] <= width
    box(page, "stem").click()
    panel = page.locator("#panel").bounding_box()
    assert shown(page)[""] == "stem"
    assert panel is not None and panel["y"] + panel["height"] <= 801  # on the screen


def test_print_shows_the_whole_figure(opened: Windows, page_of: Pages) -> None:
    page = opened().go(page_of("v1"))
    before = scale(page)
    page.emulate_media(media="print")
    page.wait_for_selector("#figure[viewBox]")
    figure, content = (page.locator(s).bounding_box() for s in ("#figure", "#content"))
    assert figure is not None and content is not None
    assert content["height"] <= figure["height"] + 1 and content["y"] >= figure["y"] - 1
    assert not page.locator("#tools").is_visible() and not page.locator("#panel").is_visible()
    page.emulate_media(media="screen")
    page.wait_for_selector("#figure:not([viewBox])", state="attached")
    assert scale(page) == before
    assert page.pdf().startswith(b"%PDF")


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_motion_as_the_reader_prefers(motion: Any, opened: Windows, page_of: Pages) -> None:
    page = opened(reduced_motion=motion).go(page_of("v4"))
    time = page.evaluate("""() => {
      document.querySelector('[data-id="stem"]').dispatchEvent(new Event('click', {bubbles: true}));
      return getComputedStyle(document.getElementById('content')).transitionDuration;
    }""")
    assert time == ("0s" if motion == "reduce" else "0.18s")


def test_expanding_everything_is_fast(opened: Windows, page_of: Pages) -> None:
    page = opened().go(page_of("inception_resnet_v2"))
    times = page.evaluate("""() => [1, 2, 3, 4, 5].map(() => {
      document.getElementById("collapse").click();
      const start = performance.now();
      document.getElementById("expand").click();
      document.getElementById("content").getBoundingClientRect(); // with the browser's own layout
      return performance.now() - start;
    })""")
    assert min(times) < 100, times
