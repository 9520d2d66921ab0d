"""The page in a browser, as readers use it: with a mouse, with fingers, with the keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from browser import Opened, box, focused, frame, middle, scale, shown, until

Windows = Callable[..., Opened]
Pages = Callable[..., Path]


def test_blocks_expand_where_they_are(opened: Windows, page_of: Pages) -> None:
    page = opened().go(page_of("v4"))
    count = page.locator(".box").count()
    box(page, "inception_b/0").click()
    assert box(page, "inception_b/0").count() == 0
    assert box(page, "inception_b/0/branch_1x1").count() == 1
    assert page.url.endswith("#open=inception_b%2F0")
    assert frame(page, "inception_b/0").get_attribute("aria-expanded") == "true"
    frame(page, "inception_b/0").locator("text").click()
    assert page.locator(".box").count() == count and "#" not in page.url
    page.click("#expand")
    assert page.locator(".box[aria-expanded]").count() == 0 and page.url.endswith("#open=*")
    assert page.locator(".box").count() > 70
    page.click("#collapse")
    assert page.locator(".box").count() == count and page.locator(".frame").count() == 0


def test_what_expands_stays_in_view(opened: Windows, page_of: Pages) -> None:
    """The lower edge, where the flow begins, stays where it was; without room, all moves down."""
    page = opened().go(page_of("v4"))
    stage = page.locator("#stage").bounding_box()
    moves = []
    for id, smaller in (("inception_a/0", 2), ("inception_c/0", 0)):
        page.click("#collapse")
        page.click("#fit")
        for _ in range(smaller):
            page.click("#out")
        before = box(page, id).bounding_box()
        box(page, id).click()
        after = frame(page, id).locator(".outline").bounding_box()
        assert before is not None and after is not None and stage is not None
        moves.append(after["y"] + after["height"] - before["y"] - before["height"])
        assert after["y"] >= stage["y"]
    assert abs(moves[0]) < 3 and moves[1] > 20


def test_the_address_has_the_state(opened: Windows, page_of: Pages) -> None:
    file, window = page_of("v4"), opened()
    page = window.go(file, "#open=inception_b%2F0,nothing,%,__proto__&colour=macs&x=1")
    assert page.locator(".frame").count() == 1 and page.input_value("#colour") == "macs"
    assert page.url.endswith("#open=inception_b%2F0&colour=macs")
    page.evaluate("location.hash = '#open=*'")
    until(page, "document.querySelectorAll('.frame').length > 5")
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
    until(page, f"!document.querySelector('#content').style.transform.endsWith('({size})')")
    assert scale(page)[2] > size * 1.3
    assert middle(box(page, "conv1")) == pytest.approx(at, abs=1.5)  # what is below it stays
    page.mouse.down()
    page.mouse.move(at[0] + 90, at[1] - 40, steps=4)
    page.mouse.up()
    assert middle(box(page, "conv1")) == pytest.approx((at[0] + 90, at[1] - 40), abs=1.5)
    assert page.locator(".pinned").count() == 0  # to drag is not to click
    page.mouse.move(700, 155)
    page.mouse.down()
    page.mouse.move(700, 152)
    page.mouse.move(700, 120)  # outside of the stage
    page.mouse.up()
    before = scale(page)
    page.mouse.move(700, 400)
    assert scale(page) == before
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
    y -= 100  # a finger on a box shows its facts, which are above the lower half of the stage
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
    page.fill("#search", "block inception_b")
    assert page.text_content("#hits") == "1 hit"
    page.press("#search", "Enter")
    assert "hit" in (frame(page, "inception_b/0").get_attribute("class") or "")  # it stays expanded
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
