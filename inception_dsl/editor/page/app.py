"""The addresses of the page and of its data. No address is the path of a file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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
_SCRIPTS: Final = ("page.js", "panes.js", "places.js")
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
    text, style, *scripts = (
        folder.joinpath(name).read_text("utf-8") for name in ("page.html", "page.css", *_SCRIPTS)
    )
    script = "\n".join(scripts)
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

    routes = [Route("/", opened), Route("/events", events), Route("/compared", compared)]
    return Starlette(routes=[*routes, *_panes(session)])


def _panes(session: Session) -> Iterator[Route]:
    """The addresses of what belongs to one spec, by its number."""

    def route(name: str, made: Callable[[Version, Request], Awaitable[Response | None]]) -> Route:
        async def answer(request: Request) -> Response:
            spec, backend = request.path_params["spec"], request.path_params.get("backend")
            version, tried = session.good(spec), None
            while version is not None and version is not tried and backend in known():
                if (found := await made(version, request)) is not None:
                    return found
                version, tried = session.good(spec), version  # a newer one, if that is outdated
            raise HTTPException(404)

        return Route(f"/{{spec:int}}/{name}", answer)

    def known() -> list[str | None]:
        return [None, *session.backends]

    async def summary(version: Version, _: Request) -> Response | None:
        return _found(await session.summary(version))

    async def difference(version: Version, _: Request) -> Response | None:
        return _found(await session.difference(version))

    async def files(version: Version, request: Request) -> Response | None:
        return _found(await session.emitted(version, *_wanted(request)))

    async def file(version: Version, request: Request) -> Response | None:
        name, theme = _wanted(request)
        backend = session.backends[name][1]
        wanted = request.query_params.get("file", "")
        content = await session.file(version, name, theme, wanted)
        if content is None or not backend.documents or backend.suffix not in _FILES:
            return None
        kind, policy = _FILES[backend.suffix]
        return Response(content, media_type=kind, headers={"Content-Security-Policy": policy})

    yield route("summary", summary)
    yield route("difference", difference)
    yield route("files/{backend}", files)
    yield route("file/{backend}", file)


def _wanted(request: Request) -> tuple[str, str]:
    """The backend and the theme that a request names."""
    return request.path_params["backend"], request.query_params.get("theme", "")


def _found(data: Json) -> Response | None:
    return None if data is None else JSONResponse(data)


async def _stream(session: Session) -> AsyncIterator[str]:
    """Server-sent events; a page that loses the connection waits for `retry` milliseconds."""
    yield "retry: 500\n\n"
    async for state in session.states():
        yield f"data: {state}\n\n"
