"""What the page shows of specs, and that it follows their files; without a server."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from payloads import SPEC, TAKEN, TEXTS
from served import NET, Json, written

from inception_dsl.editor.page import panes, results
from inception_dsl.editor.page.files import read_since, state
from inception_dsl.editor.page.highlighting import MAX_CHARACTERS, pieces
from inception_dsl.editor.page.session import Session
from inception_dsl.editor.page.worker import Worker

BLOCK = "block: part\nsteps: [{op: conv_bn, filters: 8, kernel_size: 3}]\n"
USING = NET.replace("stem:", "import: [parts/part.yaml]\nstem:").replace(
    "body:", "body:\n  - {use: part, name: used}"
)
WRONG = NET.replace("filters: 16", "filtres: 16")
SECONDS = 60


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a spec."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    (tmp_path / "net.yaml").write_text(NET, encoding="utf-8")
    return tmp_path


class Page:
    """A session that runs, seen as the page sees it."""

    def __init__(self, session: Session) -> None:
        self.session, self.states = session, session.states()

    async def until(self, wanted: Callable[[Json], bool]) -> Json:
        """The first state that is ``wanted``."""
        async with asyncio.timeout(SECONDS):
            async for text in self.states:
                if wanted(found := json.loads(text)):
                    return found
        raise AssertionError("the session has ended")

    async def spec(self, wanted: Callable[[Json], bool], index: int = 0) -> Json:
        """The first state of a spec that is ``wanted`` and complete."""

        def complete(found: Json) -> bool:
            one = found["specs"][index]
            return bool(found["backends"]) and not one["busy"] and wanted(one)

        return (await self.until(complete))["specs"][index]


@asynccontextmanager
async def opened(*specs: str, baseline: str | None = None, **settings: str) -> AsyncIterator[Page]:
    session = Session(specs or ("net.yaml",), baseline, settings)
    following = asyncio.create_task(session.run())
    try:
        yield Page(session)
        assert not following.done(), following.exception()
    finally:
        following.cancel()
        session.close()


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def codes(one: Json) -> list[str]:
    return [d["code"] for d in one["diagnostics"]]


def test_a_save_is_followed() -> None:
    async def test() -> None:
        async with opened() as page:
            first = await page.spec(lambda one: one["good"])
            assert first["about"] == ["A small net", "(network net, input 32x32x3)"]
            assert codes(first) == []
            written(Path("net.yaml"), NET.replace("small", "large"))
            second = await page.spec(lambda one: one["about"][0] == "A large net")
            assert second["version"] > first["version"]

    run(test())


def test_an_error_keeps_the_last_good_version() -> None:
    async def test() -> None:
        async with opened() as page:
            first = await page.spec(lambda one: one["good"])
            written(Path("net.yaml"), WRONG)
            wrong = await page.spec(lambda one: one["errors"])
            assert wrong["good"] and wrong["stale"]
            assert wrong["version"] == first["version"]
            (found,) = wrong["diagnostics"]
            assert found["head"] == [
                ["error", "error[E201]"],
                ["strong", ": unknown field `filtres`"],
            ]
            text = "".join(part for _, part in found["text"])
            assert "--> net.yaml:5:19" in text
            assert "^^^^^^^" in text and "did you mean `filters`?" in text
            assert found["about"].startswith("E201: unknown field")
            version = page.session.good(0)
            assert version is not None
            assert (await page.session.summary(version))["table"]["lines"]
            written(Path("net.yaml"), NET)
            fixed = await page.spec(lambda one: not one["errors"])
            assert not fixed["stale"]
            assert fixed["version"] > wrong["version"]

    run(test())


def test_a_spec_with_errors_from_the_start() -> None:
    async def test() -> None:
        written(Path("net.yaml"), WRONG)
        async with opened() as page:
            wrong = await page.spec(lambda one: one["errors"])
            assert not wrong["good"] and not wrong["stale"]
            assert page.session.good(0) is None
            written(Path("net.yaml"), NET)
            assert (await page.spec(lambda one: one["good"]))["errors"] == 0

    run(test())


def test_imported_files_are_followed_also_missing_ones() -> None:
    part = Path("parts/part.yaml")

    async def test() -> None:
        written(Path("net.yaml"), USING)
        async with opened() as page:
            assert codes(await page.spec(lambda one: one["errors"]))[0] == "E301"
            written(part, BLOCK)
            first = await page.spec(lambda one: one["good"])
            for wrong, code in (
                (BLOCK.replace("filters: 8", "filters: 0"), "E203"),
                ("\x00", "E102"),
                ("a: [", "E103"),
            ):
                written(part, wrong)
                assert code in codes(await page.spec(lambda one: one["errors"]))
                written(part, BLOCK)
                await page.spec(lambda one: not one["errors"])
            part.write_bytes(b"\xff\xfe")
            assert codes(await page.spec(lambda one: one["errors"]))[0] == "E102"
            written(part, BLOCK)
            last = await page.spec(lambda one: not one["errors"])
            assert last["version"] > first["version"]

    run(test())


def test_an_extended_file_is_followed() -> None:
    async def test() -> None:
        Path("over.yaml").write_text("extends: net.yaml\ntitle: over\n")
        async with opened("over.yaml") as page:
            await page.spec(lambda one: one["good"])
            written(Path("net.yaml"), NET.replace("32, width: 32", "64, width: 64"))
            assert (await page.spec(lambda one: "64x64x3" in one["about"][1]))["errors"] == 0

    run(test())


def test_a_file_that_is_deleted_or_no_file() -> None:
    async def test() -> None:
        net = Path("net.yaml")
        async with opened() as page:
            await page.spec(lambda one: one["good"])
            net.unlink()
            gone = await page.spec(lambda one: one["errors"])
            assert codes(gone) == ["E101"] and gone["good"]
            net.mkdir()
            found = await page.spec(lambda one: "folder" in str(one["diagnostics"]))
            assert codes(found) == ["E101"]
            net.rmdir()
            os.mkfifo(net)  # reading it would wait for ever
            await page.spec(lambda one: "not a regular file" in str(one["diagnostics"]))
            net.unlink()
            written(net, NET)
            await page.spec(lambda one: not one["errors"])

    run(test())


def test_the_last_of_many_saves_counts() -> None:
    """Also if an editor empties the file before it writes the text."""

    async def test() -> None:
        net = Path("net.yaml")
        async with opened() as page:
            await page.spec(lambda one: one["good"])
            for number in range(40):
                net.write_text("")
                net.write_text(NET.replace("small", f"{number}th"))
                await asyncio.sleep(0.01)
            last = await page.spec(lambda one: "39th" in str(one["about"]))
            assert not last["errors"]

    run(test())


def test_a_save_while_it_compiles_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = results.compiled

    def slowly(*arguments: Any) -> Any:
        found = compiled(*arguments)
        time.sleep(0.3)
        return found

    monkeypatch.setattr(results, "compiled", slowly)

    async def test() -> None:
        async with opened() as page:
            await page.until(lambda found: found["specs"][0]["busy"])
            await asyncio.sleep(0.2)
            written(Path("net.yaml"), NET.replace("small", "second"))
            await page.spec(lambda one: "second" in str(one["about"]))

    run(test())


def test_a_new_file_that_changes_while_it_is_read_is_read_again() -> None:
    start = time.time_ns()
    old, new = Path("old.yaml"), Path("new.yaml")
    for file in (old, new):
        file.write_text("")
    long_ago = start - 10**11
    os.utime(old, ns=(long_ago, long_ago))
    known = read_since(start, {"net.yaml": (1,)}, ["net.yaml", "new.yaml", "none.yaml"])
    assert known["net.yaml"] == (1,)
    assert known["new.yaml"] != state("new.yaml")
    assert known["none.yaml"] is None
    later = read_since(time.time_ns() + 10**11, {}, ["new.yaml"])
    assert later["new.yaml"] == state("new.yaml")


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
            assert "net.yaml:1:1" in str(found["diagnostics"][0]["text"])

    run(test())


@pytest.mark.parametrize("payload", [p for p in TAKEN if p.startswith("text")])
def test_texts_of_a_spec_stay_text(payload: str) -> None:
    """Colours come from the program only; every other character is in the text."""
    Path("net.yaml").write_text(
        json.dumps({**SPEC, **dict.fromkeys(TEXTS, payload), "wrong": 1}), encoding="utf-8"
    )
    one = results.Followed("net.yaml", {})
    one.compile({})
    for found in panes.problems(one.report)["diagnostics"]:
        assert {kind for kind, _ in found["head"] + found["text"]} <= {
            *("", "error", "strong", "frame", "help", "warning")
        }
        assert "\x1b" not in "".join(text for _, text in found["head"] + found["text"])


def test_a_colour_in_a_text_is_no_colour() -> None:
    assert panes.painted("\x1b[1;31ma\x1b[0mb\x1b[99mc") == [("error", "a"), ("", "b"), ("", "c")]


def test_highlighting_keeps_every_character() -> None:
    for text in ("\n\nx = 1\n\n", "", "a\tb\r", "<b>&amp;</b>", "'unclosed", "\x0c\u2028"):
        assert "".join(part for _, part in pieces("a.py", text)) == text
    assert pieces("a.unknown", "<x>") == [("", "<x>")]
    long = "x = 1\n" * (MAX_CHARACTERS // 6 + 1)
    assert pieces("a.py", long) == [("", long)]


def test_the_worker_raises_what_work_raises_and_goes_on() -> None:
    async def test() -> None:
        worker = Worker()
        with pytest.raises(ZeroDivisionError):
            await worker.run(lambda: 1 // 0)
        late = asyncio.create_task(worker.run(lambda: time.sleep(0.1)))
        await asyncio.sleep(0.02)
        late.cancel()
        assert await worker.run(lambda: 2) == 2

    run(test())
