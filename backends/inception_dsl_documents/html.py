"""A network as a page to explore: one HTML file that loads nothing.

Texts of a spec are in a JSON element, from which the script makes texts, never markup. The Content
Security Policy allows the script and the style of the page by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any, Final

from inception_dsl.backend import (
    Code,
    Files,
    Report,
    Request,
    TypedProgram,
    generated_by,
    render,
)

from .options import DIRECTION, PAGE_THEME
from .page_data import page_data
from .page_style import packed, style

_SCRIPTS: Final = ("model", "layout", "figure", "view", "panel", "search", "heat", "main", "reader")
_MARKUP: Final = re.compile("[<>&\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SCHEMES: Final = {"auto": "light dark", "light": "light", "dark": "dark"}


def emit_html(typed: TypedProgram, request: Request, report: Report) -> Files:
    """The page of a program."""
    theme = request.value(PAGE_THEME)
    data = page_data(typed, up=request.value(DIRECTION) == "up")
    script, rules = _script(), style(theme)
    page = render(
        "inception_dsl_documents",
        "page.html.j2",
        mark=Code(generated_by(typed.program.id)),
        id=Code(typed.program.id),
        scheme=Code(_SCHEMES[theme]),
        style=Code(rules),
        style_hash=Code(_source_hash(rules)),
        script=Code(script),
        script_hash=Code(_source_hash(script)),
        data=Code(embedded(data)),
    )
    return {f"{request.name}.html": page}


def embedded(data: Any) -> str:
    """Data as JSON that ends no element and begins none, a line for each item of a chain."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    text = _MARKUP.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return text.replace('{"id":', '\n{"id":')  # so that git shows what has changed


def _script() -> str:
    parts = "\n".join(packed(f"{name}.js") for name in _SCRIPTS)
    return f'"use strict";\n(() => {{\n{parts}\n}})();'


def _source_hash(text: str) -> str:
    """What a Content Security Policy calls an element with this text."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
