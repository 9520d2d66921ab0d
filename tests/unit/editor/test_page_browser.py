"""The page beside the editor in a browser: it follows saves, is text only, and needs no mouse."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import chromium
from payloads import SPEC, TEXTS
from playwright.sync_api import Browser, Error, Page, expect
from served import NET, Served, written

SECONDS = 30
PAYLOAD = "<img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}&lt;b&gt;</style></title>"
expect.set_options(timeout=SECONDS * 1000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for all tests of the module."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of two specs with a baseline."""
    folder = tmp_path_factory.mktemp("served")
    for name in ("net.yaml", "first.yaml"):
        (folder / name).write_text(NET, encoding="utf-8")
    (folder / "hostile.yaml").write_text(
        json.dumps({**SPEC, **dict.fromkeys(TEXTS, PAYLOAD), "width": 2}), encoding="utf-8"
    )
    with Served(folder, "net.yaml", "hostile.yaml", "--baseline", "first.yaml") as server:
        server.ready()
        yield server


class Seen:
    """What happened in the browser besides: requests, and what no page should do."""

    def __init__(self, page: Page) -> None:
        self.urls: list[str] = []
        self.problems: list[str] = []
        page.on("request", lambda request: self.urls.append(request.url))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: self.problems.append(dialog.message))
        page.on("console", lambda m: self.problems.append(m.text) if m.type == "error" else None)


@pytest.fixture(params=[("light", 1400), ("dark", 400)], ids=["light", "dark"])
def page(
    request: pytest.FixtureRequest, browser: Browser, served: Served
) -> Iterator[tuple[Page, Seen]]:
    """The open page, and what happened."""
    scheme, width = request.param
    written(served.folder / "net.yaml", NET)
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        permissions=["clipboard-read", "clipboard-write"],
    )
    made = context.new_page()
    seen = Seen(made)
    made.goto(served.url)
    expect(made.locator("#title")).to_have_text("A small net")
    with_figures(made)
    yield made, seen
    context.close()
    assert seen.problems == []


def tab(page: Page, name: str) -> Any:
    return page.get_by_role("tab", name=name)


def with_figures(page: Page) -> None:
    """Show the figures, also if a backend writes pages to explore."""
    expect(page.locator("#pane[data-version]:not(.waiting)")).to_be_visible()
    if page.locator("#backend").count():
        page.locator("#backend").select_option("svg")
    expect(page.locator("#pane img")).to_be_visible()


