"""Fixtures for documents: one browser for each module, and pages in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import Opened, chromium
from inception_dsl_documents import HTML
from paths import ROOT

from inception_dsl.backend import Report, Request, main_text
from inception_dsl.compiler import compile_spec

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")  # while it is open, its event loop runs in the whole process
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """Opens a window of the browser; at the end, no page may have had a problem."""
    found: list[Opened] = []

    def opened(**settings: Any) -> Opened:
        found.append(Opened(browser, **settings))
        return found[-1]

    yield opened
    for one in found:
        one.context.close()
        assert one.problems == []


@pytest.fixture
def page_of(tmp_path: Path) -> Callable[..., Path]:
    """Writes the page of a spec to a file: a name in ``specs/``, or a path."""

    def page_of(spec: str | Path, **options: str) -> Path:
        path = spec if isinstance(spec, Path) else ROOT / "specs" / f"{spec}.yaml"
        report = Report()
        typed = compile_spec(path, {}, report)
        assert typed is not None, report.render()
        files = HTML.emit(typed, Request("page", options), report)
        assert files is not None
        file = tmp_path / f"{path.stem}.html"
        file.write_text(main_text(files), encoding="utf-8")
        return file

    return page_of
