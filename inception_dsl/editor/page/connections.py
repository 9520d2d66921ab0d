"""The connections to the page: those that do not show the token cannot keep others out.

Any program or site on this computer can connect. What sends no request, a part of one, or requests
without the token gets a short time; of too many such connections the oldest are closed. Only
requests with the token count against the limit of the page.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any, Final

from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

MAX_CONNECTIONS: Final = 64
"""Connections that have shown the token, at the same time."""
MAX_STRANGERS: Final = 64
"""Connections that have not shown the token, at the same time."""
MAX_SECONDS: Final = 10
"""Seconds in which a connection has to show the token."""
_LAST: Final = 0.5
"""Seconds for what is still to be sent when the server ends."""
CONNECTION: Final = "connection"
"""Where the state of a request has its ``Connection``."""
_numbers: Final = itertools.count()


class Connection(H11Protocol):
    """A connection, which is closed unless it shows the token in time."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, CONNECTION: self}, _loop)
        self.number, self.trusted = next(_numbers), False
        self._limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the token."""
        super().connection_made(transport)
        self._limit = self.loop.call_later(MAX_SECONDS, transport.abort)
        strangers = [one for one in self._all() if not one.trusted]
        if len(strangers) > MAX_STRANGERS:
            min(strangers, key=lambda one: one.number).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._end_limit()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End with the server, also if nobody reads what is sent."""
        super().shutdown()
        self.loop.call_later(_LAST, self.transport.abort)

    def trust(self) -> bool:
        """Take note of a request with the token; false if there are too many connections."""
        if not self.trusted:
            if sum(one.trusted for one in self._all()) >= MAX_CONNECTIONS:
                return False
            self.trusted = True
            self._end_limit()
        return True

    def _end_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()

    def _all(self) -> list[Connection]:
        found = (one for one in self.connections if isinstance(one, Connection))
        return [one for one in found if not one.transport.is_closing()]
