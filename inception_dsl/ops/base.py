"""The base classes of ops: fields in a spec, shape rule, weights, cost, documentation."""

from collections.abc import Collection, Mapping
from functools import cache, cached_property, lru_cache
from typing import Any, ClassVar, Self

from ..types.expression import Expression
from ..types.receptive import ReceptiveField
from ..types.tensor import ShapeError, TensorType, many
from ..types.weight import Weight
from ..types.window import Padding, Pair, Pixels, Window
from .step import Fields, Step, Weighted


class Op(Weighted):
    """A layer. A subclass defines its attributes as fields, and overrides the methods below."""

    kind: ClassVar[str]
    summary: ClassVar[str]
    example: ClassVar[str]
    channels_field: ClassVar[str] = ""
    """The field with the number of output channels; `width` scales `filters`."""

    op: str

    def infer(self, x: TensorType) -> TensorType:
        """The output type; raises :class:`ShapeError` if the op does not accept ``x``."""
        return x

    def weights(self, x: TensorType) -> tuple[Weight, ...]:
        """The variables for an input of type ``x``, in the neutral layout."""
        return ()

    def macs(self, x: TensorType, y: TensorType) -> int:
        """Multiply-adds (MACs) of convolutions and dense layers for one sample, without bias.

        FLOPs are 2 x MACs.
        """
        return 0

    def sizes(self, axis: int, rank: int) -> tuple[int, Pixels]:
        """The smallest size of a spatial axis that the op accepts, and the size of its output."""
        return 1, Pixels()

    def receptive_field(self, x: TensorType, axis: int) -> ReceptiveField:
        """The pixels of a spatial axis of ``x`` that each position of the output depends on."""
        return ReceptiveField()

    @property
    def multiple(self) -> int:
        """The number by which every spatial axis of the input must be divisible."""
        return 1

    def sized(self, rank: int) -> bool:
        """Whether the layer is made for maps of one size, where its weights are shared."""
        return False

    def filled(self, defaults: Mapping[str, Mapping[str, Any]]) -> Self:
        """A copy with the spec's defaults for fields that the step does not set."""
        own = defaults.get(self.op)
        if not own:
            return self
        return self.model_copy(
            update={k: v for k, v in own.items() if k not in self.model_fields_set}
        )

    def missing(self) -> list[str]:
        """The required attributes that neither the step nor a default sets."""
        return [k for k in required(type(self)) if getattr(self, k) is _LATER]

    @classmethod
    def written(cls, fields: dict[Any, Any], given: Collection[str]) -> Self:
        """The step with ``fields``; raises pydantic's ``ValidationError``.

        A required attribute in ``given`` may be missing: :meth:`filled` sets it.
        """
        later = {k: _LATER for k in required(cls) if k in given and k not in fields}
        step = cls.model_validate({**later, **fields})
        step.model_fields_set.difference_update(later)
        return step

    @classmethod
    def partial(cls, attributes: Any) -> dict[str, Any]:
        """Some of the op's attributes, validated; raises pydantic's ``ValidationError``."""
        given = dict(attributes) if isinstance(attributes, dict) else {}
        checked = cls.written({**given, "op": cls.kind}, required(cls))
        return {k: getattr(checked, k) for k in given}

    def attributes(self) -> dict[str, Any]:
        """The op's own fields."""
        return {k: getattr(self, k) for k in attribute_names(type(self))}


_COMMON = frozenset({"op", *Weighted.model_fields})
_LATER = Expression("$later", ())
"""The value of a required attribute until the defaults are filled in."""


@cache
def attribute_names(kind: type[Op]) -> tuple[str, ...]:
    return tuple(name for name in kind.model_fields if name not in _COMMON)


@cache
def required(kind: type[Op]) -> tuple[str, ...]:
    """The attributes without a default of the op's own."""
    return tuple(n for n in attribute_names(kind) if kind.model_fields[n].is_required())


def expressions(value: Any) -> list[Expression]:
    """Every expression inside the value of a field."""
    if isinstance(value, Expression):
        return [value]
    if isinstance(value, tuple | list):
        return [e for v in value for e in expressions(v)]
    if isinstance(value, Fields):
        return [e for k in type(value).model_fields for e in expressions(getattr(value, k))]
    return []


def require_map(x: TensorType, op: Op) -> None:
    if not x.rank:
        raise ShapeError(
            f"needs spatial axes, but the input is a vector of {many(x.channels, 'channel')}",
            help="put it before the step that removes the spatial axes (`flatten`, global pooling)",
        )


def _axes(rank: int) -> str:
    return many(rank, "spatial axis", "spatial axes")


def axes(value: Any, rank: int, field: str) -> tuple[int, ...]:
    """One number for each axis; raises :class:`ShapeError` if there are too many or too few."""
    if isinstance(value, tuple):
        if len(value) != rank:
            message = f"`{field}` has {many(len(value), 'value')}, but the input has {_axes(rank)}"
            raise ShapeError(
                message, field=field, write=str(value[0]) if len(set(value)) == 1 else ""
            )
        return value
    return (value,) * rank


