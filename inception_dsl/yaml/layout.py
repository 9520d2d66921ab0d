"""Prints plain data as YAML: one line for what fits, block style for the rest."""

from __future__ import annotations

from typing import Any, Final

from .edits import flow

WIDTH: Final = 100


def layout(value: Any, indent: int = 0) -> str:
    """``value`` as lines that are indented by ``indent`` spaces, each with a line break."""
    if not isinstance(value, dict | list) or not value:
        return f"{'':{indent}}{flow(value)}\n"
    entries = value.items() if isinstance(value, dict) else (("", entry) for entry in value)
    return "".join(_entry(key, entry, indent) for key, entry in entries)


def _entry(key: Any, value: Any, indent: int) -> str:
    """An entry of a mapping, or of a list if ``key`` is empty text."""
    start = f"{'':{indent}}{'-' if key == '' else f'{flow(key)}:'}"
    line = f"{start} {flow(value)}\n"
    if not isinstance(value, dict | list) or not value or len(line) <= WIDTH + 1:
        return line
    inner = layout(value, indent + 2)
    return f"{start} {inner.lstrip(' ')}" if key == "" else f"{start}\n{inner}"
