"""Jinja, so set up that only source reaches a file.

Templates hold the silhouette of a generated file; every string they print is a
:class:`~.pycode.Code`, or the build fails.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ..types.prose import Prose
from .pycode import Code


def _source_only(value: Any) -> Any:
    if isinstance(value, str | Prose) and not isinstance(value, Code):
        raise TypeError(f"a template prints text that is not marked as source: {repr(value)[:60]}")
    return value


@cache
def _environment(package: str) -> Any:
    import jinja2  # a large part of a cold start, and only a build needs it

    return jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        undefined=jinja2.StrictUndefined,
        finalize=_source_only,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        auto_reload=False,
    )


def render(package: str, template: str, **values: Any) -> str:
    """The template of a backend package, filled in."""
    text: str = _environment(package).get_template(template).render(**values)
    return text
