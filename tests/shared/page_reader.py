"""A reader of the page beside the editor, who has a place in it, and an editor of its spec."""

from __future__ import annotations

from browser import until
from playwright.sync_api import FrameLocator, Locator, Page, expect
from served import Served, written

LINES = [f"  - {{op: conv_bn, name: c{n}, filters: {n + 8}, kernel_size: 3}}\n" for n in range(12)]
STEPS = "".join(LINES)
NET = f"""network: net
title: Version 1
input: {{channels: 3, height: 64, width: 64}}
blocks:
  part:
    params: {{filters: int}}
    steps:
      - {{op: conv_bn, filters: $filters, kernel_size: 1}}
      - {{op: conv_bn, filters: $filters, kernel_size: 3}}
stem:
{STEPS}body:
  - {{op: conv_bn, filters: 16, kernel_size: 1}}
  - {{op: max_pool, kernel_size: 3, stride: 2}}
  - {{use: part, filters: 24}}
  - {{op: conv_bn, filters: 40, kernel_size: 1}}
head: [{{op: global_avg_pool}}, {{op: dense, name: logits, units: 10}}]
"""
TALLER = NET.replace("stem:\n", "stem:\n" + "  - {op: conv_bn, filters: 4, kernel_size: 3}\n" * 20)
INSERTED = NET.replace("body:\n", "body:\n  - {op: conv_bn, filters: 20, kernel_size: 5}\n")


class Reader:
    """A reader of the page, and an editor of the spec."""

    def __init__(self, page: Page, served: Served) -> None:
        self.page, self.served, self.version = page, served, 1

    @property
    def figure(self) -> FrameLocator:
        """The page to explore."""
        return self.page.frame_locator("#pane .pages:not(.next) iframe:not(.next)")

    def box(self, id: str) -> Locator:
        return self.figure.locator(f'#shapes .box[data-id="{id}"]')

    def save(self, text: str) -> None:
        """Save another version, and wait until the pane has it."""
        self.version += 1
        before = int(self.page.locator("#pane").get_attribute("data-version") or 0)
        text = text.replace("Version 1", f"Version {self.version}")
        written(self.served.folder / "net.yaml", text)
        expect(self.page.locator("#title")).to_have_text(f"Version {self.version}")
        until(self.page, f"Number(document.getElementById('pane').dataset.version) > {before}")
        expect(self.page.locator("#pane iframe.next")).to_have_count(0)
        expect(self.page.locator("#pane")).not_to_have_class("waiting")

    def wrong(self, text: str, errors: str) -> None:
        """Save a version with errors, and wait until the page has them."""
        written(self.served.folder / "net.yaml", text)
        expect(self.page.locator("#problems-title")).to_have_text(errors)

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()
        expect(self.page.locator("#pane")).not_to_have_class("waiting")

    def transform(self) -> str:
        return str(self.figure.locator("#content").evaluate("e => e.style.transform"))

    def whole(self) -> bool:
        """Whether the whole figure is on its stage."""
        stage, content = (
            self.figure.locator(name).bounding_box() for name in ("#stage", "#content")
        )
        assert stage is not None and content is not None
        above = content["y"] - stage["y"]
        return above >= 0 and above + content["height"] <= stage["height"]

    def focused(self) -> str:
        """What has the focus: a step or an element of the page to explore, or of the page."""
        active = "document.activeElement"
        outer = str(self.page.evaluate(f"{active}.id || {active}.tagName"))
        if outer != "IFRAME":
            return outer
        return str(
            self.figure.locator("body").evaluate(f"() => {active}.dataset.id || {active}.id")
        )


def at(item: Locator) -> tuple[float, float]:
    found = item.bounding_box()
    assert found is not None
    return found["x"] + found["width"] / 2, found["y"] + found["height"] / 2


def zoom(reader: Reader, id: str, times: int = 6) -> None:
    """Zoom at a box with the wheel."""
    before = reader.transform()
    reader.page.mouse.move(*at(reader.box(id)))
    for _ in range(times):
        reader.page.mouse.wheel(0, -100)
    reader.page.wait_for_timeout(300)
    assert reader.transform() != before


def scrolled(item: Locator) -> list[int]:
    return list(item.evaluate("e => [Math.round(e.scrollLeft), Math.round(e.scrollTop)]"))
