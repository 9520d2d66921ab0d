"""Random chains with expressions as values: layers, forks, and uses of blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from .random_blocks import NOTHING, Block, Step
from .random_contexts import Context
from .random_fields import At
from .random_joins import MOST_LAYERS, Forks
from .random_names import FIELDS
from .random_shapes import Misfit, Shape
from .random_splits import parts
from .random_terms import LONGEST, Piece, add, multiply, name, piece_of

TRIES: Final = 10


class Chains(Forks):
    """Makes the steps of one spec."""

    def chain(self, at: At, length: int, context: Context) -> tuple[list[Step], At]:
        """At most ``length`` steps, and their output."""
        steps: list[Step] = []
        ends: list[At] = []
        for _ in range(length):
            found = self.again(steps, ends, at, context) or self.step(at, context)
            if found is None:
                break
            steps.append(found[0])
            at = found[1]
            ends.append(at)
        self.name(steps, context)
        return steps, at

    def step(self, at: At, context: Context) -> tuple[Step, At] | None:
        """One more step, or ``None`` if the spec has enough layers."""
        for _ in range(TRIES):
            if self.book.layers >= MOST_LAYERS:
                return None
            found = self.attempt(lambda: self.made(at, context), at, context)
            if found is not None:
                return found
        return None

    def attempt(
        self,
        make: Callable[[], Step],
        at: At,
        context: Context,
        earlier: Mapping[str, Shape] = NOTHING,
    ) -> tuple[Step, At] | None:
        """A step and its output; if it does not fit, everything that it added is removed.

        ``earlier`` are the outputs of named steps of its chain.
        """
        layers, blocks, parameters = (
            self.book.layers,
            set(self.book.blocks),
            dict(context.parameters),
        )
        try:
            step = make()
            self.book.layers = layers
            self.book.earlier = {**earlier}
            shape = self.book.after(step, at.shape, context.environment())
            if self.book.layers > MOST_LAYERS + 6:
                raise Misfit
            return step, At(shape, self.channels(step, at, context))
        except Misfit:
            self.book.layers = layers
            context.restore(parameters)
            for new in [n for n in self.book.blocks if n not in blocks]:
                del self.book.blocks[new]
        return None

    def made(self, at: At, context: Context) -> Step:
        """A use, a fork or a layer, sometimes repeated."""
        roll = self.rng.random() if context.depth < 3 and not context.flat else 1.0
        share = 0.3 if context.block else 0.45
        if roll < share:
            step = self.use(at, context)
        elif roll < share + 0.18:
            step = self.rng.choice(self.kinds)(at, context)
        else:
            step = self.fields.made(self.fields.kind(at, plain=context.flat), at, context)
        if self.chance(0.12):
            # code for a number that may be 0 has other arguments than code for one that is not
            step["repeat"] = 0 if self.chance(0.1) else self.writer.whole(context, (1, 2, 2, 3))
        return step

    def channels(self, step: Step, at: At, context: Context) -> Piece | None:
        """The expression for the channels after a step, if known."""
        found = self._channels(step, at, context)
        if found is not None and len(found.text) > LONGEST // 2:
            return None
        return found

    def _channels(self, step: Step, at: At, context: Context) -> Piece | None:
        if step.get("repeat") == 0:
            return at.channels
        if "use" in step or "after" in step:
            return None
        if "branches" in step:
            inputs = zip(
                step["branches"].values(), parts(step, at, context.environment()), strict=True
            )
            ends = [self.ends(steps, start, context) for steps, start in inputs]
            if step["merge"] != "concat":
                return ends[-1]
            total: Piece | None = ends[0]
            for end in ends[1:]:
                total = add(total, end) if total is not None and end is not None else None
            return total
        if step["op"] == "depthwise_conv" and "depth_multiplier" in step and at.channels:
            factor = piece_of(step["depth_multiplier"])
            return multiply(at.channels, factor) if factor and "repeat" not in step else None
        if step.get("over", "positions") != "positions":
            return None
        if step["op"] in ("flatten", "space_to_depth", "depth_to_space"):
            return None if at.rank else at.channels
        written = step.get("filters", step.get("units"))
        return at.channels if written is None else piece_of(written)

    def ends(self, steps: list[Step], at: At, context: Context) -> Piece | None:
        """The expression for the channels after several steps."""
        found = at.channels
        for step in steps:
            found = self.channels(step, At(at.shape, found), context)
        return found

    def use(self, at: At, context: Context) -> Step:
        """A use of an existing block, or of a new one."""
        known = sorted(self.book.blocks)
        if known and self.chance(0.7):
            return self.called(self.rng.choice(known), at, context)
        return self.called(self.block(at, context), at, context)

    def called(self, block: str, at: At, context: Context) -> Step:
        """A use of a block, with arguments that fit its input."""
        for _ in range(TRIES):
            step: Step = {"use": block}
            kept = dict(context.parameters)
            for own, parameter in self.book.blocks[block].parameters.items():
                if own not in FIELDS and (not parameter.optional or self.chance(0.6)):
                    step[own] = self.writer.argument(context, parameter)
            layers = self.book.layers
            try:
                self.book.after(step, at.shape, context.environment())
                return step
            except Misfit:
                context.restore(kept)
            finally:
                self.book.layers = layers
        raise Misfit

    def block(
        self, at: At, context: Context, *, ends: Callable[[At, Context], list[Step]] | None = None
    ) -> str:
        """The name of a new block for the input ``at``."""
        taken = {*self.book.blocks, *context.own}
        block = self.pool.pick("unit", taken, tuple(context.parameters))
        inner = Context(
            {"in_channels": at.shape.channels},
            block=True,
            own=(*context.own, block),
            depth=context.depth + 1,
        )
        inner.literal = self.rng.choice((0.05, 0.25, 0.5))
        inner.flat = ends is None and self.chance(0.2)
        steps, end = self.chain(
            At(at.shape, name("in_channels")), self.rng.choice((1, 2, 2, 3)), inner
        )
        if ends is not None:
            steps += ends(end, inner)
            self.name(steps, inner)
        if not steps:
            raise Misfit
        self.book.blocks[block] = Block(steps, inner.parameters)
        return block

    def name(self, steps: list[Step], context: Context) -> None:
        """Name the steps that need a name for unique paths, and some others."""
        taken: set[str] = set()
        for step in steps:
            if "branches" in step and "name" not in step:
                taken |= set() if len(steps) > 1 else set(step["branches"])
            taken |= {step["name"]} if "name" in step else set()
        for step in steps:
            if "name" in step:
                continue
            fork, used = "branches" in step, step.get("use")
            needed = (fork and len(steps) > 1) or (used is not None and used in taken)
            if needed or self.chance(0.35):
                also = (*context.parameters, *context.own)
                step["name"] = self.pool.pick("layer", {*taken, *self.book.blocks}, also)
                if self.chance(0.2) and used is not None and used not in taken:
                    step["name"] = used
                taken.add(step["name"])
            elif used is not None:
                taken.add(used)
