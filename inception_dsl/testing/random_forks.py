"""Random forks: parallel branches whose outputs fit each other."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, Protocol

from .random_blocks import Step
from .random_shapes import Misfit, Shape
from .random_values import Scope, Values
from .random_windows import Windows


class Chains(Protocol):
    """Makes the chains of branches."""

    def chain(self, x: Shape, length: int, scope: Scope) -> tuple[list[Step], Shape]:
        """At most ``length`` steps on ``x``, and the shape after them."""

    def step(self, x: Shape, scope: Scope) -> tuple[Step, Shape] | None:
        """One more step, or ``None`` if the spec has enough layers."""

    def name(self, steps: list[Step]) -> None:
        """Name the steps of a chain."""


class Forks:
    """Makes the steps with branches."""

    def __init__(self, values: Values, windows: Windows, chains: Chains) -> None:
        self.values, self.windows, self.chains = values, windows, chains
        self.rng = values.rng

    def fork(self, kind: str, x: Shape, scope: Scope) -> Step:
        """A fork of this kind."""
        inner = replace(scope, depth=scope.depth + 1)
        if kind == "split":
            return self.split(x, inner)
        if kind == "excite":
            branches = self.excite(x, inner)
        elif kind == "concat":
            branches = self.concat(x, inner)
        else:
            branches = self.residual(x, inner)
        self.rng.shuffle(branches)
        named = {self.values.fresh(word): steps for word, steps in branches}
        return {"branches": named, "merge": "multiply" if kind == "excite" else kind}

    def concat(self, x: Shape, scope: Scope) -> list[tuple[str, list[Step]]]:
        """Two to four branches; the first is random, the others end in the same spatial size."""
        first, y = self.chains.chain(x, self.rng.randint(1, 2), scope)
        if y.rank != x.rank:
            raise Misfit
        branches = [("branch", first)]
        for _ in range(self.rng.choice((1, 1, 2, 2, 3))):
            if y.spatial == x.spatial and self.values.chance(0.2):
                branches.append(("shortcut", []))
            else:
                branches.append(("branch", self.towards(x, y.spatial, scope)))
        return branches

    def split(self, x: Shape, scope: Scope) -> Step:
        """Two to four branches that divide the channels of their input."""
        if x.channels < 2:
            raise Misfit
        count = self.rng.randint(2, min(4, x.channels))
        cuts = [0, *sorted(self.rng.sample(range(1, x.channels), count - 1)), x.channels]
        sizes = [stop - start for start, stop in pairwise(cuts)]
        written: Any = [self.values.lift(scope, "int", size, (1, 2)) for size in sizes]
        if self.values.chance(0.6):
            written[self.rng.randrange(count)] = "rest"
        if x.channels % count == 0 and self.values.chance(0.5):
            sizes, written = [x.channels // count] * count, "equal"
        parts = [Shape(x.spatial, size) for size in sizes]
        first, y = self.chains.chain(parts[0], self.rng.randint(1, 2), scope)
        if y.rank != x.rank:
            raise Misfit
        merge = self.rng.choice(("concat", "concat", "concat", "add", "multiply"))
        branches = {self.values.fresh("branch"): first}
        for part in parts[1:]:
            same = part == y or (merge == "concat" and part.spatial == y.spatial)
            empty = same and self.values.chance(0.4)
            channels = 0 if merge == "concat" else y.channels
            name = self.values.fresh("part" if empty else "branch")
            branches[name] = [] if empty else self.towards(part, y.spatial, scope, channels)
        return {"branches": branches, "split": written, "merge": merge}

    def again(self, name: str, start: Shape, x: Shape, scope: Scope) -> Step:
        """A fork with branches from its input, ``x``, and from the step ``name``, whose output is
        ``start``.
        """
        if start.rank != x.rank:
            raise Misfit
        inner = replace(scope, depth=scope.depth + 1)
        merge = self.rng.choice(("concat", "concat", "add", "add", "multiply"))
        channels = 0 if merge == "concat" else x.channels
        same = start == x or (merge == "concat" and start.spatial == x.spatial)
        empty = same and self.values.chance(0.5)
        late = [] if empty else self.towards(start, x.spatial, inner, channels)
        branches = [("shortcut", [], ""), ("branch", late, name)]
        if self.values.chance(0.2):
            branches.append(("branch", self.towards(x, x.spatial, inner, channels), ""))
        self.rng.shuffle(branches)
        named = [(self.values.fresh(word), steps, after) for word, steps, after in branches]
        return {
            "branches": {branch: steps for branch, steps, _ in named},
            "after": {branch: after for branch, _, after in named if after},
            "merge": merge,
        }

    def towards(
        self, x: Shape, sizes: tuple[int, ...], scope: Scope, channels: int = 0
    ) -> list[Step]:
        """A chain to a map of ``sizes``, with ``channels`` channels unless that is 0."""
        steps: list[Step] = []
        if self.values.chance(0.5):
            steps, x = self.try_chain(x, scope)
        if x.spatial != sizes:
            steps.append(self.accepted(self.windows.reaching(x, sizes, scope), x, scope))
        elif not steps or self.values.chance(0.3):
            steps.append(self.accepted(self.windows.keeping(x, scope), x, scope))
        if channels:
            steps.append(
                {"op": self.rng.choice(("conv", "conv_bn")), "filters": channels, "kernel_size": 1}
            )
            steps[-1] |= {"stride": 1, "padding": "same"}
        self.chains.name(steps)
        return steps

    def try_chain(self, x: Shape, scope: Scope) -> tuple[list[Step], Shape]:
        """One step at the start, if its output is a map."""
        before, parameters = self.values.book.layers, dict(scope.parameters)
        found = self.chains.step(x, scope)
        if found is None or found[1].rank != x.rank:
            self.values.book.layers = before
            scope.restore(parameters)
            return [], x
        return [found[0]], found[1]

    def accepted(self, step: Step, x: Shape, scope: Scope) -> Step:
        """The step if it fits; otherwise raises :class:`Misfit`."""
        self.values.book.after(step, x, self.values.environment(scope))
        return step

    def residual(self, x: Shape, scope: Scope) -> list[tuple[str, list[Step]]]:
        """A shortcut and one or two branches of the same shape, sometimes scaled.

        Sometimes all of them change the size.
        """
        long, y = self.chains.chain(x, self.rng.randint(1, 2), scope)
        if y.rank != x.rank:
            raise Misfit
        plain = y == x or (y.spatial == x.spatial and self.values.chance(0.6))
        channels = x.channels if plain else y.channels
        branches = [("shortcut", [] if plain else self.towards(x, y.spatial, scope, channels))]
        count = self.rng.choice((1, 1, 1, 2))
        branches += [
            ("branch", self.towards(x, y.spatial, scope, self.broadcast(channels)))
            for _ in range(count)
        ]
        if y.channels in (1, channels):
            branches.append(("branch", long))
        for word, steps in branches:
            if word == "branch" and self.values.chance(0.35):
                value: Any = self.values.number(scope, 0.1, 0.17, 0.3, -0.5)
                steps.append({"op": "scale", "value": value})
        return branches

    def broadcast(self, channels: int) -> int:
        return 1 if self.values.chance(0.08) else channels

    def excite(self, x: Shape, scope: Scope) -> list[tuple[str, list[Step]]]:
        """Squeeze and excitation: a map times a vector computed from all of its positions."""
        if not x.rank:
            raise Misfit
        pool = self.rng.choice(("global_avg_pool", "global_max_pool"))
        keep = self.values.chance(0.4)
        gate: list[Step] = [{"op": pool, **({"keepdims": True} if keep else {})}]
        if self.values.chance(0.5):
            gate.append(
                {"op": "dense", "units": self.values.filters(x, scope), "activation": "relu"}
            )
        gate.append(
            {
                "op": "dense",
                "units": x.channels,
                "activation": self.rng.choice(("sigmoid", "tanh", "none")),
            }
        )
        rest = (
            []
            if self.values.chance(0.7)
            else [self.accepted(self.windows.keeping(x, scope), x, scope)]
        )
        if rest and "filters" in rest[0]:
            rest[0]["filters"] = x.channels
            rest[0].pop("groups", None)
        return [("gate", gate), ("map", rest)]
