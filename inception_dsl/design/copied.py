"""A spec as one file under another name, with the blocks that it uses: its text, with comments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ..diagnostics.report import Edit, Report
from ..yaml.edits import Editor, apply, flow
from ..yaml.items import Item
from ..yaml.kept import known
from ..yaml.source import parse
from .rewrites.comments import without_field
from .rewrites.moving import SCHEMA, RefusedError, Source, moved

_BLOCKS: Final = "blocks"


def copied_text(
    spec: Source,
    blocks: Iterable[Source],
    target: str,
    data: Mapping[str, Any],
    about: Sequence[str],
) -> str:
    """The text of a spec as the file ``target``, with the blocks of other files.

    ``data`` is what it has to say: the fields of ``about`` are new, those that it lacks go. Empty
    if the text does not say that: the spec extends another one, or is written in braces.
    """
    try:
        text = moved(spec, [*blocks], target)
    except RefusedError:
        return ""
    if match := SCHEMA.match(text):
        text = text[match.end() :]
    document = known(text, target)
    if any(key.column != 1 for path, key in document.keys.items() if len(path) == 1):
        return ""
    editor = Editor(document, {target: text})
    gone = [name for name in document.data if name not in data]
    edits = [without_field(text, document, name) for name in gone]
    found = apply(text, [*edits, *_named(editor, data, about)])
    parsed = parse(found, target, Report())
    return found if parsed is not None and _says(parsed.data, data) else ""


def _named(editor: Editor, data: Mapping[str, Any], about: Sequence[str]) -> Iterable[Edit]:
    """The edits of the fields of ``about``: new ones are below those before them."""
    document = editor.document
    present = [name for name in about if name in document.data]
    for name in present:
        yield from editor.replace((name,), flow(data[name]))
    below = Item(editor, (present[-1],))
    yield below.below([f"{name}: {flow(data[name])}" for name in about if name not in present])


def _says(found: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    """Whether a text says what it has to; it may have further blocks."""
    if found.keys() != data.keys():
        return False
    blocks = found.get(_BLOCKS, {})
    own = {**found, _BLOCKS: {name: blocks.get(name) for name in data.get(_BLOCKS, {})}}
    return own == {_BLOCKS: {}, **data}
