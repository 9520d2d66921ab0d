"""Random chains whose values are expressions: layers, forks, and uses of blocks."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from .random_fields import FILTERS, At, Fields
from .random_names import FIELDS, Pool
from .random_ranges import Ranged
from .random_rooms import Room
from .random_sizes import POOLS, Block, Misfit, Step
from .random_terms import LONGEST, Piece, add, multiply, name, piece_of

TRIES: Final = 10
MOST_LAYERS: Final = 14
KEEPERS: Final = ("conv", "conv", "conv_bn", "conv_bn", "depthwise_conv", "avg_pool", "max_pool")


class Chains:
    """Makes the steps of one spec."""

    def __init__(self, rng: random.Random, pool: Pool, book: Ranged, fields: Fields) -> None:
        self.rng, self.pool, self.book, self.fields = rng, pool, book, fields
        self.writer = fields.writer
        self.forks = (self.concat, self.concat, self.sum, self.excite)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def chain(self, at: At, length: int, room: Room) -> tuple[list[Step], At]:
        """At most ``length`` steps, and what stands behind them."""
        steps: list[Step] = []
        for _ in range(length):
            found = self.step(at, room)
            if found is None:
                break
            steps.append(found[0])
            at = found[1]
        self.name(steps, room)
        return steps, at

    def step(self, at: At, room: Room) -> tuple[Step, At] | None:
        """One more step, or nothing where the spec has enough."""
        for _ in range(TRIES):
            if self.book.layers >= MOST_LAYERS:
                return None
            found = self.attempt(lambda: self.made(at, room), at, room)
            if found is not None:
                return found
        return None

    def attempt(self, make: Callable[[], Step], at: At, room: Room) -> tuple[Step, At] | None:
        """A step with what stands behind it; where it does not fit, what it brought is undone."""
        layers, blocks, parameters = self.book.layers, set(self.book.blocks), dict(room.parameters)
        try:
            step = make()
            self.book.layers = layers
            shape = self.book.after(step, at.shape, room.environment())
            if self.book.layers > MOST_LAYERS + 6:
                raise Misfit
            return step, At(shape, self.channels(step, at, room))
        except Misfit:
            self.book.layers = layers
            room.restore(parameters)
            for new in [n for n in self.book.blocks if n not in blocks]:
                del self.book.blocks[new]
        return None

    def made(self, at: At, room: Room) -> Step:
        """A step: a use, a fork or a layer, now and then repeated."""
        roll = self.rng.random() if room.depth < 3 and not room.flat else 1.0
        share = 0.3 if room.block else 0.45
        if roll < share:
            step = self.use(at, room)
        elif roll < share + 0.18:
            step = self.rng.choice(self.forks)(at, room)
        else:
            step = self.fields.made(self.fields.kind(at, plain=room.flat), at, room)
        if self.chance(0.12):
            step["repeat"] = self.writer.whole(room, (1, 2, 2, 3))
        return step

    def channels(self, step: Step, at: At, room: Room) -> Piece | None:
        """What the channels behind a step follow from."""
        found = self._channels(step, at, room)
        if found is not None and len(found.text) > LONGEST // 2:
            return None
        return found

    def _channels(self, step: Step, at: At, room: Room) -> Piece | None:
        if "use" in step:
            return None
        if "branches" in step:
            ends = [self.ends(steps, at, room) for steps in step["branches"].values()]
            if step["merge"] != "concat":
                return ends[-1]
            total: Piece | None = ends[0]
            for end in ends[1:]:
                total = add(total, end) if total is not None and end is not None else None
            return total
        if step["op"] == "depthwise_conv" and "depth_multiplier" in step and at.channels:
            factor = piece_of(step["depth_multiplier"])
            return multiply(at.channels, factor) if factor and "repeat" not in step else None
        if step["op"] == "flatten":
            return None if at.rank else at.channels
        written = step.get("filters", step.get("units"))
        return at.channels if written is None else piece_of(written)

    def ends(self, steps: list[Step], at: At, room: Room) -> Piece | None:
        """The channels after some steps."""
        found = at.channels
        for step in steps:
            found = self.channels(step, At(at.shape, found), room)
        return found

    # forks

    def inner(self, room: Room) -> Room:
        return Room(
            room.values,
            room.parameters,
            room.open,
            room.block,
            room.own,
            room.literal,
            room.flat,
            room.depth + 1,
        )

    def concat(self, at: At, room: Room) -> Step:
        """Branches that keep the map, or divide it by the same stride."""
        inner = self.inner(room)
        stride = self.writer.whole(room, (1, 2)) if at.rank and self.chance(0.3) else None
        branches = [self.branch(at, inner, stride) for _ in range(self.rng.choice((2, 2, 3)))]
        if stride is None and self.chance(0.25):
            branches[self.rng.randrange(len(branches))] = []
        return self.fork(branches, "concat", room)

    def branch(self, at: At, room: Room, stride: Any = None, last: Any = None) -> list[Step]:
        """A chain that keeps the map, or divides it by ``stride``; it ends in ``last`` channels."""
        steps: list[Step] = []
        if self.chance(0.6) and stride is None:
            found = self.step(at, room)
            if found is not None and found[1].shape.spatial == at.shape.spatial:
                steps.append(found[0])
                at = found[1]
        step = self.keeper(at, room, stride)
        if last is not None:
            if "filters" not in step and "units" not in step:
                steps.append(step)
                step = self.fields.made("conv" if at.rank else "dense", at, room)
                step |= {"kernel_size": 1} if at.rank else {}
                step = {k: v for k, v in step.items() if k not in ("padding", "stride", "dilation")}
            step["filters" if at.rank else "units"] = last
            step.pop("groups", None)
        steps.append(step)
        self.name(steps, room)
        return steps

    def keeper(self, at: At, room: Room, stride: Any) -> Step:
        """A layer that keeps the spatial sizes, or divides them by a stride."""
        if not at.rank:
            return self.fields.made("dense", at, room)
        kind = self.rng.choice([k for k in KEEPERS if at.rank < 3 or k not in POOLS])
        found = {} if kind in POOLS else self.fields.outcome(kind, at, room)
        return {"op": kind, **found, **self.fields.keeping(kind, at, room, stride)}

    def sum(self, at: At, room: Room) -> Step:
        """A residual, with a shortcut or not; a branch may have one channel, which is broadcast."""
        inner = self.inner(room)
        plain = self.chance(0.6)
        if plain:
            last: Any = at.channels.given(self.rng) if at.channels else at.shape.channels
        else:
            last = self.writer.whole(room, FILTERS)
        one = self.writer.whole(room, (1, at.shape.channels)) if self.chance(0.2) else last
        branches = [[] if plain else self.branch(at, inner, None, last)]
        branches.append(self.branch(at, inner, None, one))
        merge = "multiply" if self.chance(0.3) else "add"
        for steps in filter(None, branches):
            if merge == "multiply":  # products of small numbers vanish
                steps.append({"op": "activation", "function": "sigmoid"})
            elif self.chance(0.3):
                steps.append(self.fields.made("scale", at, room))
            self.name(steps, room)
        if self.chance(0.5):
            branches.reverse()
        return self.fork(branches, merge, room)

    def excite(self, at: At, room: Room) -> Step:
        """A map times numbers made from all of its positions."""
        if not at.rank:
            raise Misfit
        units = at.channels.given(self.rng) if at.channels else at.shape.channels
        squeezed = self.writer.whole(room, FILTERS)
        keep = {"keepdims": self.writer.flag(room)} if self.chance(0.3) else {}
        gate: list[Step] = [
            {"op": "global_avg_pool", **keep},
            {"op": "dense", "units": squeezed, "activation": self.fields.function(room)},
            {"op": "dense", "units": units, "activation": "sigmoid"},
        ]
        self.name(gate, room)
        return self.fork([gate, []], "multiply", room)

    def fork(self, branches: list[list[Step]], merge: str, room: Room) -> Step:
        """A fork with names for its branches."""
        named: dict[str, list[Step]] = {}
        for steps in branches:
            named[self.pool.pick("branch", named, (*room.parameters, *room.own))] = steps
        return {"branches": named, "merge": merge}

    # blocks

    def use(self, at: At, room: Room) -> Step:
        """A block that is there already, or a new one."""
        known = sorted(self.book.blocks)
        if known and self.chance(0.7):
            return self.called(self.rng.choice(known), at, room)
        return self.called(self.block(at, room), at, room)

    def called(self, block: str, at: At, room: Room) -> Step:
        """A use with values that fit here."""
        for _ in range(TRIES):
            step: Step = {"use": block}
            kept = dict(room.parameters)
            for own, parameter in self.book.blocks[block].parameters.items():
                if own not in FIELDS and (not parameter.optional or self.chance(0.6)):
                    step[own] = self.writer.argument(room, parameter)
            layers = self.book.layers
            try:
                self.book.after(step, at.shape, room.environment())
                return step
            except Misfit:
                room.restore(kept)
            finally:
                self.book.layers = layers
        raise Misfit

    def block(
        self, at: At, room: Room, *, ends: Callable[[At, Room], list[Step]] | None = None
    ) -> str:
        """A new block, made for what stands at ``at``."""
        taken = {*self.book.blocks, *room.own}
        block = self.pool.pick("unit", taken, tuple(room.parameters))
        inner = Room(
            {"in_channels": at.shape.channels},
            block=True,
            own=(*room.own, block),
            depth=room.depth + 1,
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

    def name(self, steps: list[Step], room: Room) -> None:
        """Names where a chain needs them, so that no two paths are the same; and some more."""
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
                also = (*room.parameters, *room.own)
                step["name"] = self.pool.pick("layer", {*taken, *self.book.blocks}, also)
                if self.chance(0.2) and used is not None and used not in taken:
                    step["name"] = used
                taken.add(step["name"])
            elif used is not None:
                taken.add(used)
