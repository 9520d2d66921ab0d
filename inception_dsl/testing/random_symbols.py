"""Random specs with expressions as values and unusual names for parameters.

Each seed gives one network or block, always the same. The specs are small, and valid by the checks
of :mod:`~inception_dsl.testing.random_ranges`.
"""

from __future__ import annotations

import random
from typing import Final, NamedTuple

from .random_blocks import Step
from .random_chains import Chains
from .random_contexts import Context, Writer
from .random_fields import At, Fields
from .random_heads import Heads
from .random_inputs import AXES
from .random_names import TOP, Pool
from .random_outputs import LOSSES
from .random_overlays import Overlay
from .random_ranges import Ranged
from .random_shapes import Misfit, Shape
from .random_specs import MAIN, RandomSpec, body, written
from .random_terms import name

ROUNDED: Final = 2
"""Seeds with this remainder by 7 have ``round``, ``floor`` and ``ceil`` in their expressions."""
WIDE: Final = 5
"""Seeds with this remainder by 7 have a width."""


class SymbolSpec(NamedTuple):
    """A spec; if its last step is an extra use of the block ``last``, also the spec without it."""

    spec: RandomSpec
    shorter: RandomSpec | None = None
    last: str = ""


def symbol_spec(seed: int) -> SymbolSpec:
    """The random spec of a seed."""
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
        self.writer = Writer(rng, self.pool, rounding=seed % 7 == ROUNDED)
        self.book = Ranged({}, self.defaults() if rng.random() < 0.2 else {}, 1_500, 24)
        self.chains = Chains(rng, self.pool, self.book, Fields(self.writer, rough=rough))
        self.heads = Heads(self.chains)
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
        whole = {**data, **self.width(), "blocks": own, "import": list(files)}
        if over and "network" in data and self.chance(0.2):
            base, whole = Overlay(self.rng).split(whole)
            files["base.yaml"] = written(base)
        kind = "network" if "network" in data else "block"
        return RandomSpec(self.seed, kind, "float64", {MAIN: written(whole), **files})

    def width(self) -> Step:
        """The fields of the width, the same for the spec and the shorter one."""
        if self.seed % 7 != WIDE:
            return {}
        rng = random.Random(f"width {self.seed}")
        width = rng.choice((0.5, 0.5, 0.35, 0.75, 1.0, 1.4, 2, 3))
        rest = {"divisor": rng.choice((2, 4, 8))} if rng.random() < 0.4 else {}
        return {"width": width, **rest, **({"minimum": 3} if rng.random() < 0.2 else {})}

    def head(self, context: Context) -> Step:
        params = {n: {"type": p.type, "default": p.value} for n, p in context.parameters.items()}
        axes = dict(zip(AXES[self.x.rank], self.x.spatial, strict=True))
        return {
            "input": {"channels": self.x.channels, **axes},
            "params": params,
            "defaults": self.book.defaults,
        }

    def block(self) -> Step:
        """A spec that is a block."""
        block = self.rng.choice(TOP)
        context = Context({"in_channels": self.x.channels}, block=True, own=(block,), literal=0.15)
        steps, at = self.chains.chain(
            At(self.x, name("in_channels")), self.rng.randint(1, 4), context
        )
        if not steps:
            raise Misfit
        self.extra(steps, at, context)
        for parameter in list(context.parameters):
            context.parameters[parameter] = context.parameters[parameter]._replace(optional=True)
        if block in self.book.blocks:
            raise Misfit
        return {"block": block, **self.head(context), "steps": steps}

    def extra(self, steps: list[Step], at: At, context: Context) -> At:
        """Sometimes add one more use of an existing block at the end."""
        known = sorted(self.book.blocks)
        if not known or not steps or not self.chance(0.7):
            return at
        block = self.rng.choice(known)
        kept = self.book.layers
        self.book.layers = 0
        found = self.chains.attempt(lambda: self.chains.called(block, at, context), at, context)
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
        context = Context({"in_channels": self.x.channels, "classes": classes}, own=(network,))
        context.literal = 0.3
        at = At(self.x, name("in_channels"))
        taps: dict[str, At] = {}
        stem, at = self.section(at, self.rng.choice((0, 0, 1, 2)), context, taps)
        main, at = self.section(at, self.rng.choice((1, 2, 3, 4)), context, taps)
        if not main:
            raise Misfit
        at = self.extra(main, at, context)
        heads = self.heads.some(taps, context)
        head = self.heads.ending(at, context) if heads or self.chance(0.9) else []
        unique(stem + main + head, set(heads))
        outputs = self.outputs(heads)
        return {
            "network": network,
            "classes": classes,
            **self.head(context),
            "stem": stem,
            "body": main,
            "head": head,
            "aux_heads": heads,
            "outputs": outputs,
        }

    def outputs(self, heads: dict[str, Step]) -> dict[str, Step]:
        """Some of the ``heads``, which run in inference too, some with a loss; taken from there."""
        losses = (None, *LOSSES)
        found = {}
        for head in [head for head in heads if self.rng.random() < 0.4]:
            made = heads.pop(head)
            del made["loss_weight"]
            loss = self.rng.choice(losses)
            found[head] = made | ({"loss": loss} if loss else {})
        return found

    def section(
        self, at: At, length: int, context: Context, taps: dict[str, At]
    ) -> tuple[list[Step], At]:
        """A top-level section; its named steps are added to ``taps`` for auxiliary heads."""
        steps, _ = self.chains.chain(at, length, context)
        kept = self.book.layers
        for step in steps:
            shape = self.book.after(step, at.shape, context.environment())
            at = At(shape, self.chains.channels(step, at, context))
            if "name" in step and step.get("repeat") != 0:
                taps[step["name"]] = at
        self.book.layers = kept
        return steps, at


def unique(steps: list[Step], beside: set[str]) -> None:
    """Raises :class:`Misfit` if two top-level paths are equal.

    The paths of repetitions and of steps without a name start with the name of their section.
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
