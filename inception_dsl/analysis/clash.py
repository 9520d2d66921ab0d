"""The error for a fork whose branches have incompatible shapes (E402).

Finds the branch at fault, the field that sets its size, and the value to write there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from ..diagnostics.report import Edit, Span
from ..diagnostics.words import nearest
from ..ir.program import ForkNode, Origin
from ..ir.typed import TypedChain, TypedFork, TypedOp, TypedUse
from ..ops import Windowed
from ..types.expression import Expression
from ..types.tensor import ShapeError, TensorType, many
from ..types.width import Width
from ..yaml.edits import Editor, Edits
from .merged import Difference, combined, concatenated

_LISTED = 6  # sizes and branches in a message
CHANNELS: Final = ("filters", "units", "depth_multiplier")
"""The attributes that set the channels of an output, and nothing else of its shape."""
Branch = tuple[str, TypedChain]


class Location(NamedTuple):
    """The field that sets a size.

    ``op`` is the op it belongs to, ``in_channels`` the input channels of the block around it.
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


class Clash:
    """The diagnostic for a fork whose branches differ in ``found.what``."""

    def __init__(
        self,
        fork: ForkNode,
        branches: Sequence[Branch],
        found: Difference,
        values: Mapping[str, Any],
        width: Width,
        texts: Mapping[str, str],
    ) -> None:
        self.fork, self.branches, self.values, self.texts = fork, branches, values, texts
        self.width = width
        self.what = found.what
        self.sized = [
            (size, branch)
            for size, branch in zip(found.sizes, branches, strict=True)
            if size is not None
        ]
        self.right, self.wrong = self.sides()
        self.location, self.other = self.decided(self.wrong), self.decided(self.right)
        self.new, self.meant = self.misspelt()
        self.span = self.location.span if not self.new else self._key(self.new)

    @property
    def message(self) -> str:
        sizes = list(dict.fromkeys(self.size(chain.y) for _, (_, chain) in self.sized))
        some, last = ", ".join(sizes[:-1][:_LISTED]), sizes[-1]
        same = {"channels": "number of channels", "ranks": "rank"}.get(self.what, self.what)
        return f"`{self.fork.merge}` needs branches with the same {same}, found {some} and {last}"

    def details(self) -> dict[str, Any]:
        """The label, the location of the other branch, the shapes of all branches, help, edits."""
        (name, wrong), (other, right) = self.wrong, self.right
        unit = " channels" if self.what == "channels" else ""
        second = (self.other.span, f"`{other}` outputs {self.size(right.y)}{unit}")
        label = f"`{name}` outputs {self.size(wrong.y)}{unit}; {second[1]}"
        if self.new:
            second = (self._key(self.meant), f"`{self.meant}` stays as it is")
            label = f"this adds the branch `{self.new}`"
        help, fix = self.help()
        shapes = [f"`{name}` {_trail(chain)}" for name, chain in self.branches[:_LISTED]]
        more = len(self.branches) - _LISTED
        note = f"branches: {'; '.join(shapes)}{f'; and {more} more' if more > 0 else ''}"
        related = (second,) if second[0] != self.span else ()
        return {"label": label, "help": help, "notes": (note,), "related": related, "fix": fix}

    def misspelt(self) -> tuple[str, str]:
        """A branch that an overlay adds, and the one that it probably means: all fit without it."""
        own = self.fork.origin.document.span((*self.fork.origin.path, "branches"))
        names = [name for name, _ in self.branches]
        for new in (name for name in names if not own.contains(self._key(name))):
            meant = nearest(new, [name for name in names if name != new])
            types = [chain.y for name, chain in self.branches if name != meant]
            merge = concatenated if self.fork.merge == "concat" else combined
            if meant and not isinstance(merge(types), Difference):
                return new, meant
        return "", ""

    def _key(self, branch: str) -> Span:
        return self.fork.origin.document.key_span((*self.fork.origin.path, "branches", branch))

    def size(self, y: TensorType) -> str:
        """The part of a type that differs, as text."""
        if self.what == "channels":
            return str(y.channels)
        if self.what == "ranks":
            return f"a feature map {y}" if y.rank else f"a vector of {many(y.channels, 'channel')}"
        return _grid(y)

    def alike(self, y: TensorType) -> Any:
        """The part of ``y`` that differs.

        A step with the same value before and after does not set it.
        """
        return y.rank if self.what == "ranks" else self.size(y)

    def sides(self) -> tuple[Branch, Branch]:
        """The branch with the expected size, and the first branch with another size.

        Expected is the size of a shortcut (an empty branch), else the most common size.
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

    def decided(self, branch: Branch) -> Location:
        """The location that sets the size of a branch; the branch itself if no step does."""
        name, chain = branch
        found = self.decider(chain, self.values.get("in_channels")) or self.last_window(chain)
        return found or Location(self.fork.origin.below("branches", name), "")

    def decider(self, chain: TypedChain, in_channels: Any) -> Location | None:
        """The location that sets the size of a chain; ``None`` if it is the size of its input."""
        for step in [s for s in reversed(chain.steps) if s.runs]:
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
                return inner or Location(typed.node.origin, "merge")
            found = self.decider(typed.body, typed.x.channels)
            return self.argument(typed, found) or found
        return None

    def last_window(self, chain: TypedChain) -> Location | None:
        """The last window of a branch that does not change the spatial sizes."""
        sized = self.what == "spatial sizes"
        steps = [step.runs[-1].typed for step in chain.steps if step.runs and sized]
        windows = [
            typed
            for typed in steps
            if isinstance(typed, TypedOp) and isinstance(typed.op, Windowed)
        ]
        return self.deciding_field(windows[-1], None) if windows else None

    def argument(self, use: TypedUse, found: Location | None) -> Location | None:
        """The argument of a use that sets the size, if the block uses it unchanged."""
        # the argument is a multiplier: writing the number of channels there would be wrong
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
                return Location(use.node.origin, name)
        return None

    def deciding_field(self, typed: TypedOp, in_channels: Any) -> Location:
        """The field of an op that sets the size; ``op`` if the fields are all defaults."""
        sizes = ("factor", "size", "stride", "padding", "kernel_size", "output_size")
        fields = CHANNELS if self.what == "channels" else sizes
        written = [
            f for f in fields if (*typed.node.origin.path, f) in typed.node.origin.document.spans
        ]
        return Location(typed.node.origin, written[0] if written else "op", typed, in_channels)

    def help(self) -> tuple[str, tuple[Edit, ...]]:
        """What to write, and the edits that write it."""
        wanted, location = self.right[1].y, self.location
        editor, path = Editor(location.origin.document, self.texts), location.origin.path
        if self.new:
            fix = editor.rename((*self.fork.origin.path, "branches", self.new), self.meant)
            return f"did you mean `{self.meant}`?", fix
        if self.what == "channels":
            if location.field in ("", "op", "merge", "depth_multiplier"):
                step = f"dense, units: {wanted.channels}"
                if self.wrong[1].y.rank:
                    step = f"conv, filters: {wanted.channels}, kernel_size: 1"
                return f"add `{{op: {step}}}` at the end of `{self.wrong[0]}`", ()
            symbolic = location.op is not None and location.in_channels == wanted.channels
            number = wanted.channels
            if location.field == "filters" and self.width.factor is not None:
                number = self.width.unscaled(number)
                if number == 0 and not symbolic:
                    return f"no `filters` fit with `width: {self.width.factor:g}`", ()
            text = "$in_channels" if symbolic else str(number)
            edit = editor.replace((*path, location.field), text)
            return f"write `{location.field}: {text}`", edit
        if self.what == "spatial sizes" and hasattr(location.op and location.op.op, "keepdims"):
            help, more = self.enlarged(wanted, editor)
            return f"add {help}", more
        if self.what == "spatial sizes" and location.op is not None:
            return self.other_window(location.op, wanted, editor)
        if self.what == "ranks" and location.op is not None and hasattr(location.op.op, "keepdims"):
            edit = editor.insert(path, "keepdims", "true")
            if all(size == 1 for size in wanted.spatial):
                return "add `keepdims: true` to keep the spatial axes", edit
            help, more = self.enlarged(wanted, editor)
            return f"add `keepdims: true`, and {help}", (*edit, *more) if more else ()
        if self.what == "ranks":
            return "all branches must output feature maps, or all must output vectors", ()
        return f"all branches must output the same spatial sizes{self.or_input()}", ()

    def enlarged(self, wanted: TensorType, editor: Editor) -> tuple[str, Edits]:
        """The step that makes a map of one pixel fit, and the edit that appends it."""
        sizes = wanted.spatial
        size = f"{sizes[0]}" if len(set(sizes)) == 1 else str(list(sizes))
        name, chain = self.wrong
        step, branch = f"{{op: upsample, size: {size}}}", self.fork.origin.below("branches", name)
        last = (*branch.path, len(chain.steps) - 1)
        before = ", "
        if editor.at(branch.document.span(branch.path)) != "[":
            before = f"\n{' ' * (branch.document.span(last).column - 3)}- "
        return f"`{step}` at the end of `{name}`", editor.append(last, f"{before}{step}")

    def other_window(self, typed: TypedOp, wanted: TensorType, editor: Editor) -> tuple[str, Edits]:
        """A ``padding`` or ``stride`` of a window that makes its output fit, and the edit."""
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
        return f"`{self.wrong[0]}` must output {_grid(wanted)}{self.or_input()}", ()

    def or_input(self) -> str:
        """What else can be changed in a branch that begins with an input of the network."""
        what = f": change its steps, or the size of the input `{self.wrong[0]}`"
        return what * self.fork.inputs


def _sets(typed: TypedOp | TypedFork | TypedUse, what: str) -> bool:
    """Whether an op sets its output channels itself, even to the number it already had."""
    fields = type(typed.op).model_fields if isinstance(typed, TypedOp) else {}
    return what == "channels" and ("filters" in fields or "units" in fields)


def _grid(y: TensorType) -> str:
    return "x".join(map(str, y.spatial)) or "no axes"


def _trail(chain: TypedChain) -> str:
    """The shapes along a branch, without repetitions; of a long branch, the first and last two."""
    shapes = [str(chain.x)]
    for step in chain.steps:
        shapes += [str(run.typed.y) for run in step.runs if str(run.typed.y) != shapes[-1]]
    return " -> ".join(shapes if len(shapes) <= 4 else [shapes[0], "…", *shapes[-2:]])
