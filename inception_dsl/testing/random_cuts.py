"""A spec that exists, made small by an overlay: another input, few steps, few filters."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, Final

from .plain_specs import merged, selector
from .random_blocks import Block, Step
from .random_chains import Chains
from .random_contexts import Context, Writer
from .random_fields import FILTERS, Fields
from .random_heads import Heads
from .random_inputs import AXES
from .random_joins import MOST_LAYERS
from .random_names import FIELDS, TOP, Pool
from .random_places import SECTIONS, Place, Sizes, declared, places
from .random_places import Path as Where
from .random_shapes import Misfit
from .random_specs import body

TRIES: Final = 25
WIDE: Final = 6
"""A layer of the base with more filters gets fewer."""


class Cut:
    """An overlay over a spec, and what is known about the result."""

    def __init__(self, rng: random.Random, seed: int, base: Step) -> None:
        self.rng, self.seed, self.base = rng, seed, base
        self.kind = "network" if "network" in base else "block"
        self.over: Step = {"blocks": {}}
        self.sizes, self.pool = Sizes(), Pool(rng)
        self.writer = Writer(rng, self.pool)
        self.fields = Fields(self.writer, rough=rng.random() < 0.06)
        self.chains = Chains(rng, self.pool, self.sizes, self.fields)
        self.heads = Heads(self.chains)
        self.contexts: dict[str, Context] = {}
        self.new: dict[str, Block] = {}
        self.data = base

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def whole(self) -> Step:
        """The base with the overlay."""
        found: Step = merged(self.base, self.over)
        return found

    def put(self, path: Where, value: Any) -> None:
        """Set a value in the overlay."""
        at: Any = self.over
        for key in path[:-1]:
            at = at.setdefault(key, {})
            if not isinstance(at, dict):  # removed or replaced
                raise Misfit
        if value is None and path[-1] in at:  # not in the base
            raise Misfit
        at[path[-1]] = value

    def attempt(self, change: Callable[[], None]) -> bool:
        """Make a change, or none if the spec is not valid with it."""
        kept = deepcopy(self.over), dict(self.new)
        parameters = {n: dict(context.parameters) for n, context in self.contexts.items()}
        try:
            self.check()
            self.sizes.layers = MOST_LAYERS - 4  # the layers of the base do not count
            change()
            self.declare()
            self.check()
        except Misfit:
            self.over, self.new = kept
            for n, known in parameters.items():
                self.contexts[n].restore(known)
            return False
        return True

    def check(self) -> None:
        """Raises :class:`Misfit` if the spec is not valid."""
        self.data = self.whole()
        self.taps = self.sizes.whole(self.data, self.new)

    def declare(self) -> None:
        """Add new parameters and blocks to the overlay."""
        for block, context in self.contexts.items():
            where: Where = ("blocks", block, "params") if block else ("params",)
            base = self.base["blocks"][block] if block else self.base
            for n, p in context.parameters.items():
                if n not in base.get("params", {}):
                    self.put((*where, n), {"type": p.type, "default": p.value})
        for n, made in self.sizes.blocks.items():
            if n not in self.base["blocks"]:
                self.new[n] = made
                self.put(("blocks", n), body(made))

    def places(self) -> list[Place]:
        """All steps of the base that can be changed."""
        found: list[Place] = []
        whole = self.data
        for section in SECTIONS:
            found += self.chain((section,), self.base, whole, self.contexts[""])
        for block, data in self.base["blocks"].items():
            where = ("blocks", block)
            if block in self.contexts:
                found += self.chain(
                    (*where, "steps"), data, whole["blocks"][block], self.contexts[block]
                )
        for n, data in (self.base.get("aux_heads") or {}).items():
            if n in whole.get("aux_heads", {}):
                inner = whole["aux_heads"][n]
                found += self.chain(("aux_heads", n, "steps"), data, inner, self.contexts[""])
        return found

    def chain(self, path: Where, base: Step, whole: Step, context: Context) -> Iterator[Place]:
        """The steps of one chain of the base."""
        over: Any = self.over
        for part in path:
            over = over.get(part, {})
        key = str(path[-1])
        yield from places(base.get(key, []), over, whole.get(key, []), path, context)

    # making it small

    def small(self) -> None:
        """Another input and fewer classes, fewer steps, fewer filters."""
        self.put((self.kind,), self.rng.choice(TOP))
        if self.chance(0.5):
            del self.over[self.kind]
        self.channels = 3
        if self.kind == "block" or self.chance(0.3):
            self.channels = self.rng.randint(1, 6)
        if self.kind == "network":
            self.put(("classes",), self.rng.randint(2, 5))
            if self.channels != 3 and "preprocessing" in self.base:
                self.put(("preprocessing",), None)
            self.cut()
        if "checkpoints" in self.base:  # they name steps that are removed
            self.put(("checkpoints",), None)
        self.top()
        self.narrow()
        self.resize()
        self.learn()

    def top(self) -> None:
        """The context of the network's own steps."""
        for n, p in self.base.get("params", {}).items():
            kind = p if isinstance(p, str) else p["type"]
            default = self.rng.choice(declared(kind).choices)
            self.put(("params", n), {"type": kind, "default": default})
        known = {n: declared(p) for n, p in self.over.get("params", {}).items()}
        own = str(self.over.get(self.kind, self.base[self.kind]))
        values = {"in_channels": self.channels}
        if self.kind == "network":
            values["classes"] = self.over["classes"]
        self.contexts[""] = Context(values, known, block=self.kind == "block", own=(own,))

    def resize(self) -> None:
        """A small input that fits, of any rank."""
        rank = self.rng.choice((2, 2, 2, 2, 1, 3))
        for _ in range(TRIES):
            axes = {axis: self.rng.randint(1, 12 if rank == 3 else 64) for axis in AXES[rank]}
            if rank == 2 and self.chance(0.5):
                axes = dict.fromkeys(axes, axes["height"])
            gone = [axis for axis in self.base.get("input", {}) if axis not in axes]
            self.over["input"] = {**dict.fromkeys(gone), "channels": self.channels, **axes}
            try:
                return self.check()
            except Misfit:
                continue
        raise Misfit

    def learn(self) -> None:
        """What the steps of each used block can read: the values of its first use."""
        seen = self.sizes.seen
        for n, data in self.data["blocks"].items():
            if not data["steps"] or id(data["steps"][0]) not in seen:
                continue
            x, values = seen[id(data["steps"][0])]
            known = {
                p: declared(d)._replace(value=values[p]) for p, d in data.get("params", {}).items()
            }
            fixed, literal = {"in_channels": x.channels}, self.rng.choice((0.05, 0.25, 0.5))
            self.contexts[n] = Context(fixed, known, block=True, own=(n,), literal=literal, depth=1)

    def cut(self) -> None:
        """Remove most of the body and some of the stem; move or remove the auxiliary heads."""
        for section, share in (("body", 1.0), ("stem", 0.4)):
            steps = self.base[section]
            if len(steps) > 3 and self.chance(share):
                length = self.rng.randint(1, 3)
                first = self.rng.randint(0, len(steps) - length)
                kept = range(first, first + length)
                keys = [
                    i if self.chance(0.1) else selector(step, i)
                    for i, step in enumerate(steps)
                    if i not in kept
                ]
                self.over[section] = dict.fromkeys(keys)
        named = [
            step["name"]
            for section in ("stem", "body")
            for step in self.base[section]
            if "name" in step and step in merged(self.base[section], self.over.get(section, {}))
        ]
        for n in self.base.get("aux_heads") or {}:
            gone = not named or self.chance(0.5)
            self.put(("aux_heads", n), None if gone else {"after": self.rng.choice(named)})

    def narrow(self) -> None:
        """Fewer filters and repetitions."""
        self.data = self.whole()
        self.contexts |= dict.fromkeys(self.base["blocks"], self.contexts[""])
        for path, step, _ in self.places():
            wide = {
                key: self.rng.choice(FILTERS)
                for key, value in step.items()
                if (
                    key in ("filters", "units")
                    or key.startswith("filters_")
                    or ("use" in step and key not in FIELDS)
                )
                and type(value) is int
                and value > WIDE
            }
            if step.get("repeat", 1) > 3:
                wide["repeat"] = self.rng.randint(1, 3)
            for key, value in wide.items():
                self.put((*path, key), value)
        self.contexts = {"": self.contexts[""]}
