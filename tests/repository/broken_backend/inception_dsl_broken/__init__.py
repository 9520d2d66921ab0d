"""Backends that load and are wrong, and backends that load and fail."""

from __future__ import annotations

import sys
from typing import NoReturn

from inception_dsl.backend import Backend, Files, Report, Request, TypedProgram


def _nothing(typed: TypedProgram, request: Request, report: Report) -> Files | None:
    return None


def _fails(typed: TypedProgram, request: Request, report: Report) -> NoReturn:
    raise KeyError("a\nb\x1b[31m")


def _leaves(typed: TypedProgram, request: Request, report: Report) -> NoReturn:
    sys.exit(3)


TYPE = "a text"
OLD = Backend(name="api", title="Old", emit=_nothing, api_version=1)
RENAMED = Backend(name="another", title="Renamed", emit=_nothing)
TORCH = Backend(name="torch", title="A second torch", emit=_nothing)
NOTHING = Backend(name="nothing", title="Nothing", emit=_nothing)
FAILS = Backend(name="fails", title="Fails", emit=_fails)
LEAVES = Backend(name="leaves", title="Leaves", emit=_leaves)
CAPITAL = Backend(
    name="Capital", title="A name that is a folder for some and another for others", emit=_nothing
)
ENDING = Backend(name="ending", title="Writes elsewhere", emit=_nothing, suffix="/../x.py")
UNCALLABLE = Backend(name="uncallable", title="Uncallable", emit="a text")  # type: ignore[arg-type]
