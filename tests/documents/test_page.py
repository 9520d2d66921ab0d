"""The page in a browser, as readers use it: with a mouse, a keyboard, a small screen, in print."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import Opened
from payloads import FREE, SPEC, TAKEN, written

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Windows = Callable[..., Opened]
Pages = Callable[..., Path]
MARKUP = (
    "</script><script>window.canary = 1</script>",
    "<!--<script>",
    "<img src=x onerror='window.canary = 1'>",
    "</title></style><svg onload='window.canary = 1'>",
    "<iframe srcdoc='<script>parent.canary = 1</script>'></iframe>",
    "<a href='javascript:window.canary = 1'>x</a>",
    "'; window.canary = 1; //",
    "`${window.canary = 1}`",
    "\\u003cscript>window.canary = 1</script>",
    "]]><script>window.canary = 1</script>",
    "&lt;b&gt; &amp; &#60;script&#62;",
    "{{ constructor.constructor('window.canary = 1')() }}",
)
"""Texts that would run, or be another text, as markup, script or a template."""


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


def test_blocks_expand_where_they_are(opened: Windows, page_of: Pages) -> None:
    page = opened().go(page_of("v4"))
    count = page.locator(".box").count()
    before = box(page, "inception_b/0").bounding_box()
    box(page, "inception_b/0").click()
    assert box(page, "inception_b/0").count() == 0
    assert box(page, "inception_b/0/branch_1x1").count() == 1
    outline = frame(page, "inception_b/0").locator(".outline").bounding_box()
    assert before is not None and outline is not None
    # its beginning, at the lower edge, stays where the reader has clicked
    assert outline["y"] + outline["height"] == pytest.approx(before["y"] + before["height"], abs=3)
    assert page.url.endswith("#open=inception_b%2F0")
    assert frame(page, "inception_b/0").get_attribute("aria-expanded") == "true"
    frame(page, "inception_b/0").locator("text").click()
    assert page.locator(".box").count() == count and "#" not in page.url
    page.click("#expand")
    assert page.locator(".box[aria-expanded]").count() == 0 and page.url.endswith("#open=*")
    assert page.locator(".box").count() > 70
    page.click("#collapse")
    assert page.locator(".box").count() == count and page.locator(".frame").count() == 0


def test_the_address_has_the_state(opened: Windows, page_of: Pages) -> None:
    file, window = page_of("v4"), opened()
    page = window.go(file, "#open=inception_b%2F0,nothing,%,__proto__&colour=macs&x=1")
    assert page.locator(".frame").count() == 1 and page.input_value("#colour") == "macs"
    assert page.url.endswith("#open=inception_b%2F0&colour=macs")
    page.evaluate("location.hash = '#open=*'")
    page.wait_for_function("document.querySelectorAll('.frame').length > 5")
    assert page.input_value("#colour") == "type"


def test_facts_of_what_is_pointed_at_and_pinned(opened: Windows, page_of: Pages) -> None:
    page = opened().go(page_of("v4"), "#open=inception_b%2F0")
    box(page, "inception_b/0/branch_7x7/1").hover()
    facts = shown(page)
    assert facts[""] == "inception_b/0/branch_7x7/1"
    assert facts["layer"] == "conv_bn" and facts["kernel_size"] == "1×7"
    assert facts["shape"] == "17×17×192 → 17×17×224"
    assert facts["applied"] == "7 times, drawn once"
    assert facts["parameters"].startswith("2,112,096 in all (4.9") and "receptive field" in facts
    panel = page.locator("#panel").text_content() or ""
    assert "v4.yaml:33" in panel and "kernel_size: [1, 7]" in panel
    box(page, "reduction_b").hover()
    assert shown(page)["layer"] == "block reduction_b"
    box(page, "classifier").click()
    assert "pinned" in (box(page, "classifier").get_attribute("class") or "")
    box(page, "head/1").hover()
    assert shown(page)[""] == "classifier"
    page.click("#panel button")
    box(page, "head/1").hover()
    assert shown(page)[""] == "head/1" and page.locator(".pinned").count() == 0


def test_zoom_and_pan(opened: Windows, page_of: Pages) -> None:
    page = opened().go(page_of("v1"))
    x, y, size = scale(page)
    at = middle(box(page, "conv1"))
    page.mouse.move(*at)
    page.mouse.wheel(0, -300)
    page.wait_for_function(
        f"!document.querySelector('#content').style.transform.endsWith('({size})')"
    )
    assert scale(page)[2] > size * 1.3
    assert middle(box(page, "conv1")) == pytest.approx(at, abs=1.5)  # what is below it stays
    page.mouse.down()
    page.mouse.move(at[0] + 90, at[1] - 40, steps=4)
    page.mouse.up()
    assert middle(box(page, "conv1")) == pytest.approx((at[0] + 90, at[1] - 40), abs=1.5)
    assert page.locator(".pinned").count() == 0  # to drag is not to click
    page.click("#fit")
    bounds = page.locator("#content").bounding_box()
    stage = page.locator("#stage").bounding_box()
    assert bounds is not None and stage is not None
    assert bounds["y"] >= stage["y"] and bounds["height"] <= stage["height"]
    whole = scale(page)
    for press, larger in (("#in", True), ("#out", False)):
        before = scale(page)[2]
        page.click(press)
        assert (scale(page)[2] > before) is larger
    page.focus("#stage")
    for key, larger in (("+", True), ("-", False)):
        before = scale(page)[2]
        page.keyboard.press(key)
        assert (scale(page)[2] > before) is larger
    x, y, size = scale(page)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert scale(page) == pytest.approx((x + 60, y - 60, size), abs=0.01)
    page.keyboard.press("0")
    assert scale(page) == whole


def test_pinch(opened: Windows, page_of: Pages) -> None:
    window = opened(has_touch=True, size=(400, 800))
    page = window.go(page_of("v1"))
    touch = window.context.new_cdp_session(page)

    def send(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    x, y = middle(page.locator("#stage"))
    before = scale(page)[2]
    send("touchStart", (x - 30, y), (x + 30, y))
    send("touchMove", (x - 60, y), (x + 60, y))
    send("touchEnd")
    assert scale(page)[2] == pytest.approx(2 * before, rel=0.05)


def test_keyboard(opened: Windows, page_of: Pages) -> None:
    page = opened().go(page_of("v4"))
    page.focus("#stage")
    page.keyboard.press("Tab")
    assert focused(page) == "input"
    page.keyboard.press("ArrowUp")  # the flow is upwards
    assert focused(page) == "stem" and shown(page)["layer"] == "block inception_v4_stem"
    ring = "getComputedStyle(document.activeElement.querySelector('rect:last-of-type')).strokeWidth"
    assert page.evaluate(ring) == "2.4px"
    page.keyboard.press("Enter")
    assert focused(page) == "stem" and frame(page, "stem").count() == 1
    page.keyboard.press("Escape")  # unpins
    page.keyboard.press("Escape")  # collapses
    assert frame(page, "stem").count() == 0 and focused(page) == "stem"
    for _ in range(2):
        page.keyboard.press("ArrowUp")
    assert focused(page) == "reduction_a"
    page.keyboard.press("Space")
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    first = focused(page)
    assert first.startswith("reduction_a/")
    page.keyboard.press("ArrowRight")
    second = focused(page)
    assert second.startswith("reduction_a/") and second != first
    assert middle(box(page, second))[0] > middle(box(page, first))[0]
    page.keyboard.press("ArrowLeft")
    assert middle(box(page, focused(page)))[0] < middle(box(page, second))[0]
    page.keyboard.press("End")
    assert focused(page) == "output"
    page.keyboard.press("ArrowDown")
    assert focused(page) == "classifier"
    stage, here = (page.locator(s).bounding_box() for s in ("#stage", '[data-id="classifier"]'))
    assert stage is not None and here is not None and here["y"] >= stage["y"]
    page.keyboard.press("/")
    assert focused(page) == "search" and page.input_value("#search") == ""


def test_roles_labels_and_the_list(opened: Windows, page_of: Pages) -> None:
    page = opened().go(page_of("v1"))
    label = box(page, "inception_3a").get_attribute("aria-label") or ""
    assert label.startswith("inception_3a, inception_3a inception, 28×28×192 → 28×28×256, ")
    assert "parameters" in label and "MACs" in label
    tree = page.locator("body").aria_snapshot()
    assert 'heading "GoogLeNet (Inception-v1)" [level=1]' in tree
    assert 'application "Figure of the network"' in tree and 'searchbox "Search layers"' in tree
    assert 'combobox "Colour"' in tree
    page.click("summary >> text=Layers as a list")
    layers = page.locator("#layers")
    layers.locator("li").first.wait_for()
    assert layers.locator("li").count() > 100  # also what is collapsed in the figure
    text = layers.text_content() or ""
    assert "branch branch_5x5" in text and "head " in text
    assert "inception_5b/branch_3x3/1, 3×3 conv 384, 7×7×192 → 7×7×384" in text


def test_search(opened: Windows, page_of: Pages) -> None:
    page = opened().go(page_of("v4"))
    page.fill("#search", "1X7 conv")
    assert page.locator(".hit").count() == 0 and page.locator(".holds").count() == 3
    total = int((page.text_content("#hits") or "").split()[0])
    page.press("#search", "Enter")
    assert page.text_content("#hits") == f"1 of {total}"
    assert page.locator(".current text").first.text_content() == "1×7 conv"
    assert page.locator(".frame").count() == 1  # only what is around the hit
    stage, hit = page.locator("#stage").bounding_box(), page.locator(".current").bounding_box()
    assert stage is not None and hit is not None
    assert stage["y"] <= hit["y"] and hit["y"] + hit["height"] <= stage["y"] + stage["height"]
    seen = []
    for _ in range(total):
        seen.append(shown(page)[""])
        page.press("#search", "Enter")
    assert len(set(seen)) == total and page.text_content("#hits") == f"1 of {total}"
    page.press("#search", "Shift+Enter")
    assert page.text_content("#hits") == f"{total} of {total}"
    page.fill("#search", "nothing of this name")
    assert page.text_content("#hits") == "no hits" and page.locator(".hit, .holds").count() == 0
    page.fill("#search", "reduction_a/branch_pool")
    assert page.text_content("#hits") == "1 hit"
    page.press("#search", "Escape")
    assert page.input_value("#search") == "" and page.text_content("#hits") == ""
    assert page.locator("#hits").evaluate("e => e.computedRole || e.tagName") in (
        "status",
        "OUTPUT",
    )


def test_colours_by_cost(opened: Windows, page_of: Pages) -> None:
    page = opened().go(page_of("v1"))

    def level(id: str) -> str:
        found = re.search(r"\bh\d\b", box(page, id).get_attribute("class") or "")
        return found[0] if found else ""

    def fill(id: str) -> str:
        rect = box(page, id).locator("rect").last
        return str(rect.evaluate("e => getComputedStyle(e).fill"))

    plain = fill("classifier")
    page.select_option("#colour", "macs")
    assert page.url.endswith("#colour=macs")
    # 359 million of 1,583 million; a dense layer of 1 million; a head that runs in training only
    assert (level("conv2"), level("classifier"), level("aux1")) == ("h6", "h0", "h0")
    assert fill("conv2") != fill("classifier") != plain
    assert page.locator("#legend li").all_text_contents()[-1] == "20 % and more"
    page.select_option("#colour", "parameters")
    assert level("classifier") == "h4" and page.url.endswith("#colour=parameters")
    page.click("#fit")
    box(page, "inception_5b").click()
    assert level("inception_5b/branch_3x3/1") != ""
    page.select_option("#colour", "type")
    assert fill("classifier") == plain and "convolution" in (page.text_content("#legend") or "")


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


def texts(shift: int) -> dict[str, Any]:
    """The spec with another payload in each free text."""
    spec = copy.deepcopy(SPEC)
    payloads = [*MARKUP, *TAKEN]
    for index, path in enumerate(FREE):
        holder: Any = spec
        for part in path[:-1]:
            holder = holder[part]
        payload = payloads[(index + shift) % len(payloads)]
        holder[path[-1]] = payload.lstrip("$") if path[-1] in ("word", "default") else payload
    return spec


def test_texts_of_a_spec_are_never_markup(opened: Windows, page_of: Pages, tmp_path: Path) -> None:
    """Every payload is in some text of some page; nothing runs, and the text is shown."""
    window = opened()
    for shift in range(0, len(MARKUP) + len(TAKEN), len(FREE)):
        spec = texts(shift)
        path = tmp_path / "net.yaml"
        path.write_text(written(spec), encoding="ascii")
        page = window.go(page_of(path), "#open=*")
        page.click("summary >> text=Layers as a list")
        state = page.evaluate("""() => ({
          canary: "canary" in window, title: document.getElementById("title").textContent,
          about: [...document.querySelectorAll("#about p")].map((p) => p.textContent),
          tags: [...new Set([...document.querySelectorAll("*")].map((e) => e.tagName))],
          scripts: document.scripts.length, handlers: document.querySelectorAll(
            "[onerror], [onload], [href], [src], [srcdoc]").length,
        })""")
        assert not state["canary"] and state["scripts"] == 2 and state["handlers"] == 0
        assert not {"IMG", "IFRAME", "A", "B", "FORM"} & {*state["tags"]}
        typed = compile_spec(path, {}, Report())
        assert typed is not None
        about = typed.program.about
        assert state["title"] == about.title.plain != ""
        assert state["about"][-1] == about.description.plain
        assert about.paper["authors"].plain in state["about"][0]
        for id in ("a", "c/concat"):
            page.evaluate(
                "(id) => document.querySelector(`[data-id='${id}']`).dispatchEvent("
                "new Event('click', {bubbles: true}))",
                id,
            )
        assert page.evaluate("window.canary === undefined")


@pytest.mark.parametrize("payload", MARKUP)
def test_a_title_is_shown_as_it_is_written(
    payload: str, opened: Windows, page_of: Pages, tmp_path: Path
) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(written({**SPEC, "title": payload}), encoding="ascii")
    page = opened().go(page_of(path))
    assert page.text_content("#title") == payload and page.title() == payload
    assert page.evaluate("window.canary === undefined")
