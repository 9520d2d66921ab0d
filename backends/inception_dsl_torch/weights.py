"""Where every weight of a spec is stored in the generated model."""

from __future__ import annotations

from typing import NamedTuple

from inception_dsl.backend import Binding, TypedProgram, visit_program
from inception_dsl.backend import boundaries as compared

from .places import Key
from .views import build


def bindings(typed: TypedProgram) -> tuple[Binding, ...]:
    """A binding for every weight; the key is its name in the ``state_dict``."""
    refs = build(typed).refs()
    return tuple(Binding("/".join(r.path), ".".join(r.key), r.layout) for r in refs if r.layout)


class Called(NamedTuple):
    """A module, and the index of one of its calls."""

    module: str
    call: int


def boundaries(typed: TypedProgram) -> dict[str, Called]:
    """The calls of all block instances, and of all top-level steps that are modules, by path."""
    built, paths = build(typed), compared(typed)
    modules = {ref.path: ".".join(ref.key) for ref in built.refs() if not ref.layout}
    calls: dict[str, dict[Key, None]] = {}
    found = {}
    for path, _, own in visit_program(built.printed):
        if own in modules:
            called = calls.setdefault(modules[own], {})
            called.setdefault(path)  # a block may have the path of its only step
            if path in paths:
                found["/".join(path)] = Called(modules[own], [*called].index(path))
    return found
