"""Who may read the page beside the editor, and what of this computer it serves: only its data."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from served import NET, SECONDS, Served

from inception_dsl.editor.page.guard import Guard

TOKEN, ONCE = "t" * 43, "o" * 43
SECRET = "only for me"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of one spec, with another file beside it."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "net.yaml").write_text(NET, encoding="utf-8")
    (folder / "secret.txt").write_text(SECRET, encoding="utf-8")
    with Served(folder, "net.yaml") as server:
        server.ready()
        yield server


@pytest.mark.parametrize(
    "path", ["/", "/events", "/0/summary", "/t/", "//", "/favicon.ico", "/..", "/%00/"]
)
def test_without_the_token_there_is_nothing(path: str, served: Served) -> None:
    for method in ("GET", "HEAD", "POST", "OPTIONS"):
        answer = served.ask(path, method)
        assert answer.status == 403
        assert served.token.encode() not in answer.body
        assert "location" not in answer.headers


def test_a_part_of_the_token_is_not_enough(served: Served) -> None:
    for wrong in (served.token[:-1], f"{served.token}x", served.token.swapcase(), ""):
        assert served.ask(f"/{wrong}/").status == 403


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost",
        "[::1]:{port}",
    ],
)
def test_another_host_is_refused(host: str, served: Served) -> None:
    """DNS rebinding: the name of a site that resolves to this computer."""
    assert served.ask("", Host=host.format(port=served.port)).status == 403


def test_the_host_is_needed_once(served: Served) -> None:
    assert served.ask("", Host=[]).status in (400, 403)
    assert served.ask("", Host=[served.host, "evil.example"]).status in (400, 403)
    assert served.ask("", Host=f"localhost:{served.port}").status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", ""])
def test_another_origin_is_refused(origin: str, served: Served) -> None:
    assert served.ask("0/summary", Origin=origin).status == 403
    assert served.ask("0/summary", Origin=f"http://{served.host}").status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_may_only_link_to_it(site: str, served: Served) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
    assert served.ask("0/summary", **headers).status == 403
    assert served.ask("", **{**headers, "Sec-Fetch-Mode": "navigate"}).status == 200


def test_it_only_reads(served: Served) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
        assert served.ask("", method).status == 405


def test_other_sites_cannot_read_answers(served: Served) -> None:
    for path in ("", "0/summary", "/", "nothing", "0/file/svg?file=net.svg"):
        headers = served.ask(path).headers
        assert not [name for name in headers if name.startswith("access-control")]
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]


def test_the_page_loads_only_itself(served: Served) -> None:
    """Its policy allows one script and one style, which are in it, and data of this server."""
    answer = served.ask("")
    page, policy = answer.body.decode(), answer.headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == rules["frame-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe" not in policy
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert not re.findall(r"https?:|//[a-z]|\bsrc=|innerHTML|\son\w+=", page.replace(" // ", ""))


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "secret.txt",
        "net.yaml",
        "page.js",
        "0/files/../../secret.txt",
        "0/files/..%2f..%2fsecret.txt",
        "0/files/%00",
        "0/file/svg",
        "0/file/svg?file=../secret.txt",
        "0/file/svg?file=secret.txt",
        "0/file/svg?file=/etc/passwd",
        "0/file/secret.txt?file=secret.txt",
        "0/file/torch?file=net.py",
        "1/summary",
        "-1/summary",
        "99999999999999999999/summary",
        "0/difference",
    ],
)
def test_no_address_is_a_path(path: str, served: Served) -> None:
    answer = served.ask(path)
    assert answer.status == 404
    assert SECRET.encode() not in answer.body
    assert b"root:" not in answer.body


def test_figures_run_nothing(served: Served) -> None:
    answer = served.ask("0/file/svg?file=net.svg")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("image/svg+xml")
    rules = answer.headers["content-security-policy"].split("; ")
    assert rules == ["sandbox", "default-src 'none'", "style-src 'unsafe-inline'"]


def test_other_computers_cannot_connect(served: Served) -> None:
    """All addresses that begin with 127 are this computer: it listens on one of them."""
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", served.port), SECONDS)


def answered(guard: Guard, path: str) -> tuple[int, dict[str, str]]:
    """The status and the headers of an answer."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "headers": [(b"host", b"127.0.0.1:8210")],
    }
    asyncio.run(guard(scope, None, send))  # type: ignore[arg-type]
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers


async def inner(scope: Any, _: Any, send: Any) -> None:
    """An application that answers with the path that it gets."""
    body = json.dumps(scope["path"]).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def test_the_address_for_the_browser_opens_the_page_once() -> None:
    """Others on this computer may see the arguments of the browser's process."""
    guard = Guard(inner, TOKEN, 8210, ONCE)
    assert answered(guard, f"/{ONCE}/0/summary")[0] == 403
    status, headers = answered(guard, f"/{ONCE}")
    assert (status, headers["location"]) == (303, f"/{TOKEN}/")
    assert answered(guard, f"/{ONCE}")[0] == 403
    assert answered(guard, f"/{TOKEN}/")[0] == 200
    assert answered(Guard(inner, TOKEN, 8210), "/")[0] == 403
