"""Renders Jinja templates, which may print only values of type :class:`~.pycode.Code`.

Any other string makes the build fail, so that text from a spec cannot become source.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ..types.prose import Prose
from .pycode import Code


def _source_only(value: Any) -> Any:
    if isinstance(value, str | Prose) and not isinstance(value, Code):
        raise TypeError(f"a template prints text that is not `Code`: {repr(value)[:60]}")
    return value


@cache
def _environment(package: str) -> Any:
    import jinja2  # slow to import, and only builds need it

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
    """Render a template of a backend package."""
    text: str = _environment(package).get_template(template).render(**values)
    return text
