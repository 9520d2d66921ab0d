"""Random steps and chains, each tried on the shape it would stand on before it is kept."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from .random_forks import Forks
from .random_policies import Policy
from .random_sizes import Block, Book, Given, Misfit, Parameter, Shape, Step
from .random_windows import Windows

TRIES: Final = 12
MOST_LAYERS: Final = 22
ODD_NAMES: Final = ("train", "half", "forward", "ops", "layers", "loss", "nn", "self", "x", "features", "range")
"""Names of steps and branches that mean something else in generated code."""


@dataclass(slots=True)
class Scope:
    """Where a chain stands: the values that expressions read, and the parameters that values may become."""

    values: dict[str, Any]
    parameters: dict[str, Parameter] = field(default_factory=dict)
    lifted: float = 0.0
    block: bool = False
    depth: int = 0

    def restore(self, parameters: dict[str, Parameter]) -> None:
        """Forget the parameters of a step that was put back."""
        self.parameters.clear()
        self.parameters.update(parameters)


class Steps:
    """Makes the steps of one spec; ``book`` keeps the sizes and the blocks."""

    def __init__(self, rng: random.Random, policy: Policy, book: Book) -> None:
        self.rng, self.policy, self.book = rng, policy, book
        self.numbers: dict[str, int] = {}
        self.windows, self.forks = Windows(self), Forks(self)
        self.odd_names = list(ODD_NAMES) if rng.random() < 0.1 else []

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def fresh(self, word: str, *, plain: bool = False) -> str:
        """A name that stands nowhere else in the spec; ``plain`` for what PyTorch code must be able to call so."""
        if self.odd_names and not plain and self.chance(0.3):
            return self.odd_names.pop()
        self.numbers[word] = self.numbers.get(word, 0) + 1
        return f"{word}{self.numbers[word]}"

    def chain(self, x: Shape, length: int, scope: Scope) -> tuple[list[Step], Shape]:
        """At most ``length`` steps on ``x``, and the shape behind them."""
        steps: list[Step] = []
        for _ in range(length):
            found = self.step(x, scope)
            if found is None:
                break
            steps.append(found[0])
            x = found[1]
        self.name(steps)
        return steps, x

    def step(self, x: Shape, scope: Scope) -> tuple[Step, Shape] | None:
        """One more step, or nothing where the spec has enough."""
        for _ in range(TRIES):
            if self.book.layers >= MOST_LAYERS:
                return None
            kept = set(self.book.blocks)
            before, parameters = self.book.layers, dict(scope.parameters)
            try:
                made = self.made(self.kind(scope), x, scope)
                return made, self.tried(made, x, scope, before)
            except Misfit:
                self.book.layers = before
                scope.restore(parameters)
                for name in [n for n in self.book.blocks if n not in kept]:
                    del self.book.blocks[name]
        return None

    def tried(self, step: Step, x: Shape, scope: Scope, before: int) -> Shape:
        self.book.layers = before
        y = self.book.after(step, x, self.values(scope))
        if self.book.layers > MOST_LAYERS + 6:
            raise Misfit
        return y

    def values(self, scope: Scope) -> dict[str, Any]:
        return {**scope.values, **{n: p.value for n, p in scope.parameters.items()}}

    def kind(self, scope: Scope) -> str:
        weights = self.policy.weights()
        if scope.depth >= 3:
            weights |= dict.fromkeys(("concat", "add", "multiply", "excite", "use"), 0.0)
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def made(self, kind: str, x: Shape, scope: Scope) -> Step:
        if kind == "use":
            step = self.use(x, scope)
        elif kind in ("concat", "add", "multiply", "excite"):
            step = self.forks.fork(kind, x, scope)
        else:
            step = {"op": kind, **self.attributes(kind, x, scope)}
        if self.chance(0.08):
            step["repeat"] = self.lift(scope, "int", self.rng.choice((1, 2, 2, 3)), (1, 2))
        return step

    def attributes(self, kind: str, x: Shape, scope: Scope) -> Step:
        if kind in WINDOW_KINDS:
            return self.windows.attributes(kind, x, scope)
        return ATTRIBUTES[kind](self, x, scope) if kind in ATTRIBUTES else {}

    def filters(self, x: Shape, scope: Scope, multiple: int = 1) -> Any:
        """Filters or units: a number, or an expression where the scope has one to say."""
        if scope.block and multiple == 1 and self.chance(0.25):
            return self.rng.choice(OF_CHANNELS)
        number = multiple * self.rng.choice((1, 2, 3, 4, 5, 6, 8) if multiple == 1 else (1, 1, 2, 3))
        if multiple == 1 and scope.lifted and self.chance(scope.lifted / 2):
            return self.arithmetic(scope, number)
        return self.lift(scope, "int", number, (1, 2, 3, 4)) if multiple == 1 else number

    def arithmetic(self, scope: Scope, number: int) -> Given:
        """An expression on a new parameter."""
        name = self.parameter(scope, "int", number, (2, 3, 5))
        text, of = self.rng.choice(ARITHMETIC)
        return Given(f"${{{text.replace('n', name)}}}", lambda values: of(int(values[name])))

    def lift(self, scope: Scope, kind: str, value: Any, choices: tuple[Any, ...]) -> Any:
        """``value``, or sometimes a parameter of the block (or the network) that has it."""
        if not self.chance(scope.lifted):
            return value
        same = [n for n, p in scope.parameters.items() if (p.type, p.value, p.choices) == (kind, value, choices)]
        name = self.rng.choice(same) if same else self.parameter(scope, kind, value, choices)
        return Given(f"${name}", lambda values: values[name])

    def parameter(self, scope: Scope, kind: str, value: Any, choices: tuple[Any, ...]) -> str:
        word = {"int": "width", "float": "factor", "bool": "flag", "str": "way"}[kind]
        name = self.fresh(word, plain=True)
        scope.parameters[name] = Parameter(kind, value, choices, not scope.block or self.chance(0.4))
        return name

    def function(self, scope: Scope) -> Any:
        own = tuple(name for name in self.policy.functions if name != "gelu_tanh")
        return self.lift(scope, "str", self.rng.choice(own), own)

    def flag(self, scope: Scope, value: bool) -> Any:
        return self.lift(scope, "bool", value, (True, False))

    def number(self, scope: Scope, *values: float) -> Any:
        return self.lift(scope, "float", self.rng.choice(values), values)

    def use(self, x: Shape, scope: Scope) -> Step:
        """A block that is there already, with other values where it takes some; or a new one."""
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
        name = self.fresh("unit")
        inner = Scope({"in_channels": x.channels}, {}, max(self.policy.lifted, 0.1), True, scope.depth + 1)
        steps, _ = self.chain(x, self.rng.randint(1, 4), inner)
        if not steps:
            raise Misfit
        self.book.blocks[name] = Block(steps, inner.parameters)
        return name

    def name(self, steps: list[Step]) -> None:
        """Names where a chain needs them, so that no two paths are the same; and some more."""
        uses: set[str] = set()
        for step in steps:
            fork, again = "branches" in step, step.get("use") in uses
            uses |= {step["use"]} if "use" in step else set()
            if (fork and (len(steps) > 1 or self.chance(0.5))) or again or self.chance(0.3):
                step["name"] = self.fresh("part" if fork else "unit" if "use" in step else "layer")


def _norm(steps: Steps, scope: Scope, epsilons: tuple[float, ...]) -> Step:
    found: Step = {"epsilon": steps.number(scope, *epsilons)} if steps.chance(0.6) else {}
    for key in ("scale", "center"):
        found |= {key: steps.flag(scope, steps.chance(0.4))} if steps.chance(0.4) else {}
    return found


def batch_norm(steps: Steps, x: Shape, scope: Scope) -> Step:
    found = _norm(steps, scope, (1e-3, 1e-5, 0.01, 0.1))
    return {**found, "decay": steps.number(scope, 0.9, 0.99, 0.9997, 0.5, 0.0)} if steps.chance(0.4) else found


def layer_norm(steps: Steps, x: Shape, scope: Scope) -> Step:
    return _norm(steps, scope, (1e-5, 1e-3, 0.1))


def group_norm(steps: Steps, x: Shape, scope: Scope) -> Step:
    groups = steps.rng.choice([n for n in range(1, x.channels + 1) if x.channels % n == 0])
    return {"groups": groups, **_norm(steps, scope, (1e-5, 1e-3, 0.1))}


def local_response_norm(steps: Steps, x: Shape, scope: Scope) -> Step:
    wanted: Step = {
        "size": steps.lift(scope, "int", steps.rng.choice((1, 2, 3, 4, 5)), (2, 3)),
        "alpha": steps.number(scope, 0.0001, 0.1, 1.0),
        "beta": steps.number(scope, 0.75, 0.5, 1.0),
        "k": steps.number(scope, 1.0, 2.0, 0.5),
    }
    return {key: value for key, value in wanted.items() if steps.chance(0.7)}


def activation(steps: Steps, x: Shape, scope: Scope) -> Step:
    name = steps.rng.choice(steps.policy.functions)
    if name == "gelu_tanh":
        return {"function": "gelu", "approximate": True}
    if name in ("elu", "leaky_relu") and steps.chance(0.6):
        return {"function": name, "alpha": steps.number(scope, 0.3, 0.7, 1.3)}
    return {"function": steps.function(scope)} if name in EVERYWHERE else {"function": name}


def dropout(steps: Steps, x: Shape, scope: Scope) -> Step:
    return {"rate": steps.number(scope, 0.2, 0.5, 0.0)}


def scale(steps: Steps, x: Shape, scope: Scope) -> Step:
    return {"value": steps.number(scope, 0.1, 0.17, 0.5, -1.5, 2.0)}


def dense(steps: Steps, x: Shape, scope: Scope) -> Step:
    found: Step = {"units": steps.filters(x, scope)}
    found |= {"use_bias": steps.flag(scope, False)} if steps.chance(0.3) else {}
    return {**found, "activation": steps.function(scope)} if steps.chance(0.5) else found


def adaptive_avg_pool(steps: Steps, x: Shape, scope: Scope) -> Step:
    if steps.chance(0.5):
        return {"output_size": steps.lift(scope, "int", steps.rng.choice((1, 2, 3, 4)), (1, 2, 3))}
    return {"output_size": [steps.rng.choice((1, 2, 3, 5)) for _ in range(x.rank)]}


def zero_pad(steps: Steps, x: Shape, scope: Scope) -> Step:
    return {"padding": steps.windows.pixels(x.rank, (0, 1, 2))}


def global_pool(steps: Steps, x: Shape, scope: Scope) -> Step:
    return {"keepdims": True}


EVERYWHERE: Final = frozenset({"none", "relu", "relu6", "silu", "sigmoid", "tanh"})
OF_CHANNELS: Final = (
    Given("$in_channels", lambda values: values["in_channels"]),
    Given("${in_channels + 1}", lambda values: values["in_channels"] + 1),
    Given("${max(in_channels // 2, 1)}", lambda values: max(values["in_channels"] // 2, 1)),
    Given("${in_channels % 3 + 2}", lambda values: values["in_channels"] % 3 + 2),
    Given("${min(in_channels * 2, 7)}", lambda values: min(values["in_channels"] * 2, 7)),
)
ARITHMETIC: Final[tuple[tuple[str, Callable[[int], int]], ...]] = (
    ("n + 1", lambda n: n + 1),
    ("(n + 3) // 2", lambda n: (n + 3) // 2),
    ("max(n - 2, 1)", lambda n: max(n - 2, 1)),
    ("n * 2 - n % 2", lambda n: n * 2 - n % 2),
)
WINDOW_KINDS: Final = frozenset({"conv", "conv_bn", "separable_conv", "depthwise_conv", "max_pool", "avg_pool"})
ATTRIBUTES: Final[dict[str, Callable[[Steps, Shape, Scope], Step]]] = {
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "group_norm": group_norm,
    "local_response_norm": local_response_norm,
    "activation": activation,
    "dropout": dropout,
    "scale": scale,
    "dense": dense,
    "zero_pad": zero_pad,
    "adaptive_avg_pool": adaptive_avg_pool,
    "global_avg_pool": global_pool,
    "global_max_pool": global_pool,
}
