"""Random names, and random values of fields: numbers, expressions and parameters."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from .random_blocks import Given, Parameter
from .random_policies import Policy
from .random_shapes import Shape
from .random_sizes import Book

ODD_NAMES: Final = (
    "train",
    "half",
    "forward",
    "ops",
    "layers",
    "loss",
    "nn",
    "self",
    "x",
    "features",
    "range",
)
"""Names of steps and branches that also have a meaning in generated code."""
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


@dataclass(slots=True)
class Scope:
    """The values that expressions of a chain can read, and the parameters that it may add."""

    values: dict[str, Any]
    parameters: dict[str, Parameter] = field(default_factory=dict)
    lifted: float = 0.0
    block: bool = False
    depth: int = 0

    def restore(self, parameters: dict[str, Parameter]) -> None:
        """Remove the parameters of a discarded step."""
        self.parameters.clear()
        self.parameters.update(parameters)


class Values:
    """Makes the names and values of one spec; ``book`` has its sizes and blocks."""

    def __init__(self, rng: random.Random, policy: Policy, book: Book) -> None:
        self.rng, self.policy, self.book = rng, policy, book
        self.numbers: dict[str, int] = {}
        self.odd_names = list(ODD_NAMES) if rng.random() < 0.1 else []

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def fresh(self, word: str, *, plain: bool = False) -> str:
        """A name that is unique in the spec; never an unusual one if ``plain``."""
        if self.odd_names and not plain and self.chance(0.3):
            return self.odd_names.pop()
        self.numbers[word] = self.numbers.get(word, 0) + 1
        return f"{word}{self.numbers[word]}"

    def environment(self, scope: Scope) -> dict[str, Any]:
        return {**scope.values, **{n: p.value for n, p in scope.parameters.items()}}

    def filters(self, x: Shape, scope: Scope, multiple: int = 1) -> Any:
        """Filters or units: a number or an expression."""
        if scope.block and multiple == 1 and self.chance(0.25):
            return self.rng.choice(OF_CHANNELS)
        number = multiple * self.rng.choice(
            (1, 2, 3, 4, 5, 6, 8) if multiple == 1 else (1, 1, 2, 3)
        )
        if multiple == 1 and scope.lifted and self.chance(scope.lifted / 2):
            return self.arithmetic(scope, number)
        return self.lift(scope, "int", number, (1, 2, 3, 4)) if multiple == 1 else number

    def arithmetic(self, scope: Scope, number: int) -> Given:
        """An expression of a new parameter."""
        name = self.parameter(scope, "int", number, (2, 3, 5))
        text, of = self.rng.choice(ARITHMETIC)
        return Given(f"${{{text.replace('n', name)}}}", lambda values: of(int(values[name])))

    def lift(self, scope: Scope, kind: str, value: Any, choices: tuple[Any, ...]) -> Any:
        """``value``, or sometimes a parameter of the block or network with this value."""
        if not self.chance(scope.lifted):
            return value
        same = [
            n
            for n, p in scope.parameters.items()
            if (p.type, p.value, p.choices) == (kind, value, choices)
        ]
        name = self.rng.choice(same) if same else self.parameter(scope, kind, value, choices)
        return Given(f"${name}", lambda values: values[name])

    def parameter(self, scope: Scope, kind: str, value: Any, choices: tuple[Any, ...]) -> str:
        """The name of a new parameter with this value."""
        word = {"int": "width", "float": "factor", "bool": "flag", "str": "way"}[kind]
        name = self.fresh(word, plain=True)
        scope.parameters[name] = Parameter(
            kind, value, choices, not scope.block or self.chance(0.4)
        )
        return name

    def function(self, scope: Scope) -> Any:
        """An activation function."""
        own = tuple(name for name in self.policy.functions if name != "gelu_tanh")
        return self.lift(scope, "str", self.rng.choice(own), own)

    def word(self, scope: Scope, words: tuple[str, ...]) -> Any:
        """One of ``words``."""
        return self.lift(scope, "str", self.rng.choice(words), words)

    def flag(self, scope: Scope, value: bool) -> Any:
        return self.lift(scope, "bool", value, (True, False))

    def number(self, scope: Scope, *values: float) -> Any:
        return self.lift(scope, "float", self.rng.choice(values), values)

    def pixels(self, rank: int, choices: tuple[int, ...]) -> Any:
        """Explicit padding: one number, one per axis, or one per side."""
        way = self.rng.choice(("all", "axes", "sides"))
        if way == "all":
            return self.rng.choice(choices[1:])
        pick = [[self.rng.choice(choices) for _ in range(2)] for _ in range(rank)]
        return pick if way == "sides" else [before for before, _ in pick]
