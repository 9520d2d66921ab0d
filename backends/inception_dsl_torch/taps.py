"""The outputs of a network besides its own: their variables, and where they are computed."""

from __future__ import annotations

from functools import cached_property

from inception_dsl.backend import Locals, ModulePlan, Names, Tap

from .attributes import attribute
from .results import Variable


class Taps:
    """The heads, then the other outputs (``all``).

    Auxiliary heads run on the way to the output, in training only; other heads run in ``forward``
    on what is given there.
    """

    def __init__(self, plan: ModulePlan, local: Locals, names: Names) -> None:
        self.sections = plan.definitions.top.sections
        self.inner: list[Variable] = []
        heads = [
            Variable(t, local.claim(t.name, f"{t.name}_head"), names.unique(attribute((t.name,))))
            for t in plan.taps
            if t.head is not None
        ]
        outputs = [tap for tap in plan.taps if tap.head is None]
        plain = [Variable(tap, local.claim(tap.name, f"{tap.name}_output")) for tap in outputs]
        sources = self._sources(heads, plain, local)
        self.all = [
            tap if tap.auxiliary else tap._replace(source=sources[tap.tap.after]) for tap in heads
        ]
        self.all += plain

    def _sources(
        self, heads: list[Variable], plain: list[Variable], local: Locals
    ) -> dict[str, str]:
        """The inputs of the heads that run in ``forward``, by step: the variable of an output, the
        features, or a variable of their own.
        """
        found = {tap.tap.after: tap.variable for tap in plain}
        steps = [*self.sections["stem"].steps, *self.sections["body"].steps]
        if steps and steps[-1].node.segments:
            found.setdefault(steps[-1].node.segments[-1], "x")
        for tap in heads:
            after = tap.tap.after
            if not tap.auxiliary and after not in found:
                found[after] = local.claim(after, f"{after}_output")
                self.inner.append(Variable(Tap(after, after, None), found[after]))
        return found

    @cached_property
    def auxiliary(self) -> list[Variable]:
        return [tap for tap in self.all if tap.auxiliary]

    @cached_property
    def further(self) -> list[Variable]:
        """The outputs in inference, besides the network's own."""
        return [tap for tap in self.all if not tap.auxiliary]

    @cached_property
    def called(self) -> list[Variable]:
        """The heads that run in ``forward``."""
        return [tap for tap in self.all if tap.source]

    @cached_property
    def given(self) -> list[Variable]:
        """What is computed on the way to the output, besides it: auxiliary heads, plain outputs,
        the inputs of other heads.
        """
        return [*(tap for tap in self.all if not tap.source), *self.inner]

    @cached_property
    def late(self) -> list[Variable]:
        """What is given inside of the head."""
        head = {s.node.segments[-1] for s in self.sections["head"].steps if s.node.segments}
        return [tap for tap in self.given if not tap.auxiliary and tap.tap.after in head]

    @cached_property
    def early(self) -> list[Variable]:
        """What is given before the head."""
        return [tap for tap in self.given if tap not in self.late]
