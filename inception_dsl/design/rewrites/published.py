"""A spec without ``checkpoints``: published weights fit only the layers that they are from."""

from __future__ import annotations

from typing import Final

from ...yaml.document import DataPath
from ...yaml.edits import Editor, apply
from ...yaml.kept import known
from .comments import without_field
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
    elif document.keys[_FIELD].column == 1:
        lines = [f"{_NAME}: null"] if inherits else []
        edits = (without_field(text, document, _NAME, *lines),)
    else:
        edits = editor.replace(_FIELD, "null") if inherits else editor.remove(_FIELD)
    if not edits:
        message = "published weights have names in the spec, which the new layers do not have"
        raise RefusedError(message, "remove `checkpoints` first")
    return apply(text, edits)
