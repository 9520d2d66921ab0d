"""Connections without the token do not keep the page from those that have it."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import NET, SECONDS, Served

from inception_dsl.editor.page.connections import MAX_CONNECTIONS, MAX_SECONDS, MAX_STRANGERS

MANY = 200
QUICK = 5  # seconds; an answer takes a hundredth of one
HALF = "GET / HTTP/1.1\r\nHost: {host}\r\nX-Half: "
REFUSED = "GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of one spec."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "net.yaml").write_text(NET, encoding="utf-8")
    with Served(folder, "net.yaml") as server:
        server.ready()
        yield server


@contextlib.contextmanager
def sockets(served: Served, count: int, text: str = "") -> Iterator[list[socket.socket]]:
    """Open connections that have sent ``text`` and read nothing."""
    sent = text.format(host=served.host, token=served.token).encode()
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            one = socket.create_connection(("127.0.0.1", served.port), SECONDS)
            found.append(stack.enter_context(one))
            one.sendall(sent)
        yield found


def closed(one: socket.socket, seconds: float) -> bool:
    """Whether the server closes a connection within some seconds."""
    one.settimeout(seconds)
    try:
        while one.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


@pytest.mark.parametrize("text", ["", HALF, REFUSED * 50], ids=["silent", "half", "refused"])
def test_strangers_do_not_keep_others_out(text: str, served: Served) -> None:
    with sockets(served, MANY, text) as open_ones:
        start = time.monotonic()
        assert served.ask("").status == 200
        assert served.ask("0/summary").status == 200
        assert next(served.states())["specs"][0]["good"]
        assert time.monotonic() - start < QUICK
        assert closed(open_ones[0], QUICK)  # the oldest, as there are too many
        if not text:
            assert not closed(open_ones[-1], 0.2)


@pytest.mark.parametrize("text", ["", HALF], ids=["silent", "half"])
def test_a_connection_has_some_seconds_to_show_the_token(text: str, served: Served) -> None:
    with sockets(served, 1, text) as (one,):
        assert not closed(one, MAX_SECONDS / 2)
        assert closed(one, MAX_SECONDS)


def test_a_header_that_never_ends_is_cut_off(served: Served) -> None:
    """A byte now and then does not give it more time."""
    with sockets(served, 1, HALF) as (one,):
        start = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - start < 3 * MAX_SECONDS:
                one.sendall(b"x")
                time.sleep(0.2)
        assert time.monotonic() - start < MAX_SECONDS + QUICK


def test_an_open_page_stays_connected(served: Served) -> None:
    states = served.states()
    next(states)
    with sockets(served, MAX_STRANGERS + 10):
        time.sleep(MAX_SECONDS + 1)
    net = served.folder / "net.yaml"
    net.write_text(NET.replace("small", "later"), encoding="utf-8")
    assert any(one["specs"][0]["about"][0] == "A later net" for one in states)
    net.write_text(NET, encoding="utf-8")


def test_many_pages_are_refused_and_those_that_close_make_room(served: Served) -> None:
    events = "GET /{token}/events HTTP/1.1\r\nHost: {host}\r\n\r\n"
    with sockets(served, MAX_CONNECTIONS, events) as streams:
        for one in streams:
            assert one.recv(12) == b"HTTP/1.1 200"
        answer = served.ask("")
        assert (answer.status, answer.body) == (503, b"too many connections: close other pages\n")
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    end = time.monotonic() + QUICK  # all of them have vanished
    while served.ask("").status != 200:
        assert time.monotonic() < end


def test_it_ends_although_nobody_reads(tmp_path: Path) -> None:
    """With silent connections, and a client that asks for much and reads none of it."""
    (tmp_path / "net.yaml").write_text(NET, encoding="utf-8")
    page = "GET /{token}/ HTTP/1.1\r\nHost: {host}\r\n\r\n"
    with Served(tmp_path, "net.yaml") as server:
        server.ready()
        with sockets(server, 20), sockets(server, 5, HALF), sockets(server, 2, page * 2000):
            assert server.ask("").status == 200
            start = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - start < QUICK
            assert server.errors == ""
