"""Helper classes for all ops of one kind in a file; settings that vary are arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple, Protocol

from inception_dsl.backend import Code, Expression, Group, Item, Later, call, layout, varying

from .activations import needs_partial
from .windows import Slide


class Importer(Protocol):
    """Records what a file imports."""

    def needs(self, *names: str) -> None:
        """Import ``names``."""


class CompositeCall(NamedTuple):
    """One call of the class: channels, window, other settings.

    ``function`` is the name of the activation, empty if that is an argument or not in the class.
    """

    channels: Code
    filters: Code
    slide: Slide
    options: Mapping[str, Code]
    function: str = ""


class Composite:
    """All calls of one helper class of a file, whose name is ``name``."""

    name: ClassVar[str]

    def __init__(self) -> None:
        self.calls: list[CompositeCall] = []
        self.found: dict[str, Code | None] | None = None
        self.rank = 0

    def add(self, rank: int, made: CompositeCall) -> Expression:
        """Add a call; it is printed later, when all calls are known.

        It passes the settings that differ from the defaults, which are the most common values.
        """
        self.calls.append(made)
        self.rank = rank
        return Later(lambda: self._call(made))

    def _call(self, made: CompositeCall) -> Group:
        varied = self.varied()
        keywords: dict[str, Expression] = dict(made.slide.keywords)
        keywords |= {
            k: made.options[k] for k, common in varied.items() if made.options[k] != common
        }
        return call(self.name, made.channels, made.filters, **keywords)

    def varied(self) -> dict[str, Code | None]:
        """The options that vary, computed at first use, when all calls are known."""
        if self.found is None:
            self.found = varying([c.options for c in self.calls])
        return self.found

    def values(self) -> dict[str, Code]:
        """What the class writes for each option: its argument, or its value in all calls."""
        first, varied = self.calls[0].options, self.varied()
        return {key: Code(key) if key in varied else first[key] for key in first}

    def convolution(
        self, attribute: str, kind: Code, filters: Code, *more: tuple[str, Code, str]
    ) -> Code:
        """The line that makes the convolution with the window of the class.

        ``more`` are further keywords, each with the value that is not written.
        """
        items = [Item(Code("in_channels")), Item(filters)]
        window = self.window()
        items += [Item(Code(k), "" if k in ("kernel_size", "stride") else k) for k in window]
        items += [Item(value, key) for key, value, usual in more if value != usual]
        return layout(f"self.{attribute} = ", Group(f"{kind}(", tuple(items)), indent=8)

    def window(self) -> dict[str, str]:
        """The window arguments that some call passes, each with its type."""
        found = {}
        for key in ("kernel_size", "stride", "padding", "dilation"):
            given = [c.slide for c in self.calls if key in c.slide.keywords]
            kinds = ["int"]
            if any(key in slide.pairs for slide in given):
                kinds.append(f"tuple[{', '.join(['int'] * self.rank)}]")
            if key == "padding" and any(slide.word for slide in given):
                kinds.append("str")
            if given:
                found[key] = " | ".join(kinds)
        return found

    def parameters(self, helpers: Importer) -> Sequence[str]:
        """The parameters of ``__init__``."""
        varied, window = self.varied(), self.window()
        types = {"bias": "bool", "eps": "float", "momentum": "float", "groups": "int"}
        types |= {"activation": "Callable[[], nn.Module]", "norm": "Callable[..., nn.Module]"}
        types |= {"conv": f"type[nn.Conv{self.rank}d]", "depth_multiplier": "int"}
        defaults = {"kernel_size": "", "stride": " = 1", "padding": " = 0", "dilation": " = 1"}
        if "activation" in varied or "norm" in varied:
            helpers.needs("Callable")
        needed = [f"{key}: {types[key]}" for key, value in varied.items() if value is None]
        given = [f"{k}: {kind}{defaults[k]}" for k, kind in window.items()]
        for key, value in varied.items():
            if value is not None and needs_partial([value]):  # no calls in default values
                given.append(f"{key}: {types[key]} | None = None")
            elif value is not None:
                given.append(f"{key}: {types[key]} = {value}")
        required = given[:1]  # the kernel size has no default
        return ["self", "in_channels: int", "out_channels: int", *required, *needed, *given[1:]]
