"""The addresses of the page and of its data. No address is the path of a file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import resources
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from .panes import Json
from .results import Version
from .session import Session

_PAGE: Final = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src 'self'; "
    "img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_FILES: Final = {
    ".svg": ("image/svg+xml", "sandbox; default-src 'none'; style-src 'unsafe-inline'"),
    ".html": (
        "text/html",
        "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
        "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
    ),
}
"""The types and the policies of generated files: they load nothing, and are no part of the page."""


def page() -> tuple[str, str]:
    """The page and its policy: the only script and style are those in it."""
    folder = resources.files(__package__)
    text, script, style = (
        folder.joinpath(name).read_text("utf-8") for name in ("page.html", "page.js", "page.css")
    )
    policy = _PAGE.format(script=_digest(script), style=_digest(style))
    return text.replace("/* style */", style).replace("/* script */", script), policy


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def application(session: Session) -> Starlette:
    """The application, without its guard."""
    text, policy = page()
    session.page = _digest(text)

    async def opened(_: Request) -> Response:
        return HTMLResponse(text, headers={"Content-Security-Policy": policy})

    async def events(_: Request) -> Response:
        return StreamingResponse(_stream(session), media_type="text/event-stream")

    async def compared(_: Request) -> Response:
        return JSONResponse(await session.compared())

    def pane(made: Callable[[Version, Request], Awaitable[Json]]) -> Callable[..., object]:
        async def answer(request: Request) -> Response:
            version = session.good(request.path_params["spec"])
            found = None if version is None else await made(version, request)
            return _found(found)

        return answer

    async def emitted(version: Version, request: Request) -> Json:
        name = request.path_params["backend"]
        known = name in session.backends
        return await session.emitted(version, name, _theme(request)) if known else None

    async def file(request: Request) -> Response:
        version, name = session.good(request.path_params["spec"]), request.path_params["backend"]
        if version is None or name not in session.backends:
            raise HTTPException(404)
        backend = session.backends[name][1]
        wanted = request.query_params.get("file", "")
        content = await session.file(version, name, _theme(request), wanted)
        if content is None or backend.suffix not in _FILES or not backend.documents:
            raise HTTPException(404)
        kind, policy = _FILES[backend.suffix]
        return Response(content, media_type=kind, headers={"Content-Security-Policy": policy})

    return Starlette(
        routes=[
            Route("/", opened),
            Route("/events", events),
            Route("/compared", compared),
            Route("/{spec:int}/summary", pane(lambda v, _: session.summary(v))),
            Route("/{spec:int}/difference", pane(lambda v, _: session.difference(v))),
            Route("/{spec:int}/files/{backend}", pane(emitted)),
            Route("/{spec:int}/file/{backend}", file),
        ]
    )


def _found(data: Json) -> Response:
    if data is None:
        raise HTTPException(404)
    return JSONResponse(data)


def _theme(request: Request) -> str:
    return request.query_params.get("theme", "")


async def _stream(session: Session) -> AsyncIterator[str]:
    """Server-sent events; a page that loses the connection waits for `retry` milliseconds."""
    yield "retry: 500\n\n"
    async for state in session.states():
        yield f"data: {state}\n\n"
