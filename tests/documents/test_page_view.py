"""What of the figure is on the screen: at first, in small windows, and after links and resizing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from browser import Opened, box, focused, frame, middle, scale, shown, until
from playwright.sync_api import Browser, Locator, Page

Windows = Callable[..., Opened]
Pages = Callable[..., Path]
SIZES = [(800, 600), (1024, 700), (1440, 900)]
SMALLEST = 1  # pixels in a point, in which texts can still be read


def bounds(item: Locator) -> tuple[float, float, float, float]:
    found = item.bounding_box()
    assert found is not None
    return found["x"], found["y"], found["x"] + found["width"], found["y"] + found["height"]


def on_stage(page: Page, item: Locator) -> bool:
    """Whether an item is on the stage as a whole."""
    left, top, right, bottom = bounds(item)
    stage = bounds(page.locator("#stage"))
    return left >= stage[0] and top >= stage[1] and right <= stage[2] and bottom <= stage[3]


def edges(page: Page) -> set[str]:
    """The sides that are marked, as the figure goes on beyond them."""
    found = str(page.locator("#stage").get_attribute("class") or "").split()
    return {name.removeprefix("more-") for name in found}


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("spec", ["v0", "v4", "family/resnet_50", "family/nasnet_a_cell"])
def test_small_windows(spec: str, size: tuple[int, int], opened: Windows, page_of: Pages) -> None:
    """The figure is whole, or begins on the stage in a size to read, and its edge is marked."""
    page = opened(size=size).go(page_of(spec))
    assert page.evaluate("document.documentElement.scrollHeight") <= size[1]
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    tall = spec.endswith("nasnet_a_cell")
    assert on_stage(page, page.locator("#content")) is not tall
    assert on_stage(page, box(page, "input"))
    assert scale(page)[2] >= SMALLEST
    assert edges(page) == ({"top"} if tall else set())
    stage, legend = bounds(page.locator("#stage")), bounds(page.locator("#legend"))
    assert legend[0] >= stage[2] or legend[1] >= stage[3]  # on nothing of the figure
    page.click("#fit")
    assert on_stage(page, page.locator("#content")) and edges(page) == set()


def test_edges_that_cut_the_figure(opened: Windows, page_of: Pages) -> None:
    page = opened(size=(800, 600)).go(page_of("v4"))
    page.focus("#stage")
    for _ in range(8):
        page.keyboard.press("+")
    assert edges(page) == {"left", "top", "right", "bottom"}
    for _ in range(50):
        page.keyboard.press("ArrowRight")
    assert edges(page) == {"left", "top", "bottom"}


def test_long_facts_leave_the_figure_alone(opened: Windows, page_of: Pages) -> None:
    page = opened(size=(800, 460)).go(page_of("v4"), "#open=*")
    before = bounds(page.locator("#stage"))
    page.evaluate("location.hash = '#inception_b/0/branch_7x7/1'")
    until(page, "document.querySelector('.pinned') !== null")
    panel = page.locator("#panel")
    assert panel.evaluate("e => e.scrollHeight > e.clientHeight")
    assert bounds(page.locator("#stage")) == before


def test_a_window_of_another_size(opened: Windows, page_of: Pages) -> None:
    """The figure is fitted again; what the reader has moved keeps its size and its middle."""
    page = opened(size=(1400, 900)).go(page_of("v4"))
    page.set_viewport_size({"width": 900, "height": 640})
    until(page, "document.querySelector('#stage').clientWidth < 700")
    page.wait_for_timeout(100)
    assert on_stage(page, page.locator("#content"))
    page.focus("#stage")
    for _ in range(5):
        page.keyboard.press("+")
    size = scale(page)[2]
    x, y = middle(box(page, "reduction_a"))
    a, b = middle(page.locator("#stage"))
    page.set_viewport_size({"width": 1400, "height": 900})
    until(page, "document.querySelector('#stage').clientWidth > 1000")
    page.wait_for_timeout(100)
    assert scale(page)[2] == size
    c, d = middle(page.locator("#stage"))
    assert middle(box(page, "reduction_a")) == pytest.approx((x - a + c, y - b + d), abs=1.5)


def zoomed(page: Page) -> None:
    """Zoom far into a corner."""
    x, y, _, _ = bounds(page.locator("#stage"))
    page.mouse.move(x + 5, y + 5)
    for _ in range(6):
        page.mouse.wheel(0, -300)
    until(
        page,
        "Number(document.querySelector('#content').style.transform.match(/scale.(.*).$/)[1]) > 4",
    )


def test_a_link_to_a_step(opened: Windows, page_of: Pages) -> None:
    """As in `#body/3`: also from a part of the figure that is far away."""
    file, window = page_of("v4"), opened(size=(1024, 700))
    page = window.go(file, "#open=*")
    zoomed(page)
    assert not on_stage(page, box(page, "classifier"))
    page.evaluate("location.hash = '#classifier'")
    until(page, "document.querySelector('.pinned') !== null")
    assert on_stage(page, box(page, "classifier")) and shown(page)[""] == "classifier"
    assert page.url.endswith("#classifier")  # also after the page is loaded again
    zoomed(page)
    page.evaluate("location.hash = '#inception_b/0/branch_7x7/1'")
    until(page, "document.querySelectorAll('.frame').length === 1")
    step = box(page, "inception_b/0/branch_7x7/1")
    assert on_stage(page, step) and shown(page)["kernel_size"] == "1×7"
    assert page.url.endswith("#inception_b/0/branch_7x7/1&open=inception_b%2F0")
    page.focus("#stage")
    page.keyboard.press("Tab")  # the title of the block
    page.keyboard.press("Tab")
    assert focused(page) == "inception_b/0/branch_7x7/1"
    page = window.go(file, "#inception_b/0/branch_7x7/1")
    assert on_stage(page, box(page, "inception_b/0/branch_7x7/1"))
    assert frame(page, "inception_b/0").count() == 1
    page.click("#panel button")
    assert page.url.endswith("#open=inception_b%2F0")
    page.evaluate("location.hash = '#stem/mixed_3a'")  # a fork: where its branches join
    until(page, "document.querySelector('.pinned') !== null")
    assert on_stage(page, box(page, "stem/mixed_3a/concat"))


@pytest.mark.parametrize(
    "fragment", ["", "#", "#nothing", "#%", "#__proto__", "#open=", "#a/b&x=1"]
)
def test_a_link_to_nothing(fragment: str, opened: Windows, page_of: Pages) -> None:
    """Blocks collapse, and what is left of the figure is not outside of the stage."""
    page = opened(size=(1024, 700)).go(page_of("v4"), "#open=*&colour=macs")
    zoomed(page)
    page.evaluate(f"location.hash = {fragment!r}")
    until(page, "document.querySelectorAll('.frame').length === 0")
    assert any(on_stage(page, one) for one in page.locator("#shapes .box").all())
    assert page.locator(".pinned").count() == 0


@pytest.mark.parametrize("origin", ["http://a.test", "http://b.test"])
def test_only_pages_of_the_same_server_may_ask(
    origin: str, browser: Browser, page_of: Pages
) -> None:
    """Where the reader is, and with it the names of steps, is not for every site around a page."""
    page, text = browser.new_page(), page_of("v0").read_text(encoding="utf-8")
    outer = f'<iframe sandbox="allow-scripts" src="{origin}/page"></iframe>'
    page.route("**/page", lambda route: route.fulfill(body=text, content_type="text/html"))
    page.route("**/outer", lambda route: route.fulfill(body=outer, content_type="text/html"))
    page.goto("http://a.test/outer")
    answer = page.evaluate("""() => new Promise((done) => {
        const {port1, port2} = new MessageChannel();
        port1.onmessage = ({data}) => done(data.steps[0].id);
        setTimeout(done, 1000, "nothing");
        document.querySelector("iframe").contentWindow.postMessage({}, "*", [port2]);
    })""")
    assert answer == ("input" if origin == "http://a.test" else "nothing")
    page.close()


def test_a_page_that_is_loaded_again_is_as_it_was(opened: Windows, page_of: Pages) -> None:
    """Zoom, blocks, search, colours, what is pinned; but not in another tab, or by another link."""
    window, file = opened(), page_of("v4")
    page = window.go(file)
    page.select_option("#colour", "macs")
    box(page, "inception_b/0").click()
    page.fill("#search", "1x7")
    page.keyboard.press("Enter")
    page.focus("#stage")
    for key in ("+", "+", "ArrowUp"):
        page.keyboard.press(key)
    seen = "[...document.querySelectorAll('#shapes [data-id]')].map((one) => one.dataset.id).join()"

    def state() -> tuple[object, ...]:
        found = (page.input_value("#search"), page.input_value("#colour"), page.evaluate(seen))
        return *found, page.text_content("#hits"), *(round(one, 1) for one in scale(page))

    before = state()
    for _ in range(2):
        page.reload()
        until(page, "document.querySelector('#content').style.transform !== ''")
        assert state() == before
    page = window.go(file, "#body/3")
    assert page.input_value("#search") == ""
    page = opened().go(file)
    assert page.input_value("#search") == ""
    assert page.evaluate("Object.keys(localStorage).length + document.cookie.length") == 0


def test_a_page_without_storage_is_loaded_again(opened: Windows, page_of: Pages) -> None:
    page = opened().go(page_of("v0"))
    page.evaluate("sessionStorage.clear()")
    page.evaluate("sessionStorage.setItem(`inception-dsl ${location.pathname}`, '{')")
    page.add_init_script("Storage.prototype.setItem = () => { throw new Error('full'); }")
    page.reload()
    until(page, "document.querySelector('#content').style.transform !== ''")
    assert box(page, "input").is_visible()
