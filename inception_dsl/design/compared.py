"""The differences between two networks, as tables or as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

from ..analysis.receptive_words import field_text
from ..diagnostics.report import PLAIN, Style
from ..diagnostics.text import printable
from ..ir.typed import TypedProgram
from .alignment import top_steps
from .changes import Change, Place
from .difference import changes
from .rows import Row
from .summary import Summary
from .tables import Line, Table

ARROW: Final = " -> "
_NAMED: Final = 4
"""As many places are named; of more, their number is said."""


class Total(NamedTuple):
    """A total of both networks, as numbers or as texts."""

    name: str
    old: int | str
    new: int | str

    @property
    def difference(self) -> str:
        """By how much the new number is more, also in percent."""
        if isinstance(self.old, str) or isinstance(self.new, str) or self.old == self.new:
            return ""
        more = self.new - self.old
        return f"{more:+,}{f' ({100 * more / self.old:+.1f}%)' if self.old else ''}"


class Difference:
    """What differs between two typed programs: ``print`` it, or call :meth:`to_dict`.

    ``names`` are what to call them if both have the same name.
    """

    def __init__(
        self, old: TypedProgram, new: TypedProgram, names: tuple[str, str] = ("old", "new")
    ) -> None:
        self.old, self.new = Summary(old), Summary(new)
        own = old.program.id, new.program.id
        self.names = own if own[0] != own[1] else names

    @cached_property
    def changes(self) -> Sequence[Change]:
        """What differs, step by step."""
        return changes(self.old.typed, self.new.typed)

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __str__(self) -> str:
        return self.render()

    @cached_property
    def totals(self) -> list[Total]:
        """Parameters, MACs, receptive field and the rest, of both networks."""
        return [
            Total(name, a, b)
            for (name, a), (_, b) in zip(_totals(self.old), _totals(self.new), strict=True)
        ]

    @cached_property
    def steps(self) -> list[tuple[Row | None, Row | None]]:
        """The top-level steps that differ in what they are for the network: output, cost or
        receptive field; ``None`` stands for a step that the other network has not.
        """
        old, new = ({row.path: row for row in _top(side)} for side in (self.old, self.new))
        paths = top_steps(self.old.typed.program, self.new.typed.program)
        pairs = [(old.pop(a, None), new.pop(b, None)) for a, b in paths]
        pairs += [(old.get(path), new.get(path)) for path in dict.fromkeys([*old, *new])]
        return [(a, b) for a, b in pairs if (a or b) and _numbers(a) != _numbers(b)]

    def to_dict(self) -> dict[str, Any]:
        """The data of ``inception-dsl diff --json``."""
        return {
            "old": self.names[0],
            "new": self.names[1],
            "totals": {t.name: {"old": t.old, "new": t.new} for t in self.totals},
            "changes": [
                {**change._asdict(), "places": [place._asdict() for place in change.places]}
                for change in self.changes
            ],
            "steps": [
                {
                    "path": _path(b or a),
                    "old_path": _path(a) or None,
                    **{
                        name: {"old": x, "new": y}
                        for name, x, y in zip(_STEP[1:], _numbers(a), _numbers(b), strict=True)
                    },
                }
                for a, b in self.steps
            ],
        }

    def tables(self) -> Iterator[Table]:
        """The totals, the changes, and the steps with other outputs, costs or fields."""
        yield Table(("", *self.names, "difference"), [Line(_cells(t)) for t in self.totals], 1)
        if self.changes:
            lines = [Line(_line(change)) for change in self.changes]
            yield Table(("change", "where", "layers", "parameters", "MACs"), lines, 2)
        if self.steps:
            yield Table(_STEP, [Line(_both(a, b)) for a, b in self.steps], len(_STEP))

    def render(self, style: Style = PLAIN) -> str:
        """The tables as text."""
        about = [side.heading()[0] for side in (self.old, self.new)]
        if about[0] == about[1]:
            about = [f"{title} ({name})" for title, name in zip(about, self.names, strict=True)]
        lines = [style.strong(printable(ARROW.join(about)))]
        for table in self.tables():
            lines += ["", *table.text(style)]
        if not self.changes:
            lines += ["", "The networks are the same."]
        return "\n".join(lines)


_STEP: Final = ("step", "output", "parameters", "MACs", "receptive field")


def _totals(summary: Summary) -> list[tuple[str, int | str]]:
    last = summary.last_map
    field = field_text(last[1]) if last else ""
    return [
        ("input", summary.typed.program.taken),
        ("outputs", ", ".join(f"{name} {y}" for name, y in summary.typed.outputs.items())),
        ("parameters", summary.cost.total),
        ("MACs", summary.cost.macs),
        ("receptive field", int(field) if field.isdigit() else field),
    ]


def _top(summary: Summary) -> list[Row]:
    return [row for row in summary.rows() if row.path and not row.depth]


def _numbers(row: Row | None) -> tuple[str | int | None, ...]:
    return (str(row.y), row.parameters, row.macs, row.field) if row else (None,) * 4


def _path(row: Row | None) -> str:
    return "/".join(row.path) if row else ""


def _cells(total: Total) -> tuple[str, ...]:
    return total.name, _text(total.old), _text(total.new), total.difference


def _both(old: Row | None, new: Row | None) -> tuple[str, ...]:
    """The cells of a step; where the networks differ, with both values."""
    if old is None or new is None:
        kind = "added" if old is None else "removed"
        return f"{_path(old or new)} ({kind})", *map(_text, _numbers(old or new))
    cells = [(_path(old), _path(new)), *zip(_numbers(old), _numbers(new), strict=True)]
    pairs = [(_text(a), _text(b)) for a, b in cells]
    return tuple(a if a == b else f"{a}{ARROW}{b}" for a, b in pairs)


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _line(change: Change) -> tuple[str, ...]:
    """The cells of a change: what, where, how many layers, and how much more they cost."""
    parameters = sum(place.parameters for place in change.places)
    macs = sum(place.macs for place in change.places)
    numbers = (f"{n:+,}" if n else "" for n in (parameters, macs))
    return words(change), where(change.places), f"{change.uses:,}" if change.uses else "", *numbers


def words(change: Change) -> str:
    """``kernel_size: 5 -> 3``, ``removed max_pool 3x3 /2``, ``renamed step: a -> b``."""
    kind = "" if change.kind == "changed" else f"{change.kind} "
    pair = f": {change.old}{ARROW}{change.new}" if change.old or change.new else ""
    return f"{kind}{change.field}{pair}"


def where(places: Sequence[Place]) -> str:
    """The paths of the places; those in one block together, and of many the first."""
    groups: dict[str, list[str]] = {}
    for place in places:
        groups.setdefault(place.path.split("/")[0], []).append(place.path)
    texts = [
        (paths[0] or "the network")
        if len(paths) == 1
        else f"{first or 'the network'} ({len(paths)} steps)"
        for first, paths in groups.items()
    ]
    if len(texts) <= _NAMED + 1:
        return ", ".join(texts)
    return f"{', '.join(texts[:_NAMED])} and {len(texts) - _NAMED} more"
