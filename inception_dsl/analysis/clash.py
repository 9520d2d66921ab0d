"""Branches that do not fit together.

Which of them is to blame, where its size is decided, what to write there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..diagnostics.report import Edit, Span
from ..ir.program import ForkNode, Origin
from ..ir.typed import TypedChain, TypedFork, TypedOp, TypedUse
from ..ops import Windowed
from ..types.expression import Expression
from ..types.tensor import ShapeError, TensorType
from ..yaml.edits import Editor, Edits

_LISTED = 6
Branch = tuple[str, TypedChain]


class Place(NamedTuple):
    """Where a size is decided.

    A field, the op it belongs to, and the channels at the start of the block around it.
    """

    origin: Origin
    field: str
    op: TypedOp | None = None
    in_channels: Any = None

    @property
    def span(self) -> Span:
        return (
            self.origin.span(self.field)
            if self.field
            else self.origin.document.key_span(self.origin.path)
        )


class Difference(NamedTuple):
    """What differs between branches, and the size of each.

    ``None`` for one that fits any: a name, or broadcast.
    """

    what: str
    sizes: tuple[Any, ...]


class Clash:
    """What is said of a fork whose branches differ in ``what``.

    Channels, spatial sizes or ranks.
    """

    def __init__(
        self,
        fork: ForkNode,
        branches: Sequence[Branch],
        found: Difference,
        values: Mapping[str, Any],
        texts: Mapping[str, str],
    ) -> None:
        self.fork, self.branches, self.values, self.texts = fork, branches, values, texts
        self.what = found.what
        self.sized = [
            (size, branch)
            for size, branch in zip(found.sizes, branches, strict=True)
            if size is not None
        ]
        self.right, self.wrong = self.sides()
        self.place, self.other = self.decided(self.wrong), self.decided(self.right)
        self.span = self.place.span

    @property
    def message(self) -> str:
        sizes = list(dict.fromkeys(self.size(chain.y) for _, (_, chain) in self.sized))
        some, last = ", ".join(sizes[:-1][:_LISTED]), sizes[-1]
        if self.what == "channels":
            return f"`{self.fork.merge}` joins {some} and {last} channels"
        return f"`{self.fork.merge}` joins {self.what} that differ: {some} and {last}"

    def details(self) -> dict[str, Any]:
        """The label, the second place, the shapes of every branch, help and edits."""
        (name, wrong), (other, right) = self.wrong, self.right
        unit = " channels" if self.what == "channels" else ""
        label = (
            f"`{name}` ends with {self.size(wrong.y)}{unit}; `{other}` with {self.size(right.y)}"
        )
        second = (self.other.span, f"`{other}` ends with {self.size(right.y)}{unit}")
        help, fix = self.help()
        shapes = [f"`{name}` {_trail(chain)}" for name, chain in self.branches[:_LISTED]]
        more = len(self.branches) - _LISTED
        note = f"branches: {'; '.join(shapes)}{f'; and {more} more' if more > 0 else ''}"
        related = (second,) if second[0] != self.span else ()
        return {"label": label, "help": help, "notes": (note,), "related": related, "fix": fix}

    def size(self, y: TensorType) -> str:
        """What differs of a type, in words."""
        if self.what == "channels":
            return str(y.channels)
        if self.what == "ranks":
            return f"a map of {y}" if y.rank else f"a vector of {y.channels}"
        return _grid(y)

    def alike(self, y: TensorType) -> Any:
        """What differs, of one map.

        Where it is the same before and after a step, that step does not decide it.
        """
        return y.rank if self.what == "ranks" else self.size(y)

    def sides(self) -> tuple[Branch, Branch]:
        """The branch that the others should be like, and the first one that is not like it.

        A shortcut is always right, else the size that most branches have.
        """
        shortcut = next((size for size, (_, chain) in self.sized if not chain.steps), None)
        common = (
            Counter(size for size, _ in self.sized).most_common(1)[0][0]
            if shortcut is None
            else shortcut
        )
        return next(b for s, b in self.sized if s == common), next(
            b for s, b in self.sized if s != common
        )

    def decided(self, branch: Branch) -> Place:
        """Where the size of a branch is decided.

        At its end, or at the branch where it is that of the input.
        """
        name, chain = branch
        found = self.decider(chain, self.values.get("in_channels")) or self.last_window(chain)
        return found or Place(self.fork.origin.below("branches", name), "")

    def decider(self, chain: TypedChain, in_channels: Any) -> Place | None:
        """Where the value in question of a chain is decided; nothing where it is its input's."""
        for step in reversed(chain.steps):
            typed = step.runs[-1].typed
            if self.alike(typed.x) == self.alike(typed.y) and not _sets(typed, self.what):
                continue
            if isinstance(typed, TypedOp):
                return self.deciding_field(typed, in_channels)
            if isinstance(typed, TypedFork):
                inner = (
                    None
                    if typed.node.merge == "concat"
                    else self.decider(typed.branches[0][1], in_channels)
                )
                return inner or Place(typed.node.origin, "merge")
            found = self.decider(typed.body, typed.x.channels)
            return self.argument(typed, found) or found
        return None

    def last_window(self, chain: TypedChain) -> Place | None:
        """The last window of a branch that leaves the spatial sizes as they are."""
        steps = (
            [step.runs[-1].typed for step in chain.steps] if self.what == "spatial sizes" else []
        )
        windows = [
            typed
            for typed in steps
            if isinstance(typed, TypedOp) and isinstance(typed.op, Windowed)
        ]
        return self.deciding_field(windows[-1], None) if windows else None

    def argument(self, use: TypedUse, found: Place | None) -> Place | None:
        """The argument of a use that decides the size, where the block passes it on as it is."""
        # the use does not give the channels
        factor = found is not None and found.field == "depth_multiplier"
        value = (
            getattr(found.op.node.op, found.field, None)
            if found and found.op and not factor
            else None
        )
        if (
            isinstance(value, Expression)
            and len(value.code) == 1
            and value.code[0][1] in use.node.arguments
        ):
            name = value.code[0][1]
            if (*use.node.origin.path, name) in use.node.origin.document.spans:
                return Place(use.node.origin, name)
        return None

    def deciding_field(self, typed: TypedOp, in_channels: Any) -> Place:
        """The field of an op that decides the value in question."""
        channels, sizes = (
            ("filters", "units", "depth_multiplier"),
            ("stride", "padding", "kernel_size", "output_size"),
        )
        fields = channels if self.what == "channels" else sizes
        written = [
            f for f in fields if (*typed.node.origin.path, f) in typed.node.origin.document.spans
        ]
        return Place(typed.node.origin, written[0] if written else "op", typed, in_channels)

    def help(self) -> tuple[str, tuple[Edit, ...]]:
        """What to write, and the edits that write it."""
        wanted, place = self.right[1].y, self.place
        editor = Editor(place.origin.document, self.texts)
        if self.what == "channels":
            if place.field in ("", "op", "merge", "depth_multiplier"):
                last = "conv` of `filters" if self.wrong[1].y.rank else "dense` of `units"
                return f"end it with a `{last}: {wanted.channels}`", ()
            symbolic = place.op is not None and place.in_channels == wanted.channels
            text = "$in_channels" if symbolic else str(wanted.channels)
            return f"write `{place.field}: {text}`", editor.replace(
                (*place.origin.path, place.field), text
            )
        if self.what == "spatial sizes" and place.op is not None:
            return self.other_window(place.op, wanted, editor)
        if self.what == "ranks" and place.op is not None and hasattr(place.op.op, "keepdims"):
            return "`keepdims: true` keeps it a map", editor.insert(
                place.origin.path, "keepdims", "true"
            )
        return "let all branches end alike", ()

    def other_window(self, typed: TypedOp, wanted: TensorType, editor: Editor) -> tuple[str, Edits]:
        """The attribute of the last window that would make its output fit."""
        for field, value in (
            ("padding", "same"),
            ("padding", "valid"),
            *(("stride", s) for s in range(1, 9)),
        ):
            if not isinstance(typed.op, Windowed) or getattr(typed.op, field) == value:
                continue
            try:
                y = typed.op.model_copy(update={field: value}).infer(typed.x)
            except ShapeError:
                continue
            if y.spatial == wanted.spatial:
                path = (*typed.node.origin.path, field)
                there = path in typed.node.origin.document.spans
                edit = (
                    editor.replace(path, str(value))
                    if there
                    else editor.insert(path[:-1], field, str(value))
                )
                return f"write `{field}: {value}`", edit
        return f"let it end with {_grid(wanted)}", ()


