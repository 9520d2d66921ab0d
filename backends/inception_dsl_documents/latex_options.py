"""The options of the LaTeX backend."""

from __future__ import annotations

from typing import Final

from inception_dsl.backend import Option

LAYOUT: Final = Option(
    "layout",
    ("table", "tabular", "standalone"),
    "LaTeX: floating table, only the tabular, or a document",
)
WIDTH: Final = Option("width", ("column", "page"), "LaTeX: for a column, or a page with branches")
SIZE: Final = Option("size", ("output", "input"), "LaTeX: sizes of outputs or of inputs")
COUNTS: Final = Option(
    "counts", ("summary", "googlenet"), "LaTeX: all parameters, or kernels with K = 1024"
)
OPTIONS: Final = (LAYOUT, WIDTH, SIZE, COUNTS)
