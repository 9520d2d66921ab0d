"""The options of figures."""

from __future__ import annotations

from typing import Final

from inception_dsl.backend import Option

DIRECTION: Final = Option("direction", ("up", "down"), "figures: the input is below, or above")
THEME: Final = Option("theme", ("light", "dark", "transparent"), "figures: colours")
LAYOUT: Final = Option("layout", ("picture", "standalone"), "TikZ: to be included, or a document")
PAGE_THEME: Final = Option("theme", ("auto", "light", "dark"), "pages: colours")
