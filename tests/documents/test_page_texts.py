"""Texts of a spec in a page are texts: nothing of them is markup, and nothing runs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser import Opened
from payloads import FREE, SPEC, TAKEN, written

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report

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
