"""The small helper classes and functions that a generated file uses beside its blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from inception_dsl.backend import (
    Argument,
    Code,
    Expression,
    Form,
    Read,
    docstring,
    literal,
    name,
    signature,
)

from .activations import needs_partial
from .composites import CompositeCall
from .conv_bn import ConvBns
from .helper_view import HelperView
from .norms import norm_function
from .separable_conv import SeparableConvs

ORDER: Final = (
    "pixel_shuffle",
    "pixel_unshuffle",
    "same_padding",
    "same_conv",
    "same_conv_transpose",
    "same_pool",
    "padded_avg_pool",
    "channel_layer_norm",
    "channel_pool",
    "norm",
    "flatten",
    "scale",
    "layer_scale",
    "drop_path",
    "l2_normalize",
    "composite",
    "skip_init",
)
"""The templates of helpers in print order, as later ones use earlier ones."""
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "same_padding": ("F", "torch"),
    "channel_layer_norm": ("F",),
    "same_conv_transpose": ("F",),
    "layer_scale": ("torch",),
    "drop_path": ("F",),
    "l2_normalize": ("F",),
    "padded_avg_pool": ("F", "torch"),
    "skip_init": ("Any", "Callable", "TorchFunctionMode", "nullcontext"),
    "same_pool.same_avg_pool": ("torch",),
}
"""What templates import beside ``nn`` and ``Tensor``."""


class Helpers:
    """Names the helpers that the lowering requests, and prints only these.

    ``last`` is the form of an activation after a layer.
    """

    def __init__(self, last: Form) -> None:
        self.last = last
        self.found: dict[str, HelperView] = {}
        self.needed: set[str] = {"nn"}
        self.conv_bns, self.separable_convs = ConvBns(), SeparableConvs()
        self.dilated = False
        self.rank = 0

    def state(self) -> Any:
        """A snapshot for :meth:`restore`."""
        calls = len(self.conv_bns.calls), len(self.separable_convs.calls)
        return len(self.found), set(self.needed), calls, self.dilated

    def restore(self, state: Any) -> None:
        """Undo everything requested since the snapshot."""
        found, needed, calls, self.dilated = state
        self.needed = set(needed)
        del self.conv_bns.calls[calls[0] :]
        del self.separable_convs.calls[calls[1] :]
        while len(self.found) > found:
            self.found.popitem()

    def needs(self, *names: str) -> None:
        """Import ``names``: ``torch``, ``F``, ``Tensor``, ``Callable``, ``NamedTuple``."""
        self.needed.update(names)

    def views(self) -> tuple[HelperView, ...]:
        """The helpers in print order."""
        found = [view for key, view in self.found.items() if key != "same_padding"]
        if "same_padding" in self.found:
            found.append(self._same_padding_view())
        composites = (self.conv_bns, self.separable_convs)
        found += [composite.view(self) for composite in composites if composite.calls]
        return tuple(sorted(found, key=lambda h: ORDER.index(_template(h).split(".")[0])))

    def _add(self, template: str, helper: str, **fields: Any) -> str:
        self.found.setdefault(
            helper, HelperView(f"helpers/{template}.py.j2", name(helper), **fields)
        )
        self.needs("Tensor", *NEEDS.get(template, ()))
        return helper

    def _same_padding(self, rank: int, *, dilation: bool) -> None:
        self.rank = rank
        self.dilated |= dilation
        self._add("same_padding", "same_padding")

    def _same_padding_view(self) -> HelperView:
        view = self.found["same_padding"]
        sizes, spanned = f"tuple[{', '.join(['int'] * self.rank)}]", "k"
        parameters = ["x: Tensor", f"kernel_size: {sizes}", f"stride: {sizes}"]
        if self.dilated:
            parameters.append(f"dilation: {sizes} = {literal((1,) * self.rank)}")
            spanned = "(k - 1) * dilation[axis] + 1"
        head = signature("same_padding", parameters, "list[int]")
        axes = literal(tuple(reversed(range(self.rank))))  # F.pad takes the last axis first
        return view._replace(head=head, lines=(axes,), result=Code(spanned))

    def arguments(self, arguments: Iterable[Argument]) -> None:
        """Import what the types and values of arguments need."""
        for argument in arguments:
            if argument.kind.startswith("Callable"):
                self.needs("Callable")
                if needs_partial(map(argument.form.write, argument.values)):
                    self.needs("partial")

    def conv(self, rank: int, sized: Code) -> Code:
        """The class of a convolution.

        ``sized``: its padding is computed from the input size; a flag, or the name of one.
        """

        def one(sized: bool) -> Code:
            base = f"nn.Conv{rank}d"
            if not sized:
                return Code(base)
            self._same_padding(rank, dilation=True)
            return Code(self._add("same_conv", f"SameConv{rank}d", base=Code(base)))

        return _either(sized, one)

    def conv_transpose(self, rank: int, sized: Code) -> Code:
        """The class of a transposed convolution; ``sized``: its padding is ``same``, as above."""
        base, axes = Code(f"nn.ConvTranspose{rank}d"), literal(tuple(reversed(range(rank))))
        fields: dict[str, Any] = {"lines": (axes,), "result": Code(f"F.conv_transpose{rank}d")}

        def one(sized: bool) -> Code:
            if not sized:
                return base
            helper = f"SameConvTranspose{rank}d"
            return Code(self._add("same_conv_transpose", helper, base=base, **fields))

        return _either(sized, one)

    def pool(self, kind: str, sized: Code, counted: Code) -> Code:
        """The class of a pool.

        ``sized``: its padding is computed from the input size; ``counted``: an average that
        includes its padding. Both are flags or names of flags.
        """

        def same(counted: bool) -> Code:
            return Code(self._same_pool(kind, counted=counted and kind.startswith("Avg")))

        def one(sized: bool) -> Code:
            return _either(counted, same) if sized else Code(f"nn.{kind}")

        return grouped(_either(sized, one))

    def _same_pool(self, kind: str, *, counted: bool) -> str:
        self._same_padding(int(kind[-2]), dilation=False)
        average = "same_counted_pool" if counted else "same_avg_pool"
        template = "same_max_pool" if kind.startswith("Max") else average
        helper = f"Same{'Counted' if counted else ''}{kind}"
        return self._add(
            f"same_pool.{template}", helper, base=Code(f"nn.{kind}"), result=_function(kind)
        )

    def padded_avg_pool(self, kind: str) -> str:
        """The class of an average pool whose padding differs between sides."""
        base, rank = Code(f"nn.{kind}"), int(kind[-2])
        sizes = Code("int" if rank == 1 else f"int | tuple[{', '.join(['int'] * rank)}]")
        fields: dict[str, Any] = {"lines": (sizes,), "result": _function(kind)}
        return self._add("padded_avg_pool", f"Padded{kind}", base=base, **fields)

    def channel_layer_norm(self) -> str:
        return self._add("channel_layer_norm", "ChannelLayerNorm", base=Code("nn.LayerNorm"))

    def skip_init(self) -> str:
        return self._add("skip_init", "SkipInit")

    def flatten(self) -> str:
        return self._add("flatten", "FlattenChannelsLast")

    def pixel_shuffle(self, rank: int) -> str:
        """The class that moves channels into blocks of pixels; PyTorch has it for two axes."""
        axes = [axis for n in range(rank) for axis in (2 + rank + n, 2 + n)]
        flat = (f".flatten({n}, {n + 1})" for n in range(2 * rank, 0, -2))
        return self._blocks("pixel_shuffle", rank, [0, 1, *axes], "".join(flat))

    def pixel_unshuffle(self, rank: int) -> str:
        """The class that moves blocks of pixels into channels."""
        axes = [*range(3, 3 + 2 * rank, 2), *range(2, 2 + 2 * rank, 2)]
        split = (f".unflatten({n}, (-1, r))" for n in range(1 + rank, 1, -1))
        return self._blocks("pixel_unshuffle", rank, [0, 1, *axes], "".join(split))

    def _blocks(self, template: str, rank: int, axes: list[int], reshaped: str) -> str:
        helper = "PixelShuffle" if template == "pixel_shuffle" else "PixelUnshuffle"
        if rank == 2:
            return f"nn.{helper}"
        lines = Code(", ".join(map(str, axes))), Code(reshaped), Code(", ".join(["r"] * rank))
        words = f"``nn.{helper}`` for {'one axis' if rank == 1 else 'three axes'}."
        doc = docstring(words, indent=4)
        result = Code(str(rank + 1))
        return self._add(template, f"{helper}{rank}d", doc=doc, lines=lines, result=result)

    def scale(self) -> str:
        return self._add("scale", "Scale")

    def layer_scale(self) -> str:
        return self._add("layer_scale", "LayerScale")

    def l2_normalize(self) -> str:
        return self._add("l2_normalize", "L2Normalize")

    def drop_path(self) -> str:
        return self._add("drop_path", "DropPath")

    def channel_pool(self, kind: str) -> str:
        """The class of the mean (``Avg``) or the maximum (``Max``) over the channels."""
        average = kind == "Avg"
        title = "mean" if average else "maximum"
        doc = docstring(f"The {title} over the channels at every position.", indent=4)
        function = Code("mean" if average else "amax")
        return self._add("channel_pool", f"Channel{kind}Pool", doc=doc, result=function)

    def norm(self, base: str, scale: Code, center: Code) -> Code:
        """What creates a normalisation; ``scale`` and ``center`` are flags or names of flags."""
        return _either(scale, lambda s: _either(center, lambda c: Code(self._norm(base, s, c))))

    def _norm(self, base: str, scale: bool, center: bool) -> str:
        if scale and center:
            return base
        view = norm_function(base, scale, center)
        self.found.setdefault(view.name, view)
        return view.name

    def conv_bn(self, rank: int, made: CompositeCall) -> Expression:
        """A call of ``ConvBN``."""
        self.needs("Tensor")
        return self.conv_bns.add(rank, made)

    def separable_conv(self, rank: int, made: CompositeCall) -> Expression:
        """A call of ``SeparableConv``."""
        self.needs("Tensor")
        return self.separable_convs.add(rank, made)


def _function(kind: str) -> Code:
    """``F.max_pool2d`` for ``MaxPool2d``."""
    return Code(f"F.{kind[:3].lower()}_{kind[3:].lower()}")


def _template(view: HelperView) -> str:
    return view.template.split("/")[1]


def grouped(kind: Code) -> Code:
    """A class in a call: a conditional expression is in parentheses."""
    return Read(f"({kind})") if isinstance(kind, Read) else kind


def _either(flag: Code, text: Callable[[bool], Code]) -> Code:
    """``text`` of a flag; if the flag is a name, a conditional expression of both values."""
    if not isinstance(flag, Read):
        return text(flag == "True")
    yes, no = (f"({t})" if isinstance(t, Read) else t for t in (text(True), text(False)))
    return Read(f"{yes} if {flag} else {no}")
