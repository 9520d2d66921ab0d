"""The options of figures, pages and tables."""

from __future__ import annotations

from typing import Final

from inception_dsl.backend import Option

DIRECTION: Final = Option("direction", ("up", "down"), "figures: the input is below, or above")
THEME: Final = Option("theme", ("light", "dark", "transparent"), "figures: colours")
LAYOUT: Final = Option("layout", ("picture", "standalone"), "TikZ: to be included, or a document")
PAGE_THEME: Final = Option("theme", ("auto", "light", "dark"), "pages: colours")
TABLE_LAYOUT: Final = Option(
    "layout",
    ("table", "tabular", "standalone"),
    "LaTeX: floating table, only the tabular, or a document",
)
WIDTH: Final = Option("width", ("column", "page"), "LaTeX: for a column, or a page with branches")
SIZE: Final = Option("size", ("output", "input"), "LaTeX: sizes of outputs or of inputs")
COUNTS: Final = Option(
    "counts", ("summary", "googlenet"), "LaTeX: all parameters, or kernels with K = 1024"
)
