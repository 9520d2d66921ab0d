"""Random specs whose values are expressions of parameters with awkward names.

The text of a network or block for every seed, the same for the same seed. They are small and
valid, as far as the sizes of :mod:`~inception_dsl.testing.random_ranges` can tell.
"""

from __future__ import annotations

import random
from functools import partial
from typing import Any, NamedTuple

from .random_chains import Chains
from .random_fields import At, Fields
from .random_names import TOP, Pool
from .random_overlays import Overlay
from .random_ranges import Ranged
from .random_rooms import Room, Writer
from .random_sizes import Misfit, Shape, Step
from .random_specs import AXES, MAIN, RandomSpec, body, written
from .random_terms import name


class SymbolSpec(NamedTuple):
    """A spec; where its ``last`` use of a block can be left out, the same without it."""

    spec: RandomSpec
    shorter: RandomSpec | None = None
    last: str = ""


def symbol_spec(seed: int) -> SymbolSpec:
    """The spec of a seed."""
    rng = random.Random(f"symbols {seed}")
    while True:
        try:
            return _Spec(rng, seed).made()
        except Misfit:
            continue


class _Spec:
    def __init__(self, rng: random.Random, seed: int) -> None:
        self.rng, self.seed = rng, seed
        rank = rng.choice((2, 2, 2, 2, 2, 1, 1, 3))
        spatial = tuple(rng.randint(1, 5 if rank == 3 else 9) for _ in range(rank))
        self.x = Shape(spatial, rng.randint(1, 8))
        self.pool = Pool(rng)
        rough = rng.random() < 0.06
        self.dtype = "float32" if rough else "float64"
        self.writer = Writer(rng, self.pool)
        self.book = Ranged({}, self.defaults() if rng.random() < 0.2 else {}, 1_500, 24)
        self.chains = Chains(rng, self.pool, self.book, Fields(self.writer, rough=rough))
        self.last = ""

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def defaults(self) -> dict[str, Step]:
        possible: dict[str, Step] = {
            "batch_norm": {"epsilon": 0.01, "scale": False},
            "conv": {"padding": "valid", "use_bias": False, "kernel_size": 2},
            "conv_bn": {"activation": "tanh", "stride": 2},
            "avg_pool": {"count_include_pad": True, "stride": 2},
            "dense": {"activation": "tanh", "use_bias": False},
        }
        return {op: possible[op] for op in self.rng.sample(sorted(possible), 2)}

    def made(self) -> SymbolSpec:
        data = self.block() if self.chance(0.15) else self.network()
        for block in self.book.blocks.values():
            block.imported = self.chance(0.15)
        spec = self.spec(data)
        if not self.last:
            return SymbolSpec(spec)
        chain = "body" if "network" in data else "steps"
        shorter = self.spec({**data, chain: data[chain][:-1]}, over=False)
        return SymbolSpec(spec, shorter, self.last)

    def spec(self, data: Step, *, over: bool = True) -> RandomSpec:
        blocks = self.book.blocks
        own = {n: body(b) for n, b in blocks.items() if not b.imported}
        files = {
            f"{n}.yaml": written({"block": n, **body(b)}) for n, b in blocks.items() if b.imported
        }
        whole = {**data, "blocks": own, "import": list(files)}
        if over and "network" in data and self.chance(0.2):
            base, whole = Overlay(self.rng).split(whole)
            files["base.yaml"] = written(base)
        kind = "network" if "network" in data else "block"
        return RandomSpec(self.seed, kind, self.dtype, {MAIN: written(whole), **files})

    def head(self, room: Room) -> Step:
        params = {n: {"type": p.type, "default": p.value} for n, p in room.parameters.items()}
        axes = dict(zip(AXES[self.x.rank], self.x.spatial, strict=True))
        return {
            "input": {"channels": self.x.channels, **axes},
            "params": params,
            "defaults": self.book.defaults,
        }

    def block(self) -> Step:
        """A block that is built alone."""
        block = self.rng.choice(TOP)
        room = Room({"in_channels": self.x.channels}, block=True, own=(block,), literal=0.15)
        steps, at = self.chains.chain(At(self.x, name("in_channels")), self.rng.randint(1, 4), room)
        if not steps:
            raise Misfit
        self.extra(steps, at, room)
        for parameter in list(room.parameters):
            room.parameters[parameter] = room.parameters[parameter]._replace(optional=True)
        if block in self.book.blocks:
            raise Misfit
        return {"block": block, **self.head(room), "steps": steps}

    def extra(self, steps: list[Step], at: At, room: Room) -> At:
        """Perhaps one more use at the end, of a block that is used before."""
        known = sorted(self.book.blocks)
        if not known or not steps or not self.chance(0.7):
            return at
        block = self.rng.choice(known)
        kept = self.book.layers
        self.book.layers = 0
        found = self.chains.attempt(lambda: self.chains.called(block, at, room), at, room)
        self.book.layers = kept
        if found is None:
            return at
        taken = {n for step in steps for n in (*step.get("branches", ()), step.get("name", ""))}
        found[0]["name"] = self.pool.pick("last", {*taken, *self.book.blocks})
        steps.append(found[0])
        self.last = block
        return found[1]

    def network(self) -> Step:
        network = self.rng.choice(TOP)
        classes = self.rng.randint(2, 5)
        room = Room({"in_channels": self.x.channels, "classes": classes}, own=(network,))
        room.literal = 0.3
        at = At(self.x, name("in_channels"))
        taps: dict[str, At] = {}
        stem, at = self.section(at, self.rng.choice((0, 0, 1, 2)), room, taps)
        main, at = self.section(at, self.rng.choice((1, 2, 3, 4)), room, taps)
        if not main:
            raise Misfit
        at = self.extra(main, at, room)
        heads = self.heads(taps, room)
        head = self.ending(at, room) if heads or self.chance(0.9) else []
        unique(stem + main + head, set(heads))
        return {
            "network": network,
            "classes": classes,
            **self.head(room),
            "stem": stem,
            "body": main,
            "head": head,
            "aux_heads": heads,
        }

    def section(
        self, at: At, length: int, room: Room, taps: dict[str, At]
    ) -> tuple[list[Step], At]:
        """A chain at the top, whose steps may be tapped by their names."""
        steps, _ = self.chains.chain(at, length, room)
        kept = self.book.layers
        for step in steps:
            shape = self.book.after(step, at.shape, room.environment())
            at = At(shape, self.chains.channels(step, at, room))
            if "name" in step:
                taps[step["name"]] = at
        self.book.layers = kept
        return steps, at

    def classes(self, room: Room) -> Any:
        """The number of classes, as a network may say it."""
        known = room.values["classes"]
        return (
            self.writer.whole(room, (known,))
            if self.chance(0.3)
            else name("classes").given(self.rng)
        )

    def ending(self, at: At, room: Room, units: Any = None) -> list[Step]:
        """From features to classes."""
        steps: list[Step] = []
        if at.rank:
            pool = self.rng.choice(
                ("global_avg_pool", "global_avg_pool", "global_max_pool", "flatten")
            )
            steps.append({"op": pool})
        if self.chance(0.3):
            steps.append({"op": "dropout", "rate": self.writer.real(room, (0.2, 0.5), 0, 0.8)})
        if self.chance(0.4):
            steps.append({"op": "dense", "units": self.chains.fields.filters(room)})
        if self.chance(0.5):
            steps += self.inserted(steps, at, room)
        steps.append({"op": "dense", "units": self.classes(room) if units is None else units})
        self.chains.name(steps, room)
        shape = self.book.chain(steps, at.shape, room.environment(), self.book.defaults)
        if shape.channels != room.environment().get("classes", shape.channels):
            raise Misfit
        return steps

    def inserted(self, steps: list[Step], at: At, room: Room) -> list[Step]:
        """A use of a block that takes vectors too, if there is one."""
        known = sorted(self.book.blocks)
        shape = self.book.chain(steps, at.shape, room.environment(), self.book.defaults)
        self.rng.shuffle(known)
        for block in known[:4]:
            if block in room.own:
                continue
            vector = At(shape, None)
            called = partial(self.chains.called, block, vector, room)
            made = self.chains.attempt(called, vector, room)
            if made is not None:
                return [made[0]]
        return []

    def heads(self, taps: dict[str, At], room: Room) -> dict[str, Step]:
        """Auxiliary classifiers: written in place, or as one use of a block."""
        found: dict[str, Step] = {}
        if not taps or not self.chance(0.5):
            return found
        for _ in range(self.rng.choice((1, 1, 2))):
            after = self.rng.choice(sorted(taps))
            at = taps[after]
            values = {**room.environment(), "in_channels": at.shape.channels}
            inner = Room(values, open=False, own=(after,), literal=0.1)
            steps = self.used_head(at, inner) if self.chance(0.4) else self.written_head(at, inner)
            head = self.pool.pick(
                "aux", {*taps, *found, *self.book.blocks, "logits"}, tuple(room.parameters)
            )
            found[head] = {"after": after, "loss_weight": 0.4, "steps": steps}
        return found

    def written_head(self, at: At, room: Room) -> list[Step]:
        self.book.layers = 0
        steps, end = self.chains.chain(
            At(at.shape, name("in_channels")), self.rng.choice((0, 1, 1, 2)), room
        )
        for step in steps:
            step.pop("name", None)
        steps += self.ending(end, room)
        for step in steps:
            step.pop("name", None)
        self.chains.name(steps, room)
        return steps

    def used_head(self, at: At, room: Room) -> list[Step]:
        """One use of a block that ends in as many units as it is told."""
        self.book.layers = 0
        classes = room.values["classes"]

        def ends(end: At, inner: Room) -> list[Step]:
            units = self.writer.parameter(inner, "int", classes, (classes,))
            return self.ending(end, inner, units)

        block = self.chains.block(at, room, ends=ends)
        step = self.chains.called(block, At(at.shape, name("in_channels")), room)
        shape = self.book.after(step, at.shape, room.environment())
        if shape != Shape((), classes):
            raise Misfit
        return [step]


def unique(steps: list[Step], beside: set[str]) -> None:
    """Raises :class:`Misfit` where two paths at the top are the same.

    The path of a step without a name starts with that of its section, as do those of repetitions.
    """
    seen: list[str] = []
    for step in steps:
        inner = {"use", "branches", "repeat"} & step.keys()
        if inner and step.get("name", step.get("use")) in ("stem", "body", "head"):
            raise Misfit
        if "name" in step:
            seen.append(step["name"])
        elif "use" in step:
            seen.append(step["use"])
        elif "branches" in step:
            seen += step["branches"]
    if len(set(seen)) < len(seen) or beside & set(seen):
        raise Misfit
