"""Random forks with expressions as values, for the chains of one spec."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Final

from .random_blocks import NOTHING, Step
from .random_contexts import Context
from .random_fields import FILTERS, At, Fields
from .random_names import Pool
from .random_ranges import Ranged
from .random_shapes import POOLS, Misfit, Shape
from .random_splits import parts

MOST_LAYERS: Final = 14
KEEPERS: Final = ("conv", "conv", "conv_bn", "conv_bn", "depthwise_conv", "avg_pool", "max_pool")


class Forks(ABC):
    """Makes the forks of one spec; the chains of their branches are those of a subclass."""

    def __init__(self, rng: random.Random, pool: Pool, book: Ranged, fields: Fields) -> None:
        self.rng, self.pool, self.book, self.fields = rng, pool, book, fields
        self.writer = fields.writer
        self.kinds = (self.concat, self.concat, self.sum, self.excite, self.split)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    @abstractmethod
    def step(self, at: At, context: Context) -> tuple[Step, At] | None:
        """One more step, or ``None`` if the spec has enough layers."""

    @abstractmethod
    def attempt(
        self,
        make: Callable[[], Step],
        at: At,
        context: Context,
        earlier: Mapping[str, Shape] = NOTHING,
    ) -> tuple[Step, At] | None:
        """A step and its output, if it fits."""

    @abstractmethod
    def name(self, steps: list[Step], context: Context) -> None:
        """Name the steps of a chain."""

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

    def again(
        self, steps: list[Step], ends: list[At], at: At, context: Context
    ) -> tuple[Step, At] | None:
        """Sometimes a fork of which a branch begins after one of the ``steps`` of the chain, with
        these ``ends``.
        """
        if not steps or self.book.layers >= MOST_LAYERS or not self.chance(0.1):
            return None
        index = self.rng.randrange(len(steps))
        start = ends[index]
        if start.shape.spatial != at.shape.spatial or "repeat" in steps[index]:
            return None
        if "name" not in steps[index]:
            taken = {*self.book.blocks, *(s["name"] for s in steps if "name" in s)}
            also = (*context.parameters, *context.own)
            steps[index]["name"] = self.pool.pick("layer", taken, also)
        name = steps[index]["name"]

        def make() -> Step:
            added = self.chance(0.4)
            last = at.channels.given(self.rng) if at.channels else at.shape.channels
            late = self.branch(start, self.inner(context), None, last if added else None)
            late = [] if not added and self.chance(0.4) else late
            made = self.fork([[], late], "add" if added else "concat", context)
            return {**made, "after": {list(made["branches"])[1]: name}}

        return self.attempt(make, at, context, {name: start.shape})
