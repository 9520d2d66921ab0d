"""A layer that is written once, with its op and types in every use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from ..analysis.widths import FIELD
from ..ir.program import OpNode
from ..ir.typed import TypedOp
from ..ops import Composite, Crop, Op, Sliding, ZeroPad, attribute_names, expressions
from ..types.expression import Expression
from ..types.tensor import TensorType
from ..types.terms import Term, add, constant, divide, multiply, subtract
from ..types.traced import Traced, term_of
from ..types.window import Window
from .frames import IN_CHANNELS, Frame, Slot

AnyOp = TypeVar("AnyOp", bound=Op)


@dataclass(frozen=True, eq=False)
class LayerSite:
    """A layer, with its op and types in every row.

    ``x`` and ``y`` are the terms of the channels before and after it. ``one``: its maps have one
    position, and no other input size that runs changes that.
    """

    frame: Frame
    node: OpNode
    typed: tuple[TypedOp, ...]
    x: Term | None
    one: bool = False

    @property
    def op(self) -> Op:
        """The op in the first row, for attributes that are the same in all rows."""
        return self.typed[0].op

    @property
    def rank(self) -> int:
        return self.typed[0].x.rank

    @property
    def channels(self) -> Slot:
        """The channels of the input."""
        values = tuple(t.x.channels for t in self.typed)
        hint = IN_CHANNELS if self.rank else "in_features"
        return Slot(self.frame, values, self.x, hint, self.x is None)

    @property
    def out_channels(self) -> Slot:
        """The channels of the output."""
        return Slot(self.frame, tuple(t.y.channels for t in self.typed), self.y, "out_channels")

    def slot(self, field: str) -> Slot:
        """An attribute such as ``filters``, or a nested one such as ``batch_norm.epsilon``."""
        written: Any = self.node.op
        values: tuple[Any, ...] = tuple(t.op for t in self.typed)
        for part in field.split("."):
            written = getattr(written, part)
            values = tuple(getattr(v, part) for v in values)
        if field == self.op.channels_field:
            return self.frame.channels(values, written, field, scaled=field == FIELD)
        return self.frame.slot(values, written, field.rpartition(".")[2])

    def axis(self, field: str, axis: int) -> Slot:
        """An attribute of windows (``kernel``, ``stride``, ``dilation``) on one axis."""
        own = "kernel_size" if field == "kernel" else field
        written = getattr(self.node.op, own, 1)
        if isinstance(written, tuple):
            written = written[axis] if axis < len(written) else None
        values = tuple(getattr(windows[axis], field) for windows in self.windows)
        return self.frame.slot(values, written, own)

    def each(self, field: str, axis: int, values: tuple[Any, ...]) -> Slot:
        """An attribute that is one number, or one for each axis: its value on one axis."""
        written = getattr(self.node.op, field)
        if isinstance(written, tuple):
            written = written[axis] if axis < len(written) else None
        return self.frame.slot(values, written, field)

    def pads(self) -> tuple[tuple[tuple[int, int], ...] | None, ...]:
        """For every row: the padding on both sides of each axis, in pixels.

        ``None`` for a row in which it depends on the input size.
        """
        found: list[tuple[tuple[int, int], ...] | None] = []
        for windows in self.windows:
            sides = [window.constant_pads for window in windows]
            constant = tuple(side for side in sides if side is not None)
            found.append(constant if len(constant) == len(sides) else None)
        return tuple(found)

    def pad(self, axis: int, side: int, values: tuple[int, ...]) -> Slot:
        """The padding on one side of an axis.

        Its term is the spec's own, or that of ``same`` at stride 1: half of the window's extent, if
        possible in its shorter form for odd kernels (``kernel // 2``).
        """
        op = self.node.op
        assert isinstance(op, Sliding | ZeroPad | Crop)
        field = "cropping" if isinstance(op, Crop) else "padding"
        written = getattr(op, field)
        if isinstance(written, tuple):
            written = written[axis] if axis < len(written) else None
            written = written[side] if isinstance(written, tuple) else written
        terms = self._padding_terms(written, axis, side)
        term = next((t for t in terms if self.frame.holds(t, values)), None)
        return Slot(self.frame, values, term, field)

    def _padding_terms(self, written: Any, axis: int, side: int) -> Iterator[Term | None]:
        """What may explain the padding, simplest first; each is computed only when needed."""
        if written == "valid" or (self.never_same and self.slot("padding").is_text):
            yield constant(0)
            return
        yield self.frame.term(written)
        if isinstance(self.node.op, Sliding):
            kernel, dilation = self.axis("kernel", axis).term, self.axis("dilation", axis).term
            half = divide(kernel, constant(2))
            yield half
            yield multiply(dilation, half)
            spanned = multiply(subtract(kernel, constant(1)), dilation)
            yield divide(add(spanned, constant(side)), constant(2))

    def parts(self) -> Iterator[tuple[str, LayerSite]]:
        """The parts of a composite op as layers, each with its path segment."""
        inputs, x = tuple(t.x for t in self.typed), self.x
        for index, (segment, written) in enumerate(_parts(self.node.op)):
            node = self.node._replace(op=written)
            typed = []
            for whole, before in zip(self.typed, inputs, strict=True):
                op = _parts(whole.op)[index][1]
                typed.append(TypedOp(node, op, before, op.infer(before)))
            part = LayerSite(self.frame, node, tuple(typed), x)
            yield segment, part
            inputs, x = tuple(t.y for t in typed), part.y

    @cached_property
    def windows(self) -> tuple[tuple[Window, ...], ...]:
        """The windows of every row, one for each axis."""
        return tuple(op.windows(self.rank) for op in self.ops(Sliding))

    @cached_property
    def open_window(self) -> bool:
        """Whether the window depends on parameters or differs between uses."""
        fields = ("kernel", "stride", "dilation")
        return any(self.axis(f, axis).varies for f in fields for axis in range(self.rank))

    @property
    def open_same(self) -> bool:
        """Whether parameters determine the padding of ``same``, which a kernel of 1 never needs."""
        pointwise = all(self.axis("kernel", axis).constant(1) for axis in range(self.rank))
        return self.slot("padding").all("same") and self.open_window and not pointwise

    @property
    def open_padding(self) -> bool:
        """Whether parameters determine the padding, on any side."""
        op = self.node.op
        assert isinstance(op, Sliding | ZeroPad)
        return bool(expressions(op.padding))

    @property
    def never_same(self) -> bool:
        """Whether the padding is not `same` for any argument, as `ceil_mode` excludes it."""
        return all(getattr(t.op, "ceil_mode", False) for t in self.typed)

    @property
    def unpadded(self) -> bool:
        """Whether there is no padding, whatever the block's arguments are."""
        if self.open_padding or self.open_same:
            return False
        return all(w.constant_pads == (0, 0) for windows in self.windows for w in windows)

    def ops(self, kind: type[AnyOp]) -> tuple[AnyOp, ...]:
        """The op of every row; all must be of the class ``kind``."""
        found = tuple(t.op for t in self.typed if isinstance(t.op, kind))
        assert len(found) == len(self.typed)
        return found

    def every(self, field: str, value: Any) -> bool:
        """Whether an attribute is ``value`` in every row."""
        return all(getattr(t.op, field) == value for t in self.typed)

    def alike(self, *fields: str) -> tuple[Any, ...]:
        """The values of attributes that decide how the layer is written.

        Raises :class:`SplitError` if they are not the same in every row.
        """
        kinds = [tuple(getattr(t.op, field) for field in fields) for t in self.typed]
        if len(set(kinds)) > 1:
            raise self.frame.split(self.node, kinds)
        return kinds[0]

    @cached_property
    def y(self) -> Term | None:
        """The term of the output channels, computed by the op's own shape rule."""
        values = tuple(t.y.channels for t in self.typed)
        first = self.typed[0]
        spatial: tuple[int, ...] = first.x.spatial
        if (
            not self.frame.sized
            and first.y.rank < first.x.rank
            and not all(t.x.positions() == 1 for t in self.typed)
        ):
            # a block may be used at other sizes, so channels made of sizes (flatten) have no term
            spatial = tuple(Traced(n, None) for n in spatial)
        channels = Traced(first.x.channels, self.x)
        found = self._traced().infer(TensorType(spatial, channels)).channels
        return self.frame.held(term_of(found), values)

    def _traced(self) -> Op:
        """The first row's op; its integers carry the terms of the spec's expressions."""
        own = self.node.op
        written = {k: getattr(own, k) for k in attribute_names(type(own))}
        traced = {
            k: Traced(getattr(self.op, k), self.slot(k).term)
            for k, v in written.items()
            if isinstance(v, Expression) and type(getattr(self.op, k)) is int
        }
        return self.op.model_copy(update=traced) if traced else self.op


def _parts(op: Op) -> tuple[tuple[str, Op], ...]:
    assert isinstance(op, Composite)
    return op.parts
