"""A rule with its options, applied to a step, also to one whose repetitions differ (``each``).

If each repetition becomes one step, the lists of ``each`` stay; else the repetitions are written as
steps of their own. The last of these has the name of the step, whose output is that of the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ...diagnostics.report import Edit
from ...language.each import EACH, repetitions
from ...yaml.edits import Editor, Edits, apply, flow
from ...yaml.items import Item
from ...yaml.kept import known
from .rule import Replacement, Rule, Values
from .written import Written

_OWN: Final = ("name", "deviation")
"""Fields of a step that its repetitions do not have."""
_Fields = dict[str, Any]


class Application(NamedTuple):
    """A rule with the values of all its options."""

    rule: Rule
    values: Values

    def obstacle(self, written: Written) -> str:
        """Why the rule cannot rewrite a step; empty if it can."""
        if not written.place.node.each:
            return self.rule.obstacle(written, self.values)
        if written.item.anchored:
            return "its repetitions differ (`each`), and it has an anchor or is an alias"
        apart = written._replace(taken={*written.taken})
        wanted = (one for one in _repetitions(apart) if self.rule.wants(one.place))
        return next(filter(None, (self.rule.obstacle(one, self.values) for one in wanted)), "")

    def replaced(self, written: Written) -> Replacement:
        """What replaces a step."""
        if not written.place.node.each:
            return self.rule.replaced(written, self.values)
        found = [self._steps(one) for one in _repetitions(written)]
        own = {key: value for key, value in written.data.items() if key in _OWN}
        together = _together(written.data[EACH], found)
        if together is not None:
            return Replacement(_in_place(written, [_ordered(written, together | own)]), 1)
        steps = [step for one in found for step in one]
        steps[0] |= {key: value for key, value in own.items() if key == "deviation"}
        return Replacement(_in_place(written, steps), len(steps))

    def _steps(self, written: Written) -> list[_Fields]:
        """The fields of the steps that stand for one repetition."""
        if not self.rule.wants(written.place):
            return [written.data]
        ((file, text),) = written.editor.texts.items()
        edits = self.rule.replaced(written, self.values).edits
        document = known(apply(text, edits), file)
        return [*document.data]


def _repetitions(written: Written) -> Iterator[Written]:
    """Each repetition as a step, in a text of its own."""
    data, file = written.data, written.item.span.file
    every, name = repetitions(data), data.get("name")
    allow = {key: value for key, value in data.items() if key == "allow"}
    for index, (place, fields) in enumerate(zip(written.place.repetitions, every, strict=True)):
        last = index + 1 == len(every)
        named = {} if name is None else {"name": name if last else written.free(f"{name}_{index}")}
        text = f"[{flow(_ordered(written, fields | named | allow))}]"
        document = known(text, file)
        yield written._replace(place=place, item=Item(Editor(document, {file: text}), (0,)))


def _together(lists: Mapping[str, Any], found: Sequence[Sequence[_Fields]]) -> _Fields | None:
    """One step for all repetitions; ``None`` if each has several, or they differ elsewhere."""
    steps = [{k: v for k, v in one[0].items() if k not in _OWN} for one in found]
    first = steps[0]
    if any(len(one) > 1 for one in found) or any(one.keys() != first.keys() for one in steps):
        return None
    same = {key: value for key, value in first.items() if key not in lists}
    if any(one[key] != value for one in steps for key, value in same.items()):
        return None
    differing = {key: [one[key] for one in steps] for key in lists if key in first}
    return {**same, EACH: differing} if differing else None


def _ordered(written: Written, fields: _Fields) -> _Fields:
    """Fields in the order in which the step has them, and then further ones."""
    order = [name for key, value in written.data.items() for name in (value if key == EACH else [])]
    order = [name for key in written.data for name in (order if key == EACH else [key])]
    return {key: fields[key] for key in dict.fromkeys([*order, *fields]) if key in fields}


def _in_place(written: Written, steps: Sequence[_Fields]) -> Edits:
    """The edits that put steps in place of the text of another."""
    line, column = written.item.end
    span = written.item.span._replace(end_line=line, end_column=column)
    first, *rest = steps
    return (Edit(span, flow(first)), *written.item.after(*rest))
