"""A spec without ``checkpoints``: published weights fit only the layers that they are from."""

from __future__ import annotations

from typing import Final

from ...diagnostics.report import Edit, Span
from ...yaml.document import DataPath
from ...yaml.edits import Editor, apply
from ...yaml.items import Item
from ...yaml.kept import known
from .comments import comments_by_line
from .moving import RefusedError

_NAME: Final = "checkpoints"
_FIELD: Final[DataPath] = (_NAME,)


def without_names(text: str, file: str) -> str:
    """The text of a spec without the names of published weights; comments stay.

    A spec that extends another one says that it has none. Raises :class:`RefusedError`.
    """
    document = known(text, file)
    editor, inherits = Editor(document, {file: text}), "extends" in document.data
    if _NAME not in document.data:
        edits = editor.insert((), _NAME, "null")
    elif (first := document.keys[_FIELD]).column == 1:
        line, column = Item(editor, _FIELD).end
        last = line - (column == 1)
        found = comments_by_line(text, document)
        lines = [f"{_NAME}: null"] if inherits else []
        lines += [found[number] for number in range(first.line, last + 1) if number in found]
        span = Span(file, first.line, 1, last + 1, 1)
        edits = (Edit(span, "".join(f"{one}\n" for one in lines)),)
    else:
        edits = editor.replace(_FIELD, "null") if inherits else editor.remove(_FIELD)
    if not edits:
        message = "published weights have names in the spec, which the new layers do not have"
        raise RefusedError(message, "remove `checkpoints` first")
    return apply(text, edits)