def wide(page: Page) -> bool:
    """Whether the page is wider than its window, so that it scrolls as a whole."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_a_save_an_error_and_a_fix(page: tuple[Page, Seen], served: Served) -> None:
    made, _ = page
    net = served.folder / "net.yaml"
    before = made.locator("#pane img").get_attribute("src")
    written(net, NET.replace("small", "new").replace("filters: 16", "filters: 24"))
    expect(made.locator("#title")).to_have_text("A new net")
    expect(made.locator(f"#pane img:not([src='{before}'])")).to_be_visible()
    after = made.locator("#pane img").get_attribute("src")
    expect(made.locator("#problems")).to_be_hidden()

    written(net, NET.replace("filters: 16", "filtres: 16"))
    problems = made.locator("#problems")
    expect(problems.locator("h2")).to_have_text("error[E201]: unknown field `filtres`")
    expect(problems.locator(".where")).to_have_text("net.yaml:5:19")
    excerpt = problems.locator("pre").first
    expect(excerpt).to_contain_text("{op: conv_bn, filtres: 16, kernel_size: 3, stride: 2}")
    expect(excerpt).to_contain_text("^^^^^^^")
    expect(problems.locator(".advice")).to_have_text("= help: did you mean `filters`?")
    carets = excerpt.locator(".error").evaluate("e => e.getBoundingClientRect().right")
    assert 0 < carets < made.evaluate("innerWidth")
    expect(made.locator("#notice")).to_have_text("The last version without errors is shown above.")
    expect(made.locator("#title")).to_have_text("A new net")
    assert made.locator("#pane img").get_attribute("src") == after
    expect(tab(made, "net.yaml")).to_contain_text("1 error")
    assert not wide(made)

    written(net, NET)
    expect(problems).to_be_hidden()
    expect(made.locator("#notice")).to_be_hidden()
    expect(made.locator("#title")).to_have_text("A small net")


def test_the_tabs_by_keyboard(page: tuple[Page, Seen], served: Served) -> None:
    made, _ = page
    tab(made, "Figure").focus()
    made.keyboard.press("ArrowRight")
    expect(tab(made, "Summary")).to_be_focused()
    expect(tab(made, "Summary")).to_have_attribute("aria-selected", "true")
    rows = made.locator("#pane tbody").first.locator("tr")
    expect(rows).to_have_count(4)
    made.get_by_role("button", name="Layers in mixed").focus()
    made.keyboard.press("Enter")
    expect(rows).to_have_count(6)
    expect(made.get_by_role("button", name="Layers in mixed")).to_be_focused()
    tab(made, "Summary").focus()
    made.keyboard.press("ArrowRight")
    expect(made.locator("#pane code")).to_contain_text("def net(")
    made.keyboard.press("End")
    expect(tab(made, "Comparison")).to_be_focused()
    expect(made.locator("#pane table")).to_contain_text("32x32x3")
    made.keyboard.press("ArrowRight")
    expect(tab(made, "Figure")).to_be_focused()
    made.keyboard.press("ArrowLeft")
    made.keyboard.press("ArrowLeft")
    expect(made.locator("#pane")).to_contain_text("The networks are the same.")
    assert made.locator("[role=tab][tabindex='0']").count() == 2  # one in each list
    made.reload()
    expect(made.locator("#pane")).to_contain_text("The networks are the same.")
    assert not wide(made)


def test_the_source_is_copied(page: tuple[Page, Seen], served: Served) -> None:
    made, _ = page
    tab(made, "Source").click()
    made.locator("#backend").select_option("torch")
    code = made.locator("#pane code")
    expect(code).to_contain_text("class Net(nn.Module)")
    assert code.locator(".keyword").first.evaluate("e => getComputedStyle(e).color") != (
        code.evaluate("e => getComputedStyle(e).color")
    )
    made.locator("#copy").click()
    expect(made.locator("#copy")).to_have_text("Copied")
    copied = made.evaluate("navigator.clipboard.readText()")
    assert copied == code.text_content()
    compile(copied, "net.py", "exec")


def test_texts_of_a_spec_are_no_markup(page: tuple[Page, Seen], served: Served) -> None:
    """A browser that ran one of them would open a dialog, or report that the policy refuses it."""
    made, seen = page
    tab(made, "hostile.yaml").click()
    expect(made.locator("#title")).to_have_text(PAYLOAD)
    for name in ("Summary", "Source", "Difference", "Comparison", "Figure"):
        tab(made, name).click()
        expect(made.locator("#pane:not(.waiting) > *").first).to_be_visible()
        if name == "Source":
            for backend in ("keras", "torch"):
                made.locator("#backend").select_option(backend)
                expect(made.locator("#pane code")).to_contain_text("alert")
        assert made.locator("#pane script, #pane b, img[src=x]").count() == 0
    wrong = json.dumps({"network": PAYLOAD, PAYLOAD: 1})
    written(served.folder / "net.yaml", wrong)
    tab(made, "net.yaml").click()
    expect(made.locator("#problems")).to_contain_text("<script>")
    assert made.locator("#problems img, #problems script").count() == 0
    assert seen.problems == []


def test_there_is_no_request_to_another_origin(page: tuple[Page, Seen], served: Served) -> None:
    made, seen = page
    for name in ("Summary", "Source", "Difference", "Comparison", "Figure"):
        tab(made, name).click()
        expect(made.locator("#pane:not(.waiting) > *").first).to_be_visible()
    home = f"http://127.0.0.1:{served.port}/{served.token}/"
    assert len(seen.urls) > 5
    assert [url for url in seen.urls if not url.startswith((home, "data:"))] == []


@pytest.mark.parametrize(
    ("attempt", "refused"),
    [
        ("document.body.innerHTML = '<b>x</b>'", "TrustedHTML"),
        ("fetch('http://127.0.0.1:1/')", "Failed to fetch"),
        ("new Worker('data:,')", "TrustedScriptURL"),
    ],
)
def test_the_policy_refuses(attempt: str, refused: str, page: tuple[Page, Seen]) -> None:
    """What a text of a spec could do if a bug made it markup or a script."""
    made, seen = page
    with pytest.raises(Error, match=refused):
        made.evaluate(f"async () => {{ return await ({attempt}) }}")
    seen.problems.clear()  # what the browser says about it


def test_elements_that_scripts_add_run_and_load_nothing(page: tuple[Page, Seen]) -> None:
    made, seen = page
    made.evaluate("""() => {
        for (const [tag, name, value] of [
            ["script", "textContent", "alert(1)"], ["img", "src", "http://127.0.0.1:1/"],
            ["iframe", "src", "http://127.0.0.1:1/"],
        ]) {
            const made = document.createElement(tag);
            try { made[name] = value; } catch { continue; }
            document.body.append(made);
        }
    }""")
    made.wait_for_timeout(200)
    assert seen.problems
    refused = ("Content Security Policy", "TrustedScript")
    assert [p for p in seen.problems if not any(word in p for word in refused)] == []
    seen.problems.clear()


HTML = """<!doctype html><title>x</title><p id="text"></p><script>
const found = ["script"];
try { found.push(parent.document.title); } catch { found.push("no parent"); }
try { found.push(localStorage.length); } catch { found.push("no storage"); }
fetch(location.href.replace(/file.*/, "summary")).then(() => "data", () => "no data")
  .then((text) => { document.getElementById("text").textContent = [...found, text].join(", "); });
