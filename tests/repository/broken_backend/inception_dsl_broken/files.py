"""Backends whose files are wrong in one way each, and some whose files are right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inception_dsl.backend import Backend, Report, Request, TypedProgram


def _giving(name: str, files: Callable[[str], Any], suffix: str = ".py") -> Backend:
    """A backend that gives what ``files`` makes of the stem."""

    def emit(typed: TypedProgram, request: Request, report: Report) -> Any:
        return files(request.name)

    return Backend(name=name, title=name.title(), emit=emit, suffix=suffix)


MAIN = "x = 1\n"
EMPTY = _giving("empty", lambda stem: {})
TEXT = _giving("plain_text", lambda stem: MAIN)
NUMBER = _giving("number", lambda stem: {f"{stem}.py": 7})
LIST = _giving("list", lambda stem: [f"{stem}.py"])
STEM = _giving("stem", lambda stem: {"other.py": MAIN})
FIRST = _giving("first", lambda stem: {f"{stem}_more.py": MAIN, f"{stem}.py": MAIN})
SUFFIX = _giving("suffix", lambda stem: {f"{stem}.txt": MAIN})
BESIDE = _giving("beside", lambda stem: {f"{stem}.py": MAIN, "weights.bin": b""})
PATH = _giving("path", lambda stem: {f"{stem}.py": MAIN, f"{stem}/../../x.py": MAIN})
BACKSLASH = _giving("backslash", lambda stem: {f"{stem}.py": MAIN, f"{stem}\\x.py": MAIN})
ABSOLUTE = _giving("absolute", lambda stem: {f"/tmp/{stem}.py": MAIN})
CONTROL = _giving("control", lambda stem: {f"{stem}.py": MAIN, f"{stem}\x1b[31m\n": MAIN})
KEY = _giving("key", lambda stem: {f"{stem}.py": MAIN, 7: MAIN})
HALF = _giving("half", lambda stem: {f"{stem}.py": f"{MAIN}y = '\ud83d'\n"})
SEVERAL = _giving(
    "several", lambda stem: {f"{stem}.py": MAIN, f"{stem}-a.b.bin": b"\0\xff", f"{stem}_c": ""}
)
BYTES = _giving("bytes", lambda stem: {f"{stem}.pb": b"\0\xff\r\n"}, suffix=".pb")
