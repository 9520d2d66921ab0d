"""Where every weight of a spec is stored in the generated model."""

from __future__ import annotations

from inception_dsl.backend import Binding, TypedProgram
from inception_dsl.backend import boundaries as compared

from .views import build


def bindings(typed: TypedProgram) -> tuple[Binding, ...]:
    """A binding for every weight; the key is its name in the ``state_dict``."""
    refs = build(typed).refs()
    return tuple(Binding("/".join(r.path), ".".join(r.key), r.layout) for r in refs if r.layout)


def boundaries(typed: TypedProgram) -> dict[str, str]:
    """The module names of all block instances, and of all top-level steps that are modules, by
    path.
    """
    paths = compared(typed)
    refs = (r for r in build(typed).refs() if not r.layout and r.path in paths)
    return {"/".join(r.path): ".".join(r.key) for r in refs}
