"""A spec with the lists of steps of its own that it inherited: an overlay that can be rewritten.

A spec that extends another one changes a block or a section by a whole new list of steps. The list
is copied with its comments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ...yaml.document import DataPath
from ...yaml.edits import Editor, flow
from ...yaml.items import Item
from .moving import Move, RefusedError, Source, defaults

_LISTS: Final = ("stem", "body", "head", "steps", "blocks")


class Lifted(NamedTuple):
    """A list of steps to take over: of a block (``blocks``, name) or a section, and its source."""

    section: DataPath
    source: Source
    path: DataPath


def lifted(top: Source, parts: Sequence[Lifted], target: str) -> str:
    """The text of the spec ``top`` as the file ``target``, with lists of its own.

    Raises :class:`RefusedError`.
    """
    move = Move(top, (), target)
    data = move.document.data
    blocks, fields = list[str](), list[str]()
    for section, source, path in parts:
        inner = data
        for part in section:
            inner = inner.get(part) if isinstance(inner, dict) else None
        if section[0] not in _LISTS:
            raise RefusedError(
                f"it comes from {source.file}, which the spec extends; rewrite that one"
            )
        if inner is not None:
            whole = "/".join(map(str, section))
            raise RefusedError(
                f"it comes from {source.file}, and the spec changes a part of `{whole}`"
            )
        if "block" in source.document.data and any(defaults(source.document).values()):
            block = f"the block `{section[-1]}` cannot be copied"
            raise RefusedError(f"{block}: its file has defaults of its own")
        if len(section) > 1:
            blocks += [f"  {flow(section[1])}:", *_field(source, path, 4)]
        else:
            fields += _field(source, path, 0)
    return move.with_lines(blocks, fields)


def _field(source: Source, path: DataPath, indent: int) -> list[str]:
    """The lines of a field, indented by ``indent`` spaces."""
    document = source.document
    editor = Editor(document, {source.file: source.text})
    key, value = document.keys[path], document.spans[path]
    line, column = Item(editor, path).end
    lines = source.text.rstrip("\n").split("\n")
    last = line - (column == 1)
    if editor.at(value) == "[":
        found = [text.rstrip("\r") for text in lines[value.line - 1 : last]]
        found[-1] = found[-1][: column - 1]
        found[0] = found[0][value.column - 1 :]
        least = min((len(t) - len(t.lstrip()) for t in found[1:] if t.strip()), default=0)
        first, *rest = found
        deeper = [f"{' ' * (indent + 2)}{text[least:]}" for text in rest]
        return [f"{' ' * indent}{path[-1]}: {first}", *deeper]
    found = [text.rstrip("\r") for text in lines[key.line - 1 : last]]
    found[0] = " " * (key.column - 1) + found[0][key.column - 1 :]
    return [f"{' ' * indent}{text[key.column - 1 :]}" if text.strip() else "" for text in found]
