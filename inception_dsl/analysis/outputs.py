"""Checks the outputs of a network once its steps have types."""

from __future__ import annotations

from collections.abc import Set

from ..ir.program import Program
from .splits import Splits


class Outputs(Splits):
    """Checks the names of outputs and heads, and the steps that they are on."""

    program: Program

    def taken(self, final: str) -> bool:
        """Whether a head or an output has the name of the final output; reports it there.

        No network has another output called ``logits``, which was reported before.
        """
        program = self.program
        if final == "logits":
            return False
        found = [head.origin.path for head in program.heads if head.name == final]
        found += [("outputs", name) for name in program.outputs if name == final]
        for path in found:
            span = program.origin.document.key_span(path)
            self.error("E307", f"the name `{final}` is that of the network's final output", span)
        return bool(found)

    def left_out(self, absent: Set[str]) -> bool:
        """Whether a head or an output is on a step that ``repeat`` leaves out; reports it there."""
        program = self.program
        found = [(head.after, head.origin.below("after")) for head in program.heads]
        found += [(a, program.origin.below("outputs", n)) for n, a in program.outputs.items()]
        found = [(step, origin) for step, origin in found if step in absent]
        for step, origin in found:
            self.no_output(step, origin)
        return bool(found)
