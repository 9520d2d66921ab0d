"""Figures in the site: an SVG file for light and one for dark colours, of which one is shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import inception_dsl_documents

import inception_dsl
from inception_dsl.backend import Report, Request

FOLDER: Final = "gallery/figures"
THEMES: Final = ("light", "dark")
_SIZE: Final = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


def draw(network: inception_dsl.Network, stem: str, source: Path) -> dict[str, float]:
    """Write the figures of a network to the source of the site.

    Their names, each with its width divided by its height.
    """
    shapes: dict[str, float] = {}
    for theme in THEMES:
        request = Request(stem, {"theme": theme})
        files = inception_dsl_documents.SVG.emit(network.typed, request, Report())
        folder = source / FOLDER / theme
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in (files or {}).items():
            with (folder / file).open("x", encoding="utf-8") as new:  # names must differ
                new.write(str(text))
            size = _SIZE.search(str(text))
            assert size, file
            shapes[file.removesuffix(".svg")] = float(size[1]) / float(size[2])
    return shapes


def image(name: str, alt: str) -> str:
    """A figure in Markdown."""
    return " ".join(
        f"![{alt}](/{FOLDER}/{theme}/{name}.svg){{.only-{theme} .figure}}" for theme in THEMES
    )