def resolve_padding(value: Any, rank: int, field: str = "padding") -> Padding:
    """``same``, or the pixels of padding before and after each axis."""
    if value == "same":
        return "same"
    if value == "valid":
        return ((0, 0),) * rank
    if not isinstance(value, tuple):
        return ((value, value),) * rank
    if len(value) != rank:
        message = f"`{field}` has {many(len(value), 'value')}, but the input has {_axes(rank)}"
        raise ShapeError(message, field=field, write=_alike(value))
    return tuple(v if isinstance(v, tuple) else (v, v) for v in value)


def _alike(value: Any) -> str:
    """The padding as one number, if it is the same on every axis and side; else empty."""
    numbers = {n for v in value for n in (v if isinstance(v, tuple) else (v,))}
    return str(numbers.pop()) if len(numbers) == 1 else ""


def _plain(value: Any) -> bool:
    """Whether windows are cached by a value: a number with a term is equal to a plain one."""
    return all(map(_plain, value)) if type(value) is tuple else type(value) in (int, str)


@lru_cache(maxsize=1024)
def _windows(
    kernel: Any, stride: Any, dilation: Any, padding: Any, ceil: bool, rank: int
) -> tuple[Window, ...]:
    kernels, strides = axes(kernel, rank, "kernel_size"), axes(stride, rank, "stride")
    dilations, sides = axes(dilation, rank, "dilation"), resolve_padding(padding, rank)
    return tuple(
        Window(k, s, d, "same" if sides == "same" else sides[i], ceil)
        for i, (k, s, d) in enumerate(zip(kernels, strides, dilations, strict=True))
    )


class Sliding(Op):
    """An op with a window: over its input, or over its output if it is transposed."""

    kernel_size: Any
    stride: Any
    padding: Any

    def windows(self, rank: int) -> tuple[Window, ...]:
        """One window for each spatial axis."""
        own = vars(self)
        fields = self.kernel_size, self.stride, own.get("dilation", 1), self.padding
        made = _windows if _plain(fields) else _windows.__wrapped__
        return made(*fields, own.get("ceil_mode", False), rank)


class Windowed(Sliding):
    """An op that slides a window over the spatial axes."""

    def slide(self, x: TensorType) -> tuple[int, ...]:
        """The spatial sizes of the output."""
        require_map(x, self)
        windows = self.windows(x.rank)
        try:
            return tuple(w.output(n) for w, n in zip(windows, x.spatial, strict=True))
        except ShapeError as error:
            fitting = [w.fitting(n) for w, n in zip(windows, x.spatial, strict=True)]
            write = str(fitting if isinstance(self.kernel_size, tuple) else min(fitting))
            help = (
                f"write `kernel_size: {write}`, the largest that fits, or use a larger input "
                "or `padding: same`"
            )
            raise ShapeError(
                str(error), field=error.field, code=error.code, help=help, write=write
            ) from None

    def sizes(self, axis: int, rank: int) -> tuple[int, Pixels]:
        window = self.windows(rank)[axis]
        return window.least, window.pixels

    def receptive_field(self, x: TensorType, axis: int) -> ReceptiveField:
        window = self.windows(x.rank)[axis]
        first = -window.pads(x.spatial[axis])[0]
        return ReceptiveField((first,), (first + window.extent - 1,), window.stride)


class Composite(Op):
    """An op made of other ops: shapes, weights and cost are those of its parts."""

    @cached_property
    def parts(self) -> tuple[tuple[str, Op], ...]:
        """The parts in order, each with its name in weight paths.

        They are created once: shapes, weights, cost and every backend read them again.
        """
        raise TypeError(f"{type(self).__name__} does not define `parts`")

    def __copy__(self) -> Self:
        """A copy has parts of its own, as ``model_copy`` gives it other fields."""
        copied = super().__copy__()
        vars(copied).pop("parts", None)
        return copied

    def infer(self, x: TensorType) -> TensorType:
        for _, part in self.parts:
            x = part.infer(x)
        return x

    def weights(self, x: TensorType) -> tuple[Weight, ...]:
        found: list[Weight] = []
        for segment, part in self.parts:
            found += [Weight(f"{segment}/{w.name}", w.shape, w.trainable) for w in part.weights(x)]
            x = part.infer(x)
        return tuple(found)

    def macs(self, x: TensorType, y: TensorType) -> int:
        total: int = 0
        for _, part in self.parts:
            after = part.infer(x)
            total = total + part.macs(x, after)
            x = after
        return total

    def sizes(self, axis: int, rank: int) -> tuple[int, Pixels]:
        least, pixels = 1, Pixels()
        for _, part in self.parts:
            wanted, after = part.sizes(axis, rank)
            least, pixels = max(least, pixels.least(wanted)), pixels.then(after)
        return least, pixels

    def receptive_field(self, x: TensorType, axis: int) -> ReceptiveField:
        found = ReceptiveField()
        for _, part in self.parts:
            after = part.infer(x)
            found = found.then(part.receptive_field(x, axis), after.spatial[axis])
            x = after
        return found


__all__ = ["Composite", "Fields", "Op", "Pair", "Sliding", "Step", "Weighted", "Windowed"]
__all__ += ["attribute_names", "expressions"]
