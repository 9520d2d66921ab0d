"""The inputs of the model: their shapes are arguments of its function, which checks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from inception_dsl.backend import (
    AXES,
    IN_CHANNELS,
    AxisSizes,
    Code,
    Group,
    Item,
    ModulePlan,
    Scope,
    SizeRule,
    TensorType,
    When,
    call,
    layout,
    literal,
    raised,
    size_checks,
    size_rules,
    unequal_sizes,
)

from .printing import broken
from .views import CheckView

SHAPE: Final = "input_shape"
_FLAGS: Final[Mapping[When, str]] = {"": "", "head": "include_top", "heads": "aux_logits"}


def shape_arguments(plan: ModulePlan) -> dict[str, str]:
    """The argument for the shape of each input."""
    several = plan.typed.program.several
    return {name: f"{name}_shape" if several else SHAPE for name in plan.inputs}


@dataclass(frozen=True)
class Inputs:
    """The inputs by name, with the arguments for their shapes."""

    plan: ModulePlan
    shapes: Mapping[str, str]

    @property
    def several(self) -> bool:
        return self.plan.typed.program.several

    @property
    def reserved(self) -> set[str]:
        """The names that the function reads for them, and that no variable may have."""
        return {*self.shapes.values(), *["list"] * self.several}

    @property
    def sources(self) -> dict[str, str]:
        """What holds each of several inputs."""
        return {name: f'inputs["{name}"]' for name in self.plan.inputs} if self.several else {}

    @property
    def parameters(self) -> list[str]:
        """The parameters of the function."""
        return [
            f"{shape}: tuple[{', '.join([*['int | None'] * x.rank, 'int'])}] = {literal(x.shape)}"
            for shape, x in zip(self.shapes.values(), self.plan.inputs.values(), strict=True)
        ]

    @property
    def documented(self) -> list[str]:
        """The lines of the docstring's ``Args``."""
        sizes = "Spatial sizes, then channels; None for a size that may vary."
        if not self.several:
            return [f"{SHAPE}: {sizes}"]
        first, *_ = self.shapes.values()
        return [
            f"{shape}: {sizes if shape == first else f'The shape of `{name}`.'}"
            for name, shape in self.shapes.items()
        ]

    @property
    def note(self) -> str:
        """How the model takes several inputs."""
        if not self.several:
            return ""
        keys = ", ".join(f"`{name}`" for name in self.plan.inputs)
        return (
            f"The model takes a list of inputs in the order of their shapes, or a dict of {keys}."
        )

    def channels(self, scope: Scope) -> tuple[Code, ...]:
        """The lines that assign the channels of inputs, where they are read."""
        symbols = self.plan.definitions.top.channels
        return tuple(
            Code(f"    {scope.known[symbols[name]]} = {shape}[-1]")
            for name, shape in self.shapes.items()
            if symbols[name] in scope.reads
        )

    def made(self) -> Code:
        """The statement that makes them."""
        if not self.several:
            return Code(f'    inputs = keras.Input({SHAPE}, name="input")')
        items = tuple(
            Item(f'"{name}": keras.Input({shape}, name="{name}")')
            for name, shape in self.shapes.items()
        )
        return layout("inputs = ", Group("{", items, "}", rows=True), indent=4)

    def model(self, outputs: Group | str, indent: int) -> Code:
        """The statement that returns the model; it takes several inputs in order, or by name."""
        given = "list(inputs.values())" if self.several else "inputs"
        made = call("keras.Model", given, outputs, Item("name", "name"))
        return broken("return ", made, "", indent, "")

    def checks(self) -> list[CheckView]:
        """The tests for shapes that no model can have, with the messages."""
        return [self.check(name, x) for name, x in self.plan.inputs.items()]

    def check(self, name: str, x: TensorType) -> CheckView:
        """The test for the shape of an input."""
        shape, sizes = self.shapes[name], f"{x.rank} size{'s' * (x.rank > 1)} and " * bool(x.rank)
        of = f" of {name}" * self.several
        wanted = f"{{name}} needs {sizes}the number of channels{of}, got {{{shape}}}"
        test = f"not {shape}[-1]"
        if IN_CHANNELS in (self.plan.typed.program.literal or ()):
            wanted = wanted.replace("the number of channels", f"{x.channels} channels")
            test = f"{shape}[-1] != {x.channels}"
        return CheckView(Code(f"len({shape}) != {x.rank + 1} or {test}"), raised(wanted, 8))

    def size_checks(self, *, features: bool) -> tuple[Code, ...]:
        """The lines that check the sizes that are given; empty if every size runs.

        ``features``: the model can be built without its head.
        """
        found: list[Code] = []
        for name, sizes in self.plan.all_sizes.items():
            found += self.sizes(name, size_rules(sizes, features=features))
        for names, axes in self.plan.tied.items():
            every = len(axes) == self.plan.typed.program.rank
            places = [":-1"] if every else [str(axis) for axis in axes]
            first, *others = (self.shapes[name] for name in names)
            tests = [f"{shape}[{at}] != {first}[{at}]" for shape in others for at in places]
            found += unequal_sizes(self.plan.typed, "{name}", names, axes, tests)
        return tuple(found)

    def sizes(self, name: str, rules: Sequence[SizeRule]) -> tuple[Code, ...]:
        """The lines that check the sizes of an input."""
        shape, spatial = self.shapes[name], self.plan.inputs[name].spatial
        subject = f"{name} of {{name}}" if self.several else "{name}"
        lines = size_checks(rules, _FLAGS, subject, f"{{{shape}}}", f"None in {shape}")
        if not lines:
            return ()
        axes = AXES[len(spatial)]
        read = [any(rule.sizes[i] != AxisSizes(1) for rule in rules) for i in range(len(axes))]
        if len(spatial) > 1 and len(set(spatial)) == 1 and all(read):
            taken = f"({spatial[0]} if n is None else n for n in {shape}[:-1])"
            return Code(f"    {', '.join(axes)} = {taken}"), *lines
        given = (
            Code(f"    {axis} = {own} if {shape}[{i}] is None else {shape}[{i}]")
            for i, (axis, own) in enumerate(zip(axes, spatial, strict=True))
            if read[i]
        )
        return *given, *lines
