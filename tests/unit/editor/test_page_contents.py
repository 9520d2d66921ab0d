"""What the page beside the editor shows besides errors: backends, differences, settings."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from page_session import codes, opened, run
from served import NET, written

from inception_dsl.editor.page import panes, results

pytestmark = pytest.mark.usefixtures("folder")


def test_several_specs_and_a_baseline() -> None:
    async def test() -> None:
        Path("wide.yaml").write_text("extends: net.yaml\nwidth: 2\n")
        async with opened("net.yaml", "wide.yaml", "net.yaml", baseline="net.yaml") as page:
            await page.spec(lambda one: one["good"], 1)
            session = page.session
            assert [one.spec for one in session.specs] == ["net.yaml", "wide.yaml"]
            (table,) = (await session.compared())["tables"]
            assert [line["cells"][0] for line in table["lines"]] == ["net", "net"]
            net, wide = session.good(0), session.good(1)
            assert net is not None and wide is not None
            assert (await session.difference(net))["same"]
            different = await session.difference(wide)
            assert not different["same"] and len(different["tables"]) == 3

    run(test())


def test_a_baseline_of_git_follows_commits(folder: Path) -> None:
    def git(*arguments: str) -> None:
        settings = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        subprocess.run(("git", *settings, *arguments), check=True, capture_output=True)

    git("init")
    git("add", "net.yaml")
    git("commit", "-m", "first")
    written(folder / "net.yaml", NET.replace("filters: 16", "filters: 24"))

    async def test() -> None:
        async with opened(baseline="HEAD:net.yaml") as page:
            await page.spec(lambda one: one["good"])
            version = page.session.good(0)
            assert version is not None
            before = await page.session.difference(version)
            assert not before["same"] and before["tables"][0]["columns"][1] == "HEAD:net.yaml"
            number = (await page.until(lambda _: True))["baseline"]["version"]
            git("commit", "-am", "second")
            await page.until(lambda found: found["baseline"]["version"] > number)
            version = page.session.good(0)
            assert version is not None
            assert (await page.session.difference(version))["same"]

    page_of_nothing = "HEAD:none.yaml"
    run(test())

    async def missing() -> None:
        async with opened(baseline=page_of_nothing) as page:
            found = await page.until(lambda found: found["backends"])
            assert found["baseline"]["errors"] == 1
            version = page.session.good(0)
            assert version is not None
            assert await page.session.difference(version) is None

    run(missing())


def test_settings_apply() -> None:
    async def test() -> None:
        async with opened(input="64x48x3") as page:
            assert "64x48x3" in (await page.spec(lambda one: one["good"]))["about"][1]

    run(test())


def test_a_shipped_spec() -> None:
    async def test() -> None:
        async with opened("v0") as page:
            assert (await page.spec(lambda one: one["good"]))["name"] == "v0"

    run(test())


def test_an_internal_error_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with opened() as page:
            await page.spec(lambda one: one["good"])
            monkeypatch.setattr(results, "compiled", lambda *_: 1 / 0)
            written(Path("net.yaml"), f"{NET}#\n")
            failed = await page.spec(lambda one: one["failure"])
            assert failed["failure"].startswith("internal error: ZeroDivisionError: division")
            assert failed["good"] and failed["stale"]
            monkeypatch.setattr(panes, "summary", lambda _: 1 / 0)
            version = page.session.good(0)
            assert version is not None
            assert "ZeroDivisionError" in (await page.session.summary(version))["failure"]

    run(test())


def test_every_backend_is_shown() -> None:
    async def test() -> None:
        async with opened() as page:
            found = await page.until(lambda found: found["backends"])
            await page.spec(lambda one: one["good"])
            kinds = {one["name"]: one["kind"] for one in found["backends"]}
            assert kinds.items() >= {("torch", "text"), ("keras", "text"), ("svg", "figure")}
            version = page.session.good(0)
            assert version is not None
            for name in kinds:
                files = await page.session.emitted(version, name, "dark")
                assert files["files"] and not files["diagnostics"]
            torch = (await page.session.emitted(version, "torch", ""))["files"][0]
            text = "".join(part for _, part in torch["pieces"])
            assert text == page.session._emit(version, "torch", "").files["net.py"]
            assert ("keyword", "class") in torch["pieces"]
            dark = await page.session.file(version, "svg", "dark", "net.svg")
            light = await page.session.file(version, "svg", "light", "net.svg")
            assert dark is not None
            assert dark != light

    run(test())


def test_errors_of_a_backend_are_diagnostics(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with opened() as page:
            await page.spec(lambda one: one["good"])
            plugin, backend = page.session.backends["torch"]

            def emit(typed: Any, request: Any, report: Any) -> None:
                report.error("E503", "no convolutions", typed.program.origin.span(), help="none")

            page.session.backends["torch"] = plugin, backend._replace(emit=emit)
            version = page.session.good(0)
            assert version is not None
            found = await page.session.emitted(version, "torch", "")
            assert found["files"] == [] and codes(found) == ["E503"]
            assert found["diagnostics"][0]["where"] == "net.yaml:1:1"

    run(test())
