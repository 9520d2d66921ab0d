"""Random steps and chains; a step is kept only if it fits its input shape."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Final

from .random_attributes import ATTRIBUTES
from .random_blocks import NOTHING, Block, Step
from .random_forks import Forks
from .random_policies import Policy
from .random_shapes import Misfit, Shape
from .random_shares import Shares
from .random_sizes import Book
from .random_values import Scope, Values
from .random_windows import Windows

TRIES: Final = 12
MOST_LAYERS: Final = 22
WINDOW_KINDS: Final = frozenset(
    {"conv", "conv_bn", "separable_conv", "depthwise_conv", "max_pool", "avg_pool"}
)


class Steps(Values):
    """Makes the steps of one spec."""

    def __init__(self, rng: random.Random, policy: Policy, book: Book, seed: int) -> None:
        super().__init__(rng, policy, book)
        self.shares = Shares(seed, self)
        self.windows = Windows(self)
        self.forks = Forks(self, self.windows, self)

    def chain(self, x: Shape, length: int, scope: Scope) -> tuple[list[Step], Shape]:
        """At most ``length`` steps on ``x``, and the shape after them."""
        steps: list[Step] = []
        shapes = [x]
        for _ in range(length):
            found = self.again(steps, shapes, x, scope) or self.step(x, scope)
            if found is None:
                break
            steps.append(found[0])
            x = found[1]
            shapes.append(x)
        self.name(steps)
        return self.shares.chain(steps, shapes), x

    def step(self, x: Shape, scope: Scope) -> tuple[Step, Shape] | None:
        """One more step, or ``None`` if the spec has enough layers."""
        for _ in range(TRIES):
            if self.book.layers >= MOST_LAYERS:
                return None
            found = self.attempt(lambda: self.made(self.kind(scope), x, scope), x, scope)
            if found is not None:
                return found
        return None

    def attempt(
        self,
        make: Callable[[], Step],
        x: Shape,
        scope: Scope,
        earlier: Mapping[str, Shape] = NOTHING,
    ) -> tuple[Step, Shape] | None:
        """A step and its output; if it does not fit, everything that it added is removed.

        ``earlier`` are the outputs of named steps of its chain.
        """
        kept = set(self.book.blocks)
        before, parameters = self.book.layers, dict(scope.parameters)
        try:
            made = make()
            self.book.earlier = {**earlier}
            return made, self.tried(made, x, scope, before)
        except Misfit:
            self.book.layers = before
            scope.restore(parameters)
            for name in [n for n in self.book.blocks if n not in kept]:
                del self.book.blocks[name]
        return None

    def again(
        self, steps: list[Step], shapes: list[Shape], x: Shape, scope: Scope
    ) -> tuple[Step, Shape] | None:
        """Sometimes a fork of which a branch begins after one of the ``steps`` of the chain, whose
        inputs and outputs have these ``shapes``.
        """
        if not steps or self.book.layers >= MOST_LAYERS or not self.chance(self.policy.again):
            return None
        index = self.rng.randrange(len(steps))
        if "repeat" in steps[index]:  # it may be 0
            return None
        name = steps[index].setdefault("name", self.fresh("layer"))
        start = shapes[index + 1]
        return self.attempt(
            lambda: self.forks.again(name, start, x, scope), x, scope, {name: start}
        )

    def tried(self, step: Step, x: Shape, scope: Scope, before: int) -> Shape:
        """The shape after a step; raises :class:`Misfit` if there are too many layers."""
        self.book.layers = before
        y = self.book.after(step, x, self.environment(scope))
        if self.book.layers > MOST_LAYERS + 6:
            raise Misfit
        return y

    def kind(self, scope: Scope) -> str:
        """The kind of the next step, chosen with the weights of the policy."""
        weights = self.policy.weights()
        if scope.depth >= 3:
            weights |= dict.fromkeys(("concat", "add", "multiply", "excite", "split", "use"), 0.0)
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def made(self, kind: str, x: Shape, scope: Scope) -> Step:
        """A step of this kind."""
        if kind == "use":
            step = self.use(x, scope)
        elif kind in ("concat", "add", "multiply", "excite", "split"):
            step = self.forks.fork(kind, x, scope)
            if "split" not in step:
                self.shares.fork(step["branches"])
        else:
            step = {"op": kind, **self.attributes(kind, x, scope)}
        if "filters" in step and self.chance(0.1):
            step["each"] = {"filters": [step.pop("filters"), self.filters(x, scope)]}
        elif self.chance(0.08):
            step["repeat"] = self.lift(scope, "int", self.rng.choice((0, 1, 2, 2, 3)), (0, 1, 2))
        return step

    def attributes(self, kind: str, x: Shape, scope: Scope) -> Step:
        """Random fields of an op."""
        if kind in WINDOW_KINDS:
            return self.windows.attributes(kind, x, scope)
        return ATTRIBUTES[kind](self, x, scope) if kind in ATTRIBUTES else {}

    def use(self, x: Shape, scope: Scope) -> Step:
        """A use of an existing block, with random arguments, or of a new block."""
        if self.book.blocks and self.chance(0.6):
            name = self.rng.choice(sorted(self.book.blocks))
        else:
            name = self.block(x, scope)
        step: Step = {"use": name}
        for own, parameter in self.book.blocks[name].parameters.items():
            if not parameter.optional or self.chance(0.5):
                value = self.rng.choice((parameter.value, *parameter.choices))
                step[own] = self.lift(scope, parameter.type, value, parameter.choices)
        return step

    def block(self, x: Shape, scope: Scope) -> str:
        """The name of a new block, made for this input."""
        name = self.fresh("unit")
        inner = Scope(
            {"in_channels": x.channels}, {}, max(self.policy.lifted, 0.1), True, scope.depth + 1
        )
        steps, _ = self.chain(x, self.rng.randint(1, 4), inner)
        if not steps:
            raise Misfit
        self.book.blocks[name] = Block(steps, inner.parameters)
        return name

    def name(self, steps: list[Step]) -> None:
        """Name the steps that need a name for unique paths, and some others."""
        uses: set[str] = set()
        for step in steps:
            fork, again = "branches" in step, step.get("use") in uses
            uses |= {step["use"]} if "use" in step else set()
            if "name" in step:
                continue
            if (fork and (len(steps) > 1 or self.chance(0.5))) or again or self.chance(0.3):
                step["name"] = self.fresh("part" if fork else "unit" if "use" in step else "layer")