</script>"""
BACKEND = f"""
from inception_dsl.backend import Backend
BACKEND = Backend(
    name="pages", title="Pages", suffix=".html", documents=True,
    emit=lambda typed, request, report: {{f"{{request.name}}.html": {HTML!r}}},
)
"""
METADATA = "Metadata-Version: 2.1\nName: pages\nVersion: 1\n"
POINTS = "[inception_dsl.backends]\npages = pages:BACKEND\n"


def test_the_page_of_a_backend_is_in_a_sandbox(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its scripts run, but reach neither the page around it nor the server."""
    about = tmp_path / "pages-1.dist-info"
    about.mkdir()
    (tmp_path / "net.yaml").write_text(NET, encoding="utf-8")
    (tmp_path / "pages.py").write_text(BACKEND, encoding="utf-8")
    (about / "METADATA").write_text(METADATA, encoding="utf-8")
    (about / "entry_points.txt").write_text(POINTS, encoding="utf-8")
    known = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [known, str(tmp_path)])))
    page = browser.new_page()
    with Served(tmp_path, "net.yaml") as server:
        page.goto(server.url)
        expect(page.locator("#backend option[value=pages]")).to_have_count(1)
        page.locator("#backend").select_option("pages")
        text = page.frame_locator("#pane .pages:not(.next) iframe:not(.next)").locator("#text")
        expect(text).to_have_text("script, no parent, no storage, no data")
    page.close()


def test_the_page_reconnects(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(NET, encoding="utf-8")
    page = browser.new_page()
    with Served(tmp_path, "net.yaml") as first:
        page.goto(first.url)
        expect(page.locator("#title")).to_have_text("A small net")
        expect(page.locator("#status")).to_have_text("Follows the files")
    expect(page.locator("#status")).to_have_text("No connection: reconnecting")
    written(tmp_path / "net.yaml", NET.replace("small", "later"))
    with Served(tmp_path, "net.yaml", port=first.port):
        expect(page.locator("#title")).to_have_text("A later net")
        expect(page.locator("#status")).to_have_text("Follows the files")
    shutil.rmtree(tmp_path / "config")
    with Served(tmp_path, "net.yaml", port=first.port):
        expect(page.locator("#status")).to_contain_text("open the address that the command prints")
    page.close()
