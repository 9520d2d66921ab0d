"""Generated text as pieces with the kind of each, for colours."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from pygments.lexers import TextLexer, get_lexer_for_filename
from pygments.token import Comment, Keyword, Literal, Name, Number, Operator, String
from pygments.util import ClassNotFound

MAX_CHARACTERS: Final = 400_000
"""Of a text that is highlighted; longer ones are shown without colours."""
_KINDS: Final = (
    (Comment, "comment"),
    (String.Doc, "comment"),
    (Literal.String, "string"),
    (Number, "number"),
    (Keyword, "keyword"),
    (Operator.Word, "keyword"),
    (Name.Decorator, "keyword"),
    (Name.Function, "name"),
    (Name.Class, "name"),
    (Name.Tag, "name"),
    (Name.Builtin, "builtin"),
)


def pieces(name: str, text: str) -> list[tuple[str, str]]:
    """The text of the file ``name``: pairs of a kind, or "", and a part of the text."""
    if len(text) > MAX_CHARACTERS:
        return [("", text)]
    try:
        lexer = get_lexer_for_filename(name)
    except ClassNotFound:
        lexer = TextLexer()
    # `get_tokens` would change ends of lines and the last one
    parts = ((_kind(token), part) for _, token, part in lexer.get_tokens_unprocessed(text))
    return [*_joined(parts)]


def _kind(token: Any) -> str:
    return next((kind for above, kind in _KINDS if token in above), "")


def _joined(parts: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for kind, group in groupby(parts, key=lambda part: part[0]):
        yield kind, "".join(text for _, text in group)