def _sets(typed: TypedOp | TypedFork | TypedUse, what: str) -> bool:
    """Whether an op says how many channels it has, be they as many as before."""
    fields = type(typed.op).model_fields if isinstance(typed, TypedOp) else {}
    return what == "channels" and ("filters" in fields or "units" in fields)


def _grid(y: TensorType) -> str:
    return "x".join(map(str, y.spatial)) or "no axes"


def _trail(chain: TypedChain) -> str:
    """The shapes along a branch, without repetitions; of a long one, the ends."""
    shapes = [str(chain.x)]
    for step in chain.steps:
        shapes += [str(run.typed.y) for run in step.runs if str(run.typed.y) != shapes[-1]]
    return " -> ".join(shapes if len(shapes) <= 4 else [shapes[0], "…", *shapes[-2:]])


def _difference(what: str, sizes: Iterable[Any], broadcast: int | None = None) -> Difference | None:
    """Whether sizes differ, those aside that are broadcast."""
    found = tuple(size if size != broadcast else None for size in sizes)
    return Difference(what, found) if len({*found} - {None}) > 1 else None


def concatenated(types: list[TensorType]) -> TensorType | Difference:
    """The type of a concat along channels, or what differs."""
    found = _difference("ranks", (t.rank for t in types))
    if found:
        return found
    for sizes in zip(*(t.spatial for t in types), strict=True):
        found = _difference("spatial sizes", sizes)
        if found:
            return found
    return TensorType(types[0].spatial, sum(t.channels for t in types))


def combined(types: list[TensorType]) -> TensorType | Difference:
    """The type of an add or a multiply, or what differs.

    Axes of size 1, and vectors, are broadcast.
    """
    found = _difference("ranks", (t.rank for t in types), broadcast=0)
    if found:
        return found
    rank = max(t.rank for t in types)
    shapes = [(*((1,) * rank if not t.rank else t.spatial), t.channels) for t in types]
    result: list[int] = []
    for axis, sizes in enumerate(zip(*shapes, strict=True)):
        found = _difference("channels" if axis == rank else "spatial sizes", sizes, broadcast=1)
        if found:
            return found
        result.append(max(sizes))
    return TensorType(tuple(result[:-1]), result[-1])
