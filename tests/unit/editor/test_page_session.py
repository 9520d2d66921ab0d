"""What the page shows of specs, and that it follows their files; without a server."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from page_session import codes, opened, run
from served import NET, written
from starlette.types import ASGIApp, Message

from inception_dsl.editor.page import panes, results
from inception_dsl.editor.page.app import application
from inception_dsl.editor.page.files import read_since, state
from inception_dsl.editor.page.worker import Worker
from inception_dsl.ir.typed import TypedProgram

pytestmark = pytest.mark.usefixtures("folder")

BLOCK = "block: part\nsteps: [{op: conv_bn, filters: 8, kernel_size: 3}]\n"
USING = NET.replace("stem:", "import: [parts/part.yaml]\nstem:").replace(
    "body:", "body:\n  - {use: part, name: used}"
)
WRONG = NET.replace("filters: 16", "filtres: 16")


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
            text = "".join(part for _, part in found["excerpt"])
            assert found["where"] == "net.yaml:5:19"
            assert text.endswith("^^^^^^^") and "5 |   - {op: conv_bn, filtres: 16" in text
            assert found["advice"] == [
                [["frame", "="], ["", " "], ["help", "help"], ["", ": did you mean `filters`?"]]
            ]
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


def test_what_is_slow_to_draw_delays_no_save(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is drawn for a version that is outdated before its turn."""
    drawn, ended = [], threading.Event()

    def slowly(typed: TypedProgram) -> str:
        drawn.append(typed.program.about.title.plain)
        assert ended.wait(60)
        return "drawn"

    monkeypatch.setattr(panes, "summary", slowly)

    async def test() -> None:
        async with opened() as page:
            await page.spec(lambda one: one["good"])
            made = []
            for title in ("first", "second", "third"):
                written(Path("net.yaml"), NET.replace("A small net", title))
                await page.spec(lambda one, title=title: one["about"][0] == title)  # type: ignore[misc]
                version = page.session.good(0)
                assert version is not None
                made.append(asyncio.create_task(page.session.summary(version)))
                await asyncio.sleep(0.1)
            ended.set()
            assert await asyncio.gather(*made) == ["drawn", None, "drawn"]
            assert drawn == ["first", "third"]

    run(test())


def test_an_outdated_request_gets_the_newer_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page, which asks again anyway, never shows an answer with status 404 in between."""
    ended = threading.Event()

    def slowly(typed: TypedProgram) -> str:
        assert ended.wait(60)
        return typed.program.about.title.plain

    monkeypatch.setattr(panes, "summary", slowly)

    async def asked(app: ASGIApp, path: str) -> tuple[int, bytes]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            raise AssertionError("there is no body")

        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
        await app(scope, receive, send)
        return sent[0]["status"], b"".join(one.get("body", b"") for one in sent)

    async def test() -> None:
        async with opened() as page:
            await page.spec(lambda one: one["good"])
            app, made = application(page.session), []
            for title in ("first", "second", "third"):
                written(Path("net.yaml"), NET.replace("A small net", title))
                await page.spec(lambda one, title=title: one["about"][0] == title)  # type: ignore[misc]
                made.append(asyncio.create_task(asked(app, "/0/summary")))
                await asyncio.sleep(0.1)
            ended.set()
            expected = [(200, b'"first"'), (200, b'"third"'), (200, b'"third"')]
            assert await asyncio.gather(*made) == expected
            assert (await asked(app, "/1/summary"))[0] == 404
            assert (await asked(app, "/0/difference"))[0] == 404

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
