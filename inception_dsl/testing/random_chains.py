"""Random chains with expressions as values: layers, forks, and uses of blocks."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from .random_blocks import Block, Step
from .random_contexts import Context
from .random_fields import FILTERS, At, Fields
from .random_names import FIELDS, Pool
from .random_ranges import Ranged
from .random_sizes import POOLS, Misfit
from .random_splits import parts
from .random_terms import LONGEST, Piece, add, multiply, name, piece_of

TRIES: Final = 10
MOST_LAYERS: Final = 14
KEEPERS: Final = ("conv", "conv", "conv_bn", "conv_bn", "depthwise_conv", "avg_pool", "max_pool")


class Chains:
    """Makes the steps of one spec."""

    def __init__(self, rng: random.Random, pool: Pool, book: Ranged, fields: Fields) -> None:
        self.rng, self.pool, self.book, self.fields = rng, pool, book, fields
        self.writer = fields.writer
        self.forks = (self.concat, self.concat, self.sum, self.excite, self.split)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def chain(self, at: At, length: int, context: Context) -> tuple[list[Step], At]:
        """At most ``length`` steps, and their output."""
        steps: list[Step] = []
        for _ in range(length):
            found = self.step(at, context)
            if found is None:
                break
            steps.append(found[0])
            at = found[1]
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

    def attempt(self, make: Callable[[], Step], at: At, context: Context) -> tuple[Step, At] | None:
        """A step and its output; if it does not fit, everything that it added is removed."""
        layers, blocks, parameters = (
            self.book.layers,
            set(self.book.blocks),
            dict(context.parameters),
        )
        try:
            step = make()
            self.book.layers = layers
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
            step = self.rng.choice(self.forks)(at, context)
        else:
            step = self.fields.made(self.fields.kind(at, plain=context.flat), at, context)
        if self.chance(0.12):
            step["repeat"] = self.writer.whole(context, (1, 2, 2, 3))
        return step

    def channels(self, step: Step, at: At, context: Context) -> Piece | None:
        """The expression for the channels after a step, if known."""
        found = self._channels(step, at, context)
        if found is not None and len(found.text) > LONGEST // 2:
            return None
        return found

    def _channels(self, step: Step, at: At, context: Context) -> Piece | None:
        if "use" in step:
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

    # forks

    def inner(self, context: Context) -> Context:
        return Context(
            context.values,
            context.parameters,
            context.open,
            context.block,
            context.own,
            context.literal,
            context.flat,
            context.depth + 1,
        )

    def concat(self, at: At, context: Context) -> Step:
        """Branches that keep the spatial size, or divide it by the same stride."""
        inner = self.inner(context)
        stride = self.writer.whole(context, (1, 2)) if at.rank and self.chance(0.3) else None
        branches = [self.branch(at, inner, stride) for _ in range(self.rng.choice((2, 2, 3)))]
        if stride is None and self.chance(0.25):
            branches[self.rng.randrange(len(branches))] = []
        return self.fork(branches, "concat", context)

    def branch(self, at: At, context: Context, stride: Any = None, last: Any = None) -> list[Step]:
        """A chain that keeps the spatial size or divides it by ``stride``, to ``last`` channels."""
        steps: list[Step] = []
        if self.chance(0.6) and stride is None:
            found = self.step(at, context)
            if found is not None and found[1].shape.spatial == at.shape.spatial:
                steps.append(found[0])
                at = found[1]
        step = self.keeper(at, context, stride)
        if last is not None:
            if "filters" not in step and "units" not in step:
                steps.append(step)
                step = self.fields.made("conv" if at.rank else "dense", at, context)
                step |= {"kernel_size": 1} if at.rank else {}
                step = {k: v for k, v in step.items() if k not in ("padding", "stride", "dilation")}
            step["filters" if at.rank else "units"] = last
            step.pop("groups", None)
        steps.append(step)
        self.name(steps, context)
        return steps

    def keeper(self, at: At, context: Context, stride: Any) -> Step:
        """A layer that keeps the spatial size, or divides it by a stride."""
        if not at.rank:
            return self.fields.made("dense", at, context)
        kind = self.rng.choice([k for k in KEEPERS if at.rank < 3 or k not in POOLS])
        found = {} if kind in POOLS else self.fields.outcome(kind, at, context)
        return {"op": kind, **found, **self.fields.keeping(kind, at, context, stride)}

    def sum(self, at: At, context: Context) -> Step:
        """A sum or product, with or without a shortcut; one-channel branches are broadcast."""
        inner = self.inner(context)
        plain = self.chance(0.6)
        if plain:
            last: Any = at.channels.given(self.rng) if at.channels else at.shape.channels
        else:
            last = self.writer.whole(context, FILTERS)
        one = self.writer.whole(context, (1, at.shape.channels)) if self.chance(0.2) else last
        branches = [[] if plain else self.branch(at, inner, None, last)]
        branches.append(self.branch(at, inner, None, one))
        merge = "multiply" if self.chance(0.3) else "add"
        for steps in filter(None, branches):
            if merge == "multiply":  # products of many small numbers become zero
                steps.append({"op": "activation", "function": "sigmoid"})
            elif self.chance(0.3):
                steps.append(self.fields.made("scale", at, context))
            self.name(steps, context)
        if self.chance(0.5):
            branches.reverse()
        return self.fork(branches, merge, context)

    def split(self, at: At, context: Context) -> Step:
        """Branches that divide the channels; the last size may be what the others leave."""
        count = self.rng.choice((2, 2, 3))
        if at.shape.channels < count:
            raise Misfit
        written: Any = "equal"
        if at.shape.channels % count or self.chance(0.7):
            least = tuple(range(1, at.shape.channels // count + 1))
            written = [self.writer.whole(context, least) for _ in range(count - 1)]
            written.insert(self.rng.randrange(count), "rest")
        step: Step = {"branches": dict.fromkeys(range(count)), "split": written}
        if written[-1] == "rest" and self.chance(0.5):
            left = parts(step, at, context.environment())[-1].channels
            written[-1] = left.given(self.rng) if left else "rest"
        inner, added = self.inner(context), self.chance(0.25)
        last = self.writer.whole(context, FILTERS) if added else None
        branches = [
            [] if not added and self.chance(0.3) else self.branch(start, inner, None, last)
            for start in parts(step, at, context.environment())
        ]
        merge = "add" if added else "concat"
        return {**self.fork(branches, merge, context), "split": written}

    def excite(self, at: At, context: Context) -> Step:
        """Squeeze and excitation: a map times a vector computed from all of its positions."""
        if not at.rank:
            raise Misfit
        units = at.channels.given(self.rng) if at.channels else at.shape.channels
        squeezed = self.writer.whole(context, FILTERS)
        keep = {"keepdims": self.writer.flag(context)} if self.chance(0.3) else {}
        gate: list[Step] = [
            {"op": "global_avg_pool", **keep},
            {"op": "dense", "units": squeezed, "activation": self.fields.function(context)},
            {"op": "dense", "units": units, "activation": "sigmoid"},
        ]
        self.name(gate, context)
        return self.fork([gate, []], "multiply", context)

    def fork(self, branches: list[list[Step]], merge: str, context: Context) -> Step:
        """A fork with named branches."""
        named: dict[str, list[Step]] = {}
        for steps in branches:
            named[self.pool.pick("branch", named, (*context.parameters, *context.own))] = steps
        return {"branches": named, "merge": merge}

    # blocks

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
