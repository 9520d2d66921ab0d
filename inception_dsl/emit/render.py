"""Jinja, so set up that only source reaches a file.

Templates hold the silhouette of a generated file; every string they print is a :class:`~.pycode.Code`, or the build
fails.
"""

from __future__ import annotations

from typing import Any

from .pycode import Code


def _source_only(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Code):
        raise TypeError(f"a template prints text that is not marked as source: {value[:40]!r}")
    return value


def render(package: str, template: str, **values: Any) -> str:
    """The template of a backend package, filled in."""
    import jinja2  # half of a cold start, and only a build needs it

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        undefined=jinja2.StrictUndefined,
        finalize=_source_only,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template(template).render(**values)
