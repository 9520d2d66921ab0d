"""Where every weight of a spec lives in the generated model."""

from __future__ import annotations

from inception_dsl.backend import Binding, TypedProgram

from .views import build


def bindings(typed: TypedProgram) -> tuple[Binding, ...]:
    """A binding for every weight; the key is its name in the ``state_dict``."""
    refs = build(typed).refs
    return tuple(Binding("/".join(r.path), ".".join(r.key), r.layout) for r in refs if r.layout)


def boundaries(typed: TypedProgram) -> dict[str, str]:
    """The path of every used block, and the name of its module."""
    return {"/".join(r.path): ".".join(r.key) for r in build(typed).refs if not r.layout}
