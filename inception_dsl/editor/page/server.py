"""The server of the page: a port of this computer that only this computer can reach."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import Final

import uvicorn

from .access import new_token
from .app import application
from .connections import Connection
from .guard import Guard
from .session import Session

HOST: Final = "127.0.0.1"
PORT: Final = 8210
TRIED: Final = 10
"""As many ports from the default one up are tried if none is named."""
_BACKLOG: Final = 32
"""As many connections at most are accepted before one is looked at. With the limits on connections
these are fewer than 256, as many files as a process may open on macOS."""


def listening(port: int | None) -> socket.socket:
    """A socket that listens on ``port``, or by default on the first free one of some.

    Raises ``OSError`` if the port cannot be used.
    """
    wanted = range(PORT, PORT + TRIED) if port is None else (port,)
    for number in wanted:
        try:
            return _bound(number)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or number == wanted[-1]:
                raise
    raise AssertionError("there is a port to try")


def _bound(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":  # there the other option would let two servers have one port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # a port is free as soon as its server has ended
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((HOST, port))
        made.listen()
    except OSError:
        made.close()
        raise
    return made


class _Server(uvicorn.Server):
    """Ends the streams of the session with a signal: uvicorn would wait for them."""

    def __init__(self, config: uvicorn.Config, session: Session) -> None:
        super().__init__(config)
        self._session, self._loop = session, asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End the server."""
        super().handle_exit(sig, frame)
        self._loop.call_soon_threadsafe(self._session.close)


async def serve(
    session: Session, made: socket.socket, token: str, started: Callable[[str], None]
) -> None:
    """Serve the page until a signal ends it.

    ``started`` is called with an address that opens the page once.
    """
    port = made.getsockname()[1]
    once = new_token()
    app = Guard(application(session), token, port, once)
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        http=Connection,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config, session)
    following = asyncio.create_task(session.run())
    following.add_done_callback(lambda _: setattr(server, "should_exit", True))
    asyncio.get_running_loop().call_soon(started, f"http://{HOST}:{port}/{once}")
    try:
        await server.serve(sockets=[made])
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
