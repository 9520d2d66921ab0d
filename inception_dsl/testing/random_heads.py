"""Random ends of networks: from features to classes, for the network and its auxiliary heads."""

from __future__ import annotations

from functools import partial
from typing import Any

from .random_blocks import Step
from .random_chains import Chains
from .random_contexts import Context
from .random_fields import At
from .random_names import NO_HEADS
from .random_shapes import Misfit, Shape
from .random_terms import name


class Heads:
    """Makes the head and the auxiliary heads of one spec."""

    def __init__(self, chains: Chains) -> None:
        self.chains, self.writer = chains, chains.writer
        self.rng, self.pool, self.book = chains.rng, chains.pool, chains.book

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def classes(self, context: Context) -> Any:
        """The number of classes, as a literal, a parameter or ``$classes``."""
        known = context.values["classes"]
        return (
            self.writer.whole(context, (known,))
            if self.chance(0.3)
            else name("classes").given(self.rng)
        )

    def ending(self, at: At, context: Context, units: Any = None) -> list[Step]:
        """From features to classes."""
        steps: list[Step] = []
        if at.rank:
            pool = self.rng.choice(
                ("global_avg_pool", "global_avg_pool", "global_max_pool", "flatten")
            )
            steps.append({"op": pool})
        if self.chance(0.3):
            steps.append({"op": "dropout", "rate": self.writer.real(context, (0.2, 0.5), 0, 0.8)})
        if self.chance(0.4):
            steps.append({"op": "dense", "units": self.chains.fields.filters(context)})
        if self.chance(0.5):
            steps += self.inserted(steps, at, context)
        steps.append({"op": "dense", "units": self.classes(context) if units is None else units})
        self.chains.name(steps, context)
        shape = self.book.chain(steps, at.shape, context.environment(), self.book.defaults)
        if shape.channels != context.environment().get("classes", shape.channels):
            raise Misfit
        return steps

    def inserted(self, steps: list[Step], at: At, context: Context) -> list[Step]:
        """A use of a block that accepts vectors, if there is one."""
        known = sorted(self.book.blocks)
        shape = self.book.chain(steps, at.shape, context.environment(), self.book.defaults)
        self.rng.shuffle(known)
        for block in known[:4]:
            if block in context.own:
                continue
            vector = At(shape, None)
            called = partial(self.chains.called, block, vector, context)
            made = self.chains.attempt(called, vector, context)
            if made is not None:
                return [made[0]]
        return []

    def some(self, taps: dict[str, At], context: Context) -> dict[str, Step]:
        """Auxiliary classifiers: a chain of steps, or one use of a block."""
        found: dict[str, Step] = {}
        if not taps or not self.chance(0.5):
            return found
        for _ in range(self.rng.choice((1, 1, 2))):
            after = self.rng.choice(sorted(taps))
            at = taps[after]
            values = {**context.environment(), "in_channels": at.shape.channels}
            inner = Context(values, open=False, own=(after,), literal=0.1)
            steps = self.used_head(at, inner) if self.chance(0.4) else self.written_head(at, inner)
            taken = {*taps, *found, *self.book.blocks, *NO_HEADS}
            head = self.pool.pick("aux", taken, tuple(context.parameters))
            found[head] = {"after": after, "loss_weight": 0.4, "steps": steps}
        return found

    def written_head(self, at: At, context: Context) -> list[Step]:
        """Steps of its own."""
        self.book.layers = 0
        steps, end = self.chains.chain(
            At(at.shape, name("in_channels")), self.rng.choice((0, 1, 1, 2)), context
        )
        for step in steps:
            step.pop("name", None)
        steps += self.ending(end, context)
        for step in steps:
            step.pop("name", None)
        self.chains.name(steps, context)
        return steps

    def used_head(self, at: At, context: Context) -> list[Step]:
        """One use of a block whose number of output units is a parameter."""
        self.book.layers = 0
        classes = context.values["classes"]

        def ends(end: At, inner: Context) -> list[Step]:
            units = self.writer.parameter(inner, "int", classes, (classes,))
            return self.ending(end, inner, units)

        block = self.chains.block(at, context, ends=ends)
        step = self.chains.called(block, At(at.shape, name("in_channels")), context)
        shape = self.book.after(step, at.shape, context.environment())
        if shape != Shape((), classes):
            raise Misfit
        return [step]
