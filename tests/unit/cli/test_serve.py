"""The command that serves the page beside the editor, which needs packages of its own."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from served import NET, SECONDS, Served

from inception_dsl.cli import main
from inception_dsl.cli.serve import _has_display
from inception_dsl.cli.serve import serve as command
from inception_dsl.editor.page.access import KEPT, new_token, token_in
from inception_dsl.editor.page.server import PORT, TRIED, listening

QUICK = 5  # seconds; ending takes a tenth of one


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["serve", "--no-browser", *arguments])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a spec."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.yaml").write_text(NET, encoding="utf-8")
    return tmp_path


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that is in use."""
    with listening(0) as used:
        yield used.getsockname()[1]


@pytest.mark.parametrize("package", ["pygments", "starlette", "uvicorn"])
def test_without_the_extra_there_is_one_error(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    done = run("net.yaml")
    assert done.exit_code == 1
    assert f"error[E705]: cannot import the package `{package}`" in done.stderr
    assert "pip install 'inception-dsl[serve]'" in done.stderr
    assert "Traceback" not in done.output


def test_other_commands_do_not_import_it() -> None:
    code = """
import sys
from inception_dsl.cli import main
main(["check", "v0"], standalone_mode=False)
assert not {"starlette", "uvicorn", "pygments", "asyncio"} & {*sys.modules}
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_port_in_use_is_an_error(taken: int) -> None:
    done = run("net.yaml", "--port", str(taken))
    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: port {taken}: address already in use\n")
    assert "`--port 0` uses a free port" in done.stderr


def test_by_default_the_next_port_is_tried() -> None:
    """As Jupyter and TensorBoard do; a port that is named is meant."""
    used: list[socket.socket] = []
    try:
        while True:
            used.append(listening(None))
            assert PORT <= used[-1].getsockname()[1] < PORT + TRIED
    except OSError:
        done = run("net.yaml")
        assert f"error: ports {PORT} to {PORT + TRIED - 1}: address" in done.stderr
    finally:
        for one in used:
            one.close()
    assert used


@pytest.mark.parametrize(
    ("arguments", "text", "status"),
    [
        (["none.yaml"], "error[E101]: no such file: none.yaml", 1),
        (["net.yml"], "did you mean `net.yaml`?", 1),
        (["net.yaml", "--baseline", "none.yaml"], "error[E101]: no such file: none.yaml", 1),
        (["v77"], "no such file or shipped spec", 1),
        (["-"], "standard input cannot be followed", 2),
        (["net.yaml", "--baseline", "-"], "standard input cannot be followed", 2),
        ([], "missing argument `SPEC...`", 2),
        (["net.yaml", "--port", "65536"], "expected an integer >= 0 and <= 65535", 2),
        (["net.yaml", "--port", "x"], "invalid value for `--port`", 2),
        (["."], "", 2),
    ],
)
def test_wrong_arguments(arguments: list[str], text: str, status: int, taken: int) -> None:
    given = arguments if "--port" in arguments else ["--port", str(taken), *arguments]
    done = run(*given)
    assert (done.exit_code, text in done.stderr) == (status, True), done.stderr
    assert "Traceback" not in done.output


def test_ctrl_c_ends_it_quickly_and_leaves_nothing(folder: Path) -> None:
    """Also while a page is open and a large spec is compiled."""
    with Served(folder, "net.yaml", "v4", "v3") as server:
        states = server.states()
        next(states)
        start = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - start < QUICK
        assert server.errors == ""
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", server.port)).close()
    left = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    assert left == ["config/inception-dsl/serve-token", "errors.txt", "net.yaml"]


@pytest.mark.parametrize("example", command.examples)
def test_the_examples_run(example: str, folder: Path) -> None:
    author = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    for words in (("init", "-q"), ("add", "net.yaml"), (*author, "commit", "-q", "-m", "x")):
        subprocess.run(("git", *words), cwd=folder, check=True)
    _, name, *given = shlex.split(example.partition(" # ")[0])
    assert name == "serve"
    with Served(folder, *given) as server:
        state = server.ready()
        assert [one["errors"] for one in state["specs"]] == [0] * len(state["specs"])
        assert state["baseline"] is None or state["baseline"]["good"]


def test_a_page_reconnects_to_the_next_server(folder: Path) -> None:
    with Served(folder, "net.yaml") as first:
        first.ready()
    with Served(folder, "net.yaml", port=first.port) as second:
        assert second.url == first.url
        assert second.ready()["specs"][0]["good"]


def test_a_spec_with_errors_is_served(folder: Path) -> None:
    (folder / "net.yaml").write_text("network: net\n", encoding="utf-8")
    with Served(folder, "net.yaml") as server:
        assert server.ready()["specs"][0]["errors"]


def test_the_token_is_kept_for_the_user_only(tmp_path: Path) -> None:
    file = tmp_path / "new" / "token"
    token = token_in(file)
    assert len(token) == 43
    assert token_in(file) == token
    assert file.stat().st_mode & 0o777 == 0o600
    assert [*file.parent.iterdir()] == [file]


@pytest.mark.parametrize("what", ["readable", "old", "future", "link", "short", "binary", "fifo"])
def test_a_token_that_others_may_know_is_not_used(what: str, tmp_path: Path) -> None:
    file, known = tmp_path / "token", new_token()
    file.write_text(known)
    file.chmod(0o600)
    match what:
        case "readable":
            file.chmod(0o640)
        case "old" | "future":
            then = time.time() + (-KEPT - 60 if what == "old" else 3600)
            os.utime(file, (then, then))
        case "link":
            file.rename(tmp_path / "other")
            file.symlink_to(tmp_path / "other")
        case "short":
            file.write_text(known[:-1])
        case "binary":
            file.write_bytes(b"\xff" * 43)
        case "fifo":
            file.unlink()
            os.mkfifo(file, 0o600)
    token = token_in(file)
    assert token != known and len(token) == 43
    assert token_in(file) == token


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    tokens = {token_in(tmp_path / "file" / "token") for _ in range(2)}
    assert len(tokens) == 2


def test_the_browser_gets_an_address_that_works_once(folder: Path) -> None:
    script = folder / "browser"
    script.write_text('#!/bin/sh\necho "$1" > opened.new && mv opened.new opened\n')
    script.chmod(0o755)
    with Served(folder, "net.yaml", browser=f"{script} %s") as server:
        end = time.monotonic() + SECONDS
        while not (folder / "opened").exists() and time.monotonic() < end:
            time.sleep(0.05)
        address = (folder / "opened").read_text().strip()
        assert server.token not in address
        path = address.removeprefix(f"http://{server.host}")
        answer = server.ask(path)
        assert (answer.status, answer.headers["location"]) == (303, f"/{server.token}/")
        assert server.ask(path).status == 403


def test_a_browser_needs_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not _has_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert _has_display()
