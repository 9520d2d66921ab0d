"""The style of the page: its colours, light and dark, and the rules that are the same in both."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from .heat import COLOURS, ink
from .palette import THEMES, Theme

_ACCENTS: Final = {
    "light": {"focus": "#0b57d0", "hit": "#b3006b", "rule": "#d5d9de", "shade": "#8a939e"},
    "dark": {"focus": "#8ab4f8", "hit": "#ff8ac4", "rule": "#343b44", "shade": "#6c7884"},
}
"""Of the focus, hits of the search, lines that divide the page, and edges that cut the figure."""


def style(theme: str) -> str:
    """The style sheet for a theme: ``light``, ``dark``, or ``auto`` for what the reader prefers."""
    first = ":root{" + _variables("dark" if theme == "dark" else "light") + "}"
    rules = [first]
    if theme == "auto":
        rules.append("@media (prefers-color-scheme:dark){:root{" + _variables("dark") + "}}")
    if theme != "light":
        rules.append("@media print{:root{" + _variables("light") + "}}")
    rules += [f".box.{role}{{--fill:var(--{role})}}" for role in THEMES["light"].fills]
    levels = range(len(COLOURS["light"]))
    rules += [f".box.h{n}{{--fill:var(--h{n});--ink:var(--i{n})}}" for n in levels]
    return "\n".join([*rules, packed("page.css")])


def colours(theme: str) -> Mapping[str, str]:
    """The colours of the page by name, of the theme ``light`` or ``dark``."""
    own: Theme = THEMES[theme]
    heat = {f"h{n}": colour for n, colour in enumerate(COLOURS[theme])}
    inks = {f"i{n}": ink(colour) for n, colour in enumerate(COLOURS[theme])}
    plain = {name: getattr(own, name) for name in Theme._fields if name != "fills"}
    fills = {str(role): colour for role, colour in own.fills.items()}
    return {**plain, **fills, **_ACCENTS[theme], **heat, **inks}


def packed(name: str) -> str:
    """A file of the page, without indentation and lines of comments, which pages do not need."""
    text = files(__package__).joinpath("page", name).read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith(("//", "/*")))


def _variables(theme: str) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in colours(theme).items())
