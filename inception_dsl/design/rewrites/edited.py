"""The texts of files in which a rule has been applied to some steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ...diagnostics.report import Edit, Span
from ...yaml.anchors import moved_anchors
from ...yaml.edits import apply
from ...yaml.kept import known
from .application import Application
from .comments import comments
from .moving import RefusedError
from .rule import Replacement
from .sources import Files
from .together import WRITE_OUT
from .written import Written


class Edited(NamedTuple):
    """The new texts of the files that change, and what replaces each step."""

    texts: dict[str, str]
    replacements: tuple[Replacement, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The numbers of steps that stand for each step."""
        return tuple(one.steps for one in self.replacements)


def edited(
    application: Application, texts: Files, steps: Sequence[Written], more: Iterable[Edit] = ()
) -> Edited:
    """The texts with all these steps replaced; an alias has the edits of its anchor only once.

    ``more`` are further edits. Raises :class:`RefusedError`.
    """
    edits: dict[str, list[Edit]] = {}
    names: dict[str, set[str]] = {}
    found = list[Replacement]()
    groups: dict[Span, list[Edit]] = {}
    taken_before: dict[Span, set[str]] = {}
    for written in steps:
        span = written.place.node.origin.span()
        taken = names.setdefault(written.place.owner, {*written.taken})
        if span in groups and written.item.path not in written.editor.document.aliases:
            taken = {*taken_before[span]}  # the same names: it is the same text
        taken_before.setdefault(span, {*taken})
        found.append(application.replaced(written._replace(taken=taken)))
        group = groups.setdefault(span, [])
        own = [*_other(group, found[-1].edits)]
        group += own
        edits.setdefault(written.item.span.file, []).extend(own)
    for edit in more:
        edits.setdefault(edit.span.file, []).append(edit)
    return Edited(
        {file: _applied(file, texts[file], own) for file, own in edits.items()}, (*found,)
    )


def _other(before: Sequence[Edit], edits: Sequence[Edit]) -> Iterable[Edit]:
    """The edits of a step that those of others with the same text did not make yet."""
    known = {edit.span: edit.text for edit in before}
    for edit in edits:
        if known.get(edit.span, edit.text) != edit.text:
            message = "other steps have its text (an alias), and would get another one"
            raise RefusedError(message, WRITE_OUT)
        if edit.span not in known:
            yield edit


def applied(text: str, edits: Sequence[Edit]) -> str:
    """The text with edits, whose new lines end as those of the text."""
    if "\r\n" in text:
        edits = [edit._replace(text=edit.text.replace("\n", "\r\n")) for edit in edits]
    return apply(text, edits)


def _applied(file: str, text: str, edits: Sequence[Edit]) -> str:
    """The same; anchors that are still used stay, and so do all comments."""
    document = known(text, file)
    try:
        moved = moved_anchors(document, text, edits)
    except ValueError as error:
        raise RefusedError(str(error), WRITE_OUT) from None
    return applied(text, [*edits, *moved])


def lost(before: Files, after: Files) -> str:
    """Which comment the edits would lose, if any."""
    for file, text in after.items():
        old, new = (_comments(file, one) for one in (before[file], text))
        if old - new:
            return f"the comment `{next(iter(old - new))}` would be lost"
    return ""


def _comments(file: str, text: str) -> Counter[str]:
    document = known(text, file)
    return comments(text, document)
