"""What is written in the box of a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from inception_dsl.backend import Activation, Scale, Sliding, TypedOp

from .figure import Role
from .sizes import by_axis, joined

ROLES: Final[dict[Role, tuple[str, frozenset[str]]]] = {
    "conv": (
        "convolution",
        frozenset({"conv", "conv_bn", "depthwise_conv", "separable_conv", "conv_transpose"}),
    ),
    "pool": (
        "pooling",
        frozenset(
            {"max_pool", "avg_pool", "adaptive_avg_pool", "global_avg_pool", "global_max_pool"}
        ),
    ),
    "dense": ("dense layer", frozenset({"dense"})),
    "norm": (
        "normalization",
        frozenset(
            {"batch_norm", "layer_norm", "group_norm", "local_response_norm", "l2_normalize"}
        ),
    ),
    "activation": ("activation", frozenset({"activation"})),
    "block": ("block", frozenset()),
    "merge": ("merge", frozenset()),
    "other": ("other", frozenset()),
}
"""The colours of boxes: what the legend says, and the ops that have it."""
_NOUNS: Final = {
    "conv": "conv",
    "conv_bn": "conv",
    "depthwise_conv": "depthwise",
    "separable_conv": "separable",
    "conv_transpose": "up-conv",
    "max_pool": "max pool",
    "avg_pool": "avg pool",
    "adaptive_avg_pool": "avg pool",
    "global_avg_pool": "global avg pool",
    "global_max_pool": "global max pool",
    "local_response_norm": "LRN",
    "l2_normalize": "L2 norm",
    "zero_pad": "pad",
}
FUNCTIONS: Final = {"relu": "ReLU", "gelu": "GELU", "elu": "ELU", "silu": "SiLU", "relu6": "ReLU6"}


class Label(NamedTuple):
    """The text of a box: what it is, and its numbers."""

    main: str
    detail: str = ""

    @property
    def line(self) -> str:
        """Both in one line."""
        return ", ".join(filter(None, self))

    @property
    def lines(self) -> tuple[str, ...]:
        """The text in two lines, or one."""
        return tuple(filter(None, self))

    def times(self, count: str) -> Label:
        """The label of so many repetitions."""
        return self._replace(main=f"{count} × {self.main}") if count else self


def role_of(op: str) -> Role:
    """The colour of an op."""
    return next((role for role, (_, ops) in ROLES.items() if op in ops), "other")


def label(uses: Sequence[TypedOp]) -> Label:
    """The label of a layer. Where the ``uses`` of its block differ, it has the expression."""
    layer = uses[0]
    op = layer.op
    if isinstance(op, Activation):
        return Label(_function(value(uses, "function")))
    noun = _NOUNS.get(op.op, op.op.replace("_", " "))
    details = [_filters(uses), *_marks(uses)]
    window = _window(uses) if isinstance(op, Sliding) else ""
    main = f"{window} {noun}" if "×" in window else f"{noun} {window}".rstrip()
    return Label(main, ", ".join(filter(None, details)))


def value(uses: Sequence[TypedOp], name: str) -> str:
    """An attribute as text: its value, or the expression in the spec if the uses differ."""
    return same_or_written(uses, lambda use: getattr(use.op, name), name)


def same_or_written(uses: Sequence[TypedOp], get: Callable[[TypedOp], Any], name: str) -> str:
    """The value that all uses have, as text; else what the spec has for the attribute ``name``."""
    found = {str(get(use)) for use in uses}
    return found.pop() if len(found) == 1 else written(getattr(uses[0].node.op, name, None))


def written(given: Any) -> str:
    """A field of the spec as text: ``$filters`` is ``filters``."""
    if isinstance(given, tuple):
        return joined(map(written, given))
    text = str(getattr(given, "text", given))
    return text.removeprefix("${").removesuffix("}").replace("$", "").replace(" * ", "·")


def _filters(uses: Sequence[TypedOp]) -> str:
    op = uses[0].op
    if op.channels_field:
        return value(uses, op.channels_field)
    if isinstance(op, Scale):
        factor = value(uses, "value").removesuffix(".0").replace("-", "−")
        return "learned" if op.learned else f"×{factor}"
    for name in ("rate", "groups", "factor", "output_size", "depth_multiplier"):
        given = getattr(op, name, None)
        if given is not None and not (name == "depth_multiplier" and given == 1):
            get = partial(_numbers, name)
            text = same_or_written(uses, get, name)
            return f"×{text}" if name == "factor" else text
    return ""


def _numbers(name: str, use: TypedOp) -> str:
    given = getattr(use.op, name)
    return joined(given) if isinstance(given, tuple) else str(given)


def _window(uses: Sequence[TypedOp]) -> str:
    return same_or_written(uses, lambda use: joined(w.kernel for w in _windows(use)), "kernel_size")


def _windows(use: TypedOp) -> Sequence[Any]:
    return use.op.windows(use.x.rank) if isinstance(use.op, Sliding) else ()


def _marks(uses: Sequence[TypedOp]) -> Iterable[str]:
    """The stride, groups, dilation, and what is not as usual: no padding, no activation."""
    op = uses[0].op
    if isinstance(op, Sliding):
        stride = same_or_written(uses, lambda u: by_axis(w.stride for w in _windows(u)), "stride")
        yield "" if stride == "1" else f"/{stride}"
        dilation = same_or_written(
            uses, lambda u: by_axis(w.dilation for w in _windows(u)), "dilation"
        )
        yield "" if dilation == "1" else f"dilated {dilation}"
        if getattr(op, "groups", 1) != 1:
            yield f"{value(uses, 'groups')} groups"
        padded = {_padding(use) for use in uses}
        yield padded.pop() if len(padded) == 1 else _written_padding(uses[0].node.op)
    yield _end(uses)


def _written_padding(op: Any) -> str:
    """The padding in the spec, where its uses differ in what that means for their maps."""
    text = written(getattr(op, "padding", ""))
    return text if text in ("", "same", "valid") else f"pad {text}"


def _end(uses: Sequence[TypedOp]) -> str:
    """The activation of a layer: ``linear`` if a batch norm is all that follows a convolution."""
    op = uses[0].op
    name = getattr(op, "activation", None)
    if name is None:
        return ""
    text = value(uses, "activation")
    if text == "none":
        return "linear" if op.op == "conv_bn" else ""
    return "" if text == "relu" else _function(text)


def _function(name: str) -> str:
    return FUNCTIONS.get(name, name.replace("_", " "))


def _padding(use: TypedOp) -> str:
    """``valid`` if pixels are lost at the edges, ``pad 3`` for pixels that are not as ``same``."""
    sides = [w.padding for w in _windows(use)]
    if "same" in sides or all(
        w.pads(n) == w._replace(padding="same").pads(n)
        for w, n in zip(_windows(use), use.x.spatial, strict=True)
    ):
        return ""
    numbers = [n for pair in sides for n in pair]
    if not any(numbers):
        return "valid" if any(w.kernel > 1 for w in _windows(use)) else ""
    return f"pad {numbers[0]}" if len(set(numbers)) == 1 else "padded"
