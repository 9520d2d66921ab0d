"""Mermaid itself draws the flowcharts, with the settings that pages have by default."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from inception_dsl_documents import MERMAID
from npm import installed
from paths import ROOT

from inception_dsl.backend import Report, Request, main_text
from inception_dsl.compiler import compile_spec

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

VERSION = "11.12.0"
FILES = sorted((ROOT / "generated/mermaid").glob("*"))
DRAW = """async text => {
  const {svg} = await mermaid.render("figure", text);
  document.body.innerHTML = svg;
  return [...document.querySelectorAll(".node .nodeLabel")].map(node => node.innerText);
}"""
# every name is a word of Mermaid
WORDS = """\
network: graph
input: {channels: 3, height: 8, width: 8}
body:
  - name: subgraph
    merge: add
    branches:
      end: [{op: conv, name: flowchart, filters: 3, kernel_size: 3}]
      style: [{op: activation, name: click, function: relu}]
      direction: []
"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page with Mermaid."""
    found = browser.new_page()
    found.add_script_tag(path=installed("mermaid", VERSION) / "mermaid/dist/mermaid.min.js")
    found.evaluate("mermaid.initialize({startOnLoad: false})")
    yield found
    found.close()


def drawn(page: Page, text: str) -> list[str]:
    """The texts of the boxes that Mermaid draws; raises an error if it cannot read the text."""
    found: list[str] = page.evaluate(DRAW, text)
    return found


@pytest.mark.parametrize(
    "path", sorted((ROOT / "generated/mermaid").glob("*")), ids=lambda p: p.stem
)
def test_all_boxes_and_lines_are_drawn(path: Path, page: Page) -> None:
    text = path.read_text(encoding="utf-8")
    nodes = [line for line in text.splitlines() if line.strip().startswith("n") and '"' in line]
    assert len(drawn(page, text)) == len(nodes) > 5
    assert page.locator("path.flowchart-link").count() == text.count(" --> ")
    assert page.locator("g.cluster").count() == text.count("subgraph ")


def test_names_are_no_words_of_the_format(page: Page, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(WORDS)
    typed = compile_spec(str(tmp_path / "net.yaml"), {}, Report())
    assert typed is not None
    texts = drawn(page, main_text(MERMAID.emit(typed, Request("net"), Report()) or {}))
    assert texts == ["input\n8×8×3", "3×3 conv\n3", "ReLU", "add", "output\n8×8×3"]
