"""Random overlays over networks and blocks that exist, such as those in ``specs``.

Each seed gives one overlay. It makes the base small (another input, few steps, few filters), and
then changes it: expressions in fields, parameters of the network and of its blocks, other steps,
branches, heads, outputs and defaults. Every change is checked with the whole spec.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import NoneType
from typing import Any, Final, NamedTuple

from .plain_specs import KEPT, plain_spec
from .random_blocks import Given, Step
from .random_contexts import Context
from .random_cuts import Cut
from .random_fields import At
from .random_joins import MOST_LAYERS
from .random_kinds import KINDS
from .random_names import FIELDS
from .random_places import Place
from .random_shapes import POOLS, Misfit
from .random_specs import MAIN, RandomSpec, written

ALIKE: Final = {
    "conv": "conv_bn",
    "conv_bn": "conv",
    "max_pool": "avg_pool",
    "avg_pool": "max_pool",
    "global_avg_pool": "global_max_pool",
}
"""Ops with almost the same fields."""
STATISTICS: Final = frozenset({"layer_norm", "group_norm", "l2_normalize"})
ONLY: Final = {"conv": ("batch_norm",), "max_pool": ("count_include_pad",)}
"""Fields that their other op does not have."""


class ChangedSpec(NamedTuple):
    """An overlay, and the spec that it makes of its base in one file."""

    spec: RandomSpec
    flat: RandomSpec


def changed_spec(seed: int, folder: Path) -> ChangedSpec:
    """The random overlay of a seed, over one of the specs in a folder."""
    rng = random.Random(f"changes {seed}")
    files = sorted(f for f in folder.rglob("*.yaml") if f.parent.name != "family")
    file = rng.choice([f for f in files if f.parent == folder] + files)
    while True:
        try:
            return _Changes(rng, seed, plain_spec(file)).made(folder, file)
        except Misfit:
            continue


class _Changes(Cut):
    def made(self, folder: Path, file: Path) -> ChangedSpec:
        self.small()
        changes = (
            *(self.value,) * 8,
            *(self.filters,) * 6,
            *(self.argument,) * 6,
            *(self.insert,) * 4,
            *(self.broadcast,) * 2,
            *(self.split,) * 2,
            *(self.remove, self.alike, self.branch, self.default, self.repeat),
        )
        for _ in range(self.rng.choice((3, 8, 16, 24))):
            self.attempt(self.rng.choice(changes))
        if self.kind == "network":
            for change in (self.head, self.head, self.output, self.trained):
                if self.chance(0.4):
                    self.attempt(change)
        self.require()
        return self.written(f"base/{file.relative_to(folder).as_posix()}", folder)

    def written(self, base: str, folder: Path) -> ChangedSpec:
        """The files; some of the new blocks are imported."""
        flat, policy = self.whole(), f"over {self.kind}"
        deep = "depth" in flat["input"]
        dtype = "float32" if deep and has(flat, POOLS) else "float64"
        if dtype == "float32" and has(flat, STATISTICS):
            raise Misfit  # see random_policies
        head: Step = {"extends": base}
        files = {
            f"{n}.yaml": written({"block": n, **self.over["blocks"].pop(n)})
            for n in self.new
            if self.chance(0.3)
        }
        if files:
            head["import"] = list(files)
        over = {**head, **self.over}
        if not over["blocks"]:
            del over["blocks"]
        return ChangedSpec(
            RandomSpec(self.seed, policy, dtype, {MAIN: written(over), **files}, folder),
            RandomSpec(self.seed, policy, dtype, {MAIN: written(flat)}),
        )

    # changes

    def place(self, *kinds: str) -> Place:
        """A random step that has one of these fields."""
        found = [
            p
            for p in self.places()
            if id(p.step) in self.sizes.seen
            and (not kinds or any(kind in p.step for kind in kinds))
        ]
        if not found:
            raise Misfit
        return self.rng.choice(found)

    def at(self, place: Place) -> At:
        """The input of a step where it is used first."""
        return At(self.sizes.seen[id(place.step)][0], None)

    def value(self) -> None:
        """Another value in one or two fields of a layer."""
        place = self.place("op")
        if place.step["op"] not in KINDS:
            raise Misfit
        found = self.fields.made(place.step["op"], self.at(place), place.context)
        del found["op"]
        for key in self.rng.sample(sorted(found), min(len(found), self.rng.choice((1, 2, 3)))):
            self.put((*place.path, key), found[key])

    def filters(self) -> None:
        """An expression for the filters or units of a layer."""
        place = self.place("filters")
        self.put((*place.path, "filters"), self.fields.filters(place.context))

    def argument(self) -> None:
        """Another value for a parameter in a use, or in ``params`` of its block."""
        place = self.place("use")
        blocks = self.sizes.blocks[place.step["use"]]
        known = sorted(set(blocks.parameters) - FIELDS)
        if not known:
            raise Misfit
        for own in self.rng.sample(known, min(len(known), self.rng.choice((1, 2, 6)))):
            value = self.writer.argument(place.context, blocks.parameters[own])
            self.put((*place.path, own), value)

    def repeat(self) -> None:
        """Repeat a step."""
        place = self.place()
        self.put((*place.path, "repeat"), self.writer.whole(place.context, (1, 2, 2, 3)))
        if "branches" in place.step and "name" not in place.step:
            self.put((*place.path, "name"), self.pool.pick("fork", ()))

    def split(self) -> None:
        """Divide the input of a fork between its branches, or no longer."""
        place = self.place("branches")
        count, channels = len(place.step["branches"]), self.at(place).shape.channels
        value: Any = self.rng.choice((None, "equal")) if "split" in place.step else "equal"
        if value and channels >= count > 1 and self.chance(0.7):
            least = tuple(range(1, channels // count + 1))
            value = [self.writer.whole(place.context, least) for _ in range(count - 1)]
            value.insert(self.rng.randrange(count), "rest")
        self.put((*place.path, "split"), value)

    def alike(self) -> None:
        """An op with almost the same fields."""
        place = self.place("op")
        op = place.step["op"]
        if op not in ALIKE:
            raise Misfit
        self.put((*place.path, "op"), ALIKE[op])
        self.put((*place.path, KEPT), None)  # all fields
        for key in ONLY.get(ALIKE[op], ()):
            if key in place.step:
                self.put((*place.path, key), None)

    def remove(self) -> None:
        """Remove a step or a branch."""
        place = self.place()
        branches = sorted(place.step.get("branches", ()))
        if len(branches) > 2:
            self.put((*place.path, "branches", self.rng.choice(branches)), None)
        else:
            self.put(place.path, None)

    def insert(self) -> None:
        """New steps before or after a step, or in its place."""
        place = self.place()
        x, values = self.sizes.seen[id(place.step)]
        before, after = self.chance(0.4), self.chance(0.5)
        steps: list[Step | str] = []
        at = At(x, None)
        if before:
            new, at = self.added(at, place.context)
            steps += new
        if self.chance(0.8):
            steps.append(KEPT if self.chance(0.5) else place.step)
            self.sizes.layers = 0
            at = At(self.sizes.after(place.step, at.shape, values), None)
        if after or not steps:
            steps += self.added(at, place.context)[0]
        self.put(place.path, steps)

    def added(self, at: At, context: Context) -> tuple[list[Step], At]:
        self.sizes.layers = MOST_LAYERS - 4
        return self.chains.chain(at, self.rng.choice((1, 1, 2)), context)

    def broadcast(self) -> None:
        """A sum or product with a map that has one pixel or one channel, before a step."""
        place = self.place()
        x, whole = self.at(place).shape, partial(self.writer.whole, place.context)
        if not 0 < x.rank < 3:
            raise Misfit
        steps: list[Step] = [
            {"op": "adaptive_avg_pool", "output_size": [whole((1, n, 1)) for n in x.spatial]},
            {"op": "conv", "filters": whole((1, x.channels)), "kernel_size": 1},
            {"op": "activation", "function": "sigmoid"},
        ]
        self.chains.name(steps, place.context)
        merge = self.rng.choice(("add", "multiply"))
        self.put(place.path, [self.chains.fork([[], steps], merge, place.context), place.step])

    def branch(self) -> None:
        """One more branch."""
        place = self.place("branches")
        steps = self.chains.branch(self.at(place), self.chains.inner(place.context))
        taken = place.step["branches"]
        new = self.pool.pick("branch", taken, tuple(place.context.parameters))
        self.put((*place.path, "branches", new), steps)

    def default(self) -> None:
        """Other defaults for an op."""
        known = sorted(self.base.get("defaults", {}))
        if known and self.chance(0.2):
            self.put(("defaults", self.rng.choice(known)), None)
            return
        op = self.rng.choice(("conv_bn", "conv", "max_pool", "avg_pool", "batch_norm", "dropout"))
        fixed = Context({}, open=False, literal=1.0)
        found = self.fields.made(op, At(self.taps_first(), None), fixed)
        choices = sorted(found.keys() - {"op", "filters", "kernel_size", "groups"})
        key = self.rng.choice(choices) if choices else ""
        if isinstance(found.get(key), NoneType | Given):  # defaults have no expressions
            raise Misfit
        self.put(("defaults", op, key), found[key])

    def taps_first(self) -> Any:
        return next(iter(self.sizes.seen.values()))[0]

    def head(self) -> None:
        """One more auxiliary head, or another weight for an existing one."""
        known = sorted(self.data.get("aux_heads", {}))
        if known and self.chance(0.2):
            weight = self.rng.choice((0.3, 0.5, 1.0))
            self.put(("aux_heads", self.rng.choice(known), "loss_weight"), weight)
            return
        top = self.contexts[""]
        taps = {n: At(shape, None) for n, shape in self.taps.items()}
        found = self.heads.some(taps, top)
        if set(found) & {*known, *self.taps, *self.data.get("outputs", {})}:
            raise Misfit
        for n, made in found.items():
            self.put(("aux_heads", n), made)

    def output(self) -> None:
        """One more output."""
        taken = {*self.data.get("aux_heads", {}), *self.taps, "logits"}
        if not self.taps:
            raise Misfit
        self.put(("outputs", self.pool.pick("out", taken)), self.rng.choice(sorted(self.taps)))

    def trained(self) -> None:
        """Other fields of ``training``."""
        self.put(("training", "label_smoothing"), self.rng.choice((0.0, 0.1, 0.3)))

    def require(self) -> None:
        """Remove the defaults of some new parameters that every use sets."""
        whole = self.whole()
        given = list(uses(whole))
        for n in self.base["blocks"]:
            params = self.over["blocks"].get(n, {}).get("params", {})
            for own in params:
                sets = [own in step for step in given if step["use"] == n]
                if sets and all(sets) and self.chance(0.7):
                    params[own] = params[own]["type"]


def uses(value: Any) -> Iterator[Step]:
    """Every use in a part of a spec."""
    if isinstance(value, dict):
        if "use" in value:
            yield value
        for inner in value.values():
            yield from uses(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from uses(inner)


def has(data: Any, ops: frozenset[str]) -> bool:
    """Whether a part of a spec has one of these ops."""
    if isinstance(data, dict):
        return data.get("op") in ops or any(has(value, ops) for value in data.values())
    return isinstance(data, list) and any(has(value, ops) for value in data)
