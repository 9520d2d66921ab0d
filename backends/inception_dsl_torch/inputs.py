"""The arguments of ``forward``: the input of a network, or its inputs by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from inception_dsl.backend import (
    IN_CHANNELS,
    Code,
    ModulePlan,
    Scope,
    Symbol,
    TypedProgram,
    docstring,
)

from .build import ClassBody

IN_SIZE_CHECK: Final = frozenset({"above", "below", "head", "size"})
"""The other names in the function that checks sizes."""


@dataclass(frozen=True)
class Inputs:
    """The inputs by name: their variables in ``forward``, and the arguments of ``__init__`` for
    their channels.
    """

    typed: TypedProgram
    variables: Mapping[str, str]
    channels: Mapping[str, str]

    @property
    def several(self) -> bool:
        return self.typed.program.several

    @property
    def parameters(self) -> list[str]:
        """The parameters of a method that takes them."""
        return ["self", *(f"{name}: Tensor" for name in self.variables.values())]

    @property
    def in_init(self) -> list[str]:
        """The parameters of ``__init__`` for their channels."""
        inputs = self.typed.program.inputs
        return [f"{name}: int = {inputs[key].channels}" for key, name in self.channels.items()]

    @property
    def documented(self) -> list[str]:
        """The lines about their channels in the docstring of the class."""
        if not self.several:
            return [f"{name}: Channels of the input." for name in self.channels.values()]
        pairs = self.channels.items()
        return [f"{name}: Channels of ``{self.variables[key]}``." for key, name in pairs]

    def reading(self, symbols: Mapping[str, Symbol], scope: Scope) -> Inputs:
        """Without the arguments for channels that ``__init__`` does not read."""
        read = {n: name for n, name in self.channels.items() if symbols[n] in scope.reads}
        return replace(self, channels=read)

    def doc(self) -> Code:
        """The docstring of ``forward``, if there are several."""
        if not self.several:
            return Code("")
        lines = ["Args:"]
        for name, x in self.typed.program.inputs.items():
            shape = ", ".join(map(str, ("N", x.channels, *x.spatial)))
            lines.append(f"    {self.variables[name]}: ({shape}) in the spec.")
        end = self.typed.output_name
        end = "the output" if end == "output" else end
        return docstring(f"Compute {end}.", "\n".join(lines), indent=8)


def inputs_of(plan: ModulePlan, body: ClassBody, scope: Scope) -> Inputs:
    """The inputs of a network; those of several are variables of their own."""
    names, channels = plan.inputs, plan.definitions.top.channels
    variables = dict.fromkeys(names, "x")
    if plan.typed.program.several:
        taken = {n: (f"{n}_input",) if n in IN_SIZE_CHECK else (n, f"{n}_input") for n in names}
        variables = {name: body.local.claim(*wanted) for name, wanted in taken.items()}
        body.local.inputs = dict(variables)
    known = {n: str(scope.known[s]) for n, s in channels.items()}
    fixed = IN_CHANNELS in (plan.typed.program.literal or ())
    return Inputs(plan.typed, variables, {} if fixed else known)
