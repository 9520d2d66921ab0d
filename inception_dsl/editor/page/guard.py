"""Who may read the page: requests with the token, from the page itself.

Any site that is open in a browser can send requests to this computer. Without the token they get
nothing; the name of the host must be that of this computer, so that a site cannot have its own
name point here (DNS rebinding); and the page of another site cannot be their origin.
"""

from __future__ import annotations

import secrets
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .connections import CONNECTION

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of every answer."""
NOTHING: Final = "sandbox; default-src 'none'"
"""The policy of answers that set no other one."""


class Guard:
    """Refuses requests, and adds headers to answers; an ASGI application around another.

    ``once`` opens the page once, so that the address that is given to the browser's process is of
    no use to others who can see it.
    """

    def __init__(self, app: ASGIApp, token: str, port: int, once: str = "") -> None:
        self.app, self.token, self.once = app, token, once
        names = ("127.0.0.1", "localhost")
        self.hosts = {f"{name}:{port}" for name in names}
        self.hosts |= {*names} if port == 80 else set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                added = {**HEADERS, "Content-Security-Policy": NOTHING}
                pairs = ((k.lower().encode(), v.encode()) for k, v in added.items())
                message["headers"] += [pair for pair in pairs if pair[0] not in own]
            await send(message)

        answer = self._answer(scope)
        if answer is None:
            scope = {**scope, "path": scope["path"][len(self.token) + 1 :]}
            await self.app(scope, receive, sent)
        else:
            await answer(scope, receive, sent)

    def _answer(self, scope: Scope) -> Response | None:
        """The answer to a request that the application does not get."""
        if problem := self._problem(scope):
            return PlainTextResponse(f"refused: {problem}\n", 403)
        _, first, rest = (*scope["path"].split("/", 2), "")[:3]
        if self.once and _same(first, self.once) and not rest:
            self.once = ""
            return RedirectResponse(f"/{self.token}/", 303)
        if not _same(first, self.token):
            return PlainTextResponse("refused: open the address that the command prints\n", 403)
        connection = scope.get("state", {}).get(CONNECTION)
        if connection is not None and not connection.trust():
            return PlainTextResponse("too many connections: close other pages\n", 503)
        if scope["method"] != "GET":
            return PlainTextResponse("only GET is allowed\n", 405, {"Allow": "GET"})
        return None

    def _problem(self, scope: Scope) -> str:
        """What is wrong with where a request comes from, or goes to."""
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return "the host is not this computer"
        if any(origin != f"http://{hosts[0]}" for origin in origins):
            return "another site asks"
        site, mode = headers.get("sec-fetch-site", ""), headers.get("sec-fetch-mode", "")
        if site in ("cross-site", "same-site") and mode != "navigate":
            return "another site asks"
        return ""


def _same(given: str, secret: str) -> bool:
    return secrets.compare_digest(given.encode(errors="surrogatepass"), secret.encode())
