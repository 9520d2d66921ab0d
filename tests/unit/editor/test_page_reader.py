"""After a save, readers of the page are where they were: in the figure, in tables, in texts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browser import chromium
from page_reader import INSERTED, LINES, NET, TALLER, Reader, at, scrolled, zoom
from playwright.sync_api import Browser, expect
from served import Served, written

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for all tests of the module."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of a spec that tests change."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "net.yaml").write_text(NET, encoding="utf-8")
    with Served(folder, "net.yaml") as server:
        server.ready()
        yield server


@pytest.fixture
def reader(browser: Browser, served: Served) -> Iterator[Reader]:
    """The open page, with the figure; nothing may go wrong on it."""
    written(served.folder / "net.yaml", NET)
    context = browser.new_context(viewport={"width": 1200, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.goto(served.url)
    expect(page.locator("#title")).to_have_text("Version 1")
    found = Reader(page, served)
    expect(found.figure.locator("#content")).to_have_attribute("style", re.compile("transform"))
    yield found
    context.close()
    assert problems == []


def test_the_figure_stays_where_it_is(reader: Reader) -> None:
    zoom(reader, "c5")
    before, place = reader.transform(), at(reader.box("c5"))
    reader.save(NET.replace("name: c5, filters: 13", "name: c5, filters: 99"))
    assert reader.transform() == before
    expect(reader.box("c5")).to_contain_text("99")
    reader.save(TALLER)
    assert at(reader.box("c5")) == pytest.approx(place, abs=1.5)
    reader.save(NET.replace(LINES[5], ""))  # the box in the middle is gone
    assert at(reader.box("c6"))[1] == pytest.approx(place[1], abs=150)
    assert reader.transform() != before


def test_a_figure_that_fits_is_fitted_again(reader: Reader) -> None:
    reader.figure.locator("#fit").click()
    assert reader.whole()
    reader.save(TALLER)
    assert reader.whole()


def test_what_is_chosen_stays(reader: Reader) -> None:
    """Also if a step before it gives it another number."""
    figure = reader.figure
    figure.locator("#fit").click()
    reader.box("part").click()  # expands and pins
    expect(figure.locator("#panel h2")).to_have_text("part")
    figure.locator("#colour").select_option("macs")
    figure.locator("#search").fill("conv 3x3")
    figure.locator("#search").press("Enter")
    figure.locator("#search").press("Enter")
    expect(figure.locator("#panel h2")).to_have_text("c1")
    hits = figure.locator("#hits").text_content() or ""
    assert hits.startswith("2 of ")
    figure.locator("#list-title").click()
    reader.save(INSERTED)
    expect(figure.locator('.frame[data-id="part"]')).to_have_count(1)
    expect(figure.locator(".frame")).to_have_count(1)
    expect(figure.locator("#panel h2")).to_have_text("c1")
    expect(figure.locator(".pinned")).to_have_attribute("data-id", "c1")
    expect(figure.locator("#hits")).to_have_text(hits)
    assert figure.locator("#colour").input_value() == "macs"
    assert figure.locator("#search").input_value() == "conv 3x3"
    expect(figure.locator("#layers li").first).to_be_visible()
    assert reader.focused() == "list-title"


def test_the_focus_stays_at_its_step(reader: Reader) -> None:
    reader.box("body/3").focus()
    reader.page.keyboard.press("ArrowDown")  # the flow is upwards
    assert reader.focused() == "part"
    reader.save(INSERTED)
    assert reader.focused() == "part"
    reader.page.keyboard.press("ArrowUp")
    assert reader.focused() == "body/4"
    reader.page.keyboard.press("Enter")
    reader.save(NET)
    assert reader.focused() == "body/3"
    expect(reader.figure.locator("#panel h2")).to_have_text("body/3")
    reader.save(NET.replace("  - {op: conv_bn, filters: 40, kernel_size: 1}\n", ""))
    assert reader.focused() == "stage"  # the step is gone
    expect(reader.figure.locator(".pinned")).to_have_count(0)


def test_typing_in_the_search_goes_on(reader: Reader) -> None:
    search = reader.figure.locator("#search")
    search.press_sequentially("conv")
    reader.save(INSERTED)
    assert reader.focused() == "search"
    reader.page.keyboard.type(" 5x5")
    assert search.input_value() == "conv 5x5"
    expect(reader.figure.locator("#hits")).to_have_text("1 hit")


def test_saves_take_no_focus(reader: Reader) -> None:
    reader.page.locator("#tabs-figure").focus()
    reader.save(INSERTED)
    assert reader.focused() == "tabs-figure"
    reader.page.locator("#backend").focus()
    reader.save(NET)
    assert reader.focused() == "backend"


def test_errors_do_not_move_the_figure(reader: Reader) -> None:
    zoom(reader, "c5")
    before, place = reader.transform(), at(reader.box("c5"))
    reader.wrong(NET.replace("filters: 24", "filtres: 24"), "1 error")
    assert reader.transform() == before
    assert at(reader.box("c5")) == pytest.approx(place, abs=0.1)
    problems = reader.page.locator("#problems").bounding_box()
    assert problems is not None and problems["y"] + problems["height"] <= 800  # in the window
    reader.save(NET)
    assert reader.transform() == before
    assert at(reader.box("c5")) == pytest.approx(place, abs=0.1)


def test_other_tabs_and_back(reader: Reader) -> None:
    zoom(reader, "c5")
    reader.box("part").focus()
    before = reader.transform()
    reader.tab("Summary")
    expect(reader.page.locator("#pane table").first).to_be_visible()
    reader.tab("Figure")
    expect(reader.box("c5")).to_be_visible()
    assert reader.transform() == before
    reader.tab("Source")
    reader.save(INSERTED)
    reader.tab("Figure")
    expect(reader.box("body/4")).to_be_attached()
    assert re.search(r"scale.*", reader.transform())[0] == re.search(r"scale.*", before)[0]  # type: ignore[index]


def test_there_is_always_a_figure(reader: Reader) -> None:
    """No moment without one, between two versions: nothing flashes."""
    reader.page.evaluate("""() => {
        window.blank = 0;
        const look = () => {
            const frames = [...document.querySelectorAll("#pane iframe")];
            const shown = frames.filter((f) => !f.matches(".next, .next *") && f.dataset.seen);
            if (!shown.length) window.blank += 1;
            frames.forEach((f) => f.addEventListener("load", () => { f.dataset.seen = 1; }));
            window.looking = requestAnimationFrame(look);
        };
        document.querySelector("#pane iframe").dataset.seen = 1;
        look();
    }""")
    for text in (INSERTED, NET, INSERTED):
        reader.save(text)
    assert reader.page.evaluate("window.blank") == 0


def test_many_saves_in_a_row(reader: Reader) -> None:
    zoom(reader, "c5")
    place = at(reader.box("c5"))
    for number in range(8):
        text = INSERTED if number % 2 else NET
        written(reader.served.folder / "net.yaml", text.replace("Version 1", f"Draft {number}"))
        reader.page.wait_for_timeout(120)
    reader.save(INSERTED)
    expect(reader.page.locator("#pane iframe")).to_have_count(1)
    assert at(reader.box("c5")) == pytest.approx(place, abs=1.5)


def test_a_save_does_not_end_a_drag(reader: Reader) -> None:
    x, y = at(reader.box("c5"))
    mouse = reader.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 20, y, steps=3)
    written(reader.served.folder / "net.yaml", NET.replace("Version 1", "Version 2"))
    expect(reader.page.locator("#title")).to_have_text("Version 2")
    reader.page.wait_for_timeout(700)
    mouse.move(x + 60, y - 30, steps=3)
    mouse.up()
    expect(reader.figure.locator("#title")).to_have_text("Version 2")
    assert at(reader.box("c5")) == pytest.approx((x + 60, y - 30), abs=1.5)


def test_drawings_and_texts_stay_scrolled(reader: Reader) -> None:
    page = reader.page
    page.set_viewport_size({"width": 500, "height": 400})
    page.locator("#backend").select_option("svg")
    page.locator("#size").click()
    expect(page.locator("#drawn img.actual")).to_be_visible()
    page.evaluate("scrollTo(0, 200)")
    page.locator("#drawn").focus()
    place = page.evaluate("scrollY")
    reader.save(TALLER)
    assert page.evaluate("scrollY") == place > 0 and reader.focused() == "drawn"
    reader.tab("Source")
    page.locator("#backend").select_option("torch")
    code = page.locator("#code")
    expect(code).to_contain_text("class")
    code.evaluate("e => e.scrollTo(90, 300)")
    code.focus()
    reader.save(INSERTED)
    assert scrolled(code) == [90, 300] and reader.focused() == "code"
    page.locator("#backend").select_option("keras")
    expect(code).to_contain_text("keras")
    assert scrolled(code) == [0, 0]  # another text


def test_tables_stay_open(reader: Reader) -> None:
    """The focus is at its row, also if that is another one by then."""
    reader.tab("Summary")
    toggle = reader.page.get_by_role("button", name="Layers in part")
    toggle.press("Enter")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    rows = reader.page.locator("#pane tbody").first.locator("tr")
    count = rows.count()
    reader.save(INSERTED)
    expect(rows).to_have_count(count + 1)
    expect(toggle).to_be_focused()
    expect(toggle).to_have_attribute("aria-expanded", "true")
    reader.page.locator("#expand").focus()
    reader.save(NET)
    assert reader.focused() == "expand"


def test_errors_stay_as_they_are_read(reader: Reader) -> None:
    page = reader.page
    wrong = NET.replace("filters: 24", "filtres: 24")
    reader.wrong(wrong, "1 error")
    about = page.locator("#problems li details summary")
    about.press("Enter")
    page.locator("#problems li details pre").focus()
    reader.wrong(wrong.replace("op: max_pool", "op: max_pol"), "2 errors")
    assert page.locator("#problems li details[open]").count() == 1
    assert reader.focused() == "problem-E304-1-text"
    page.locator("#problems-title").click()
    reader.wrong(wrong, "1 error")
    expect(page.locator("#problems ul")).to_be_hidden()  # as the reader wants it
    assert reader.focused() == "problems-title"
    reader.save(NET)
    assert reader.focused() == "pane"
    reader.wrong(wrong, "1 error")
    expect(page.locator("#problems ul")).to_be_visible()  # a new one


def test_many_pages_share_a_connection(reader: Reader) -> None:
    """A browser opens six connections to a server; each stream of events would keep one."""
    pages = [reader.page.context.new_page() for _ in range(8)]
    for page in pages:
        page.goto(reader.served.url)
        expect(page.locator("#title")).to_have_text("Version 1")
        expect(page.locator("#pane .pages:not(.next)")).to_be_visible()
    reader.save(INSERTED)
    for page in pages:
        expect(page.locator("#title")).to_have_text("Version 2")
    reader.page.close()  # it had the connection
    text = NET.replace("Version 1", "Version 3").replace("filters: 24", "filtres: 24")
    written(reader.served.folder / "net.yaml", text)
    for page in pages:
        expect(page.locator("#problems-title")).to_have_text("1 error")
        expect(page.locator("#status")).to_have_text("Follows the files")


@pytest.mark.parametrize("size", [(800, 600), (1024, 700), (1440, 900)], ids=str)
def test_small_windows(size: tuple[int, int], reader: Reader) -> None:
    """The figure is in the window as far as it can be, and nothing scrolls to see it."""
    reader.page.set_viewport_size({"width": size[0], "height": size[1]})
    expect(reader.figure.locator("#content")).to_be_visible()
    for place in (reader.page.locator("html"), reader.figure.locator("html")):
        assert place.evaluate("e => e.scrollHeight <= innerHeight && e.scrollWidth <= innerWidth")
    stage = reader.figure.locator("#stage").bounding_box()
    assert stage is not None and stage["height"] >= size[1] / 2


def test_the_page_that_is_loaded_again_is_as_it_was(reader: Reader) -> None:
    """The tab keeps it; a new tab knows nothing of it."""
    zoom(reader, "c5")
    reader.figure.locator("#search").fill("conv 3x3")
    reader.figure.locator("#colour").select_option("macs")
    before = reader.transform()
    reader.page.wait_for_timeout(500)  # what a frame tells is gathered for a moment
    reader.page.reload()
    content = reader.figure.locator("#content")
    expect(content).to_have_attribute("style", re.compile("transform"))
    expect(reader.figure.locator("#search")).to_have_value("conv 3x3")
    expect(reader.figure.locator("#colour")).to_have_value("macs")
    assert reader.transform() == before
    assert reader.page.evaluate("Object.keys(localStorage).length + document.cookie.length") == 0
    other = reader.page.context.new_page()
    other.goto(reader.page.url)
    expect(other.frame_locator("iframe").locator("#search")).to_have_value("")
