"""The helper functions that a file calls; only options that vary between calls are arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from inception_dsl.backend import (
    SLOPES,
    Code,
    Group,
    Item,
    Read,
    call,
    docstring,
    literal,
    signature,
    varying,
)

from .activations import NATIVE, activate, one
from .blocks import TENSOR_TYPE
from .calls import Call, Keyword, layer
from .lowering import CONV_BN
from .printing import broken, statement
from .reserved import OPERATING, OPTIONAL, TEMPLATED
from .statements import Assign, Bind, Divide, Statement
from .views import FunctionView, HelperView

ALWAYS: Final = {CONV_BN: ("filters", "kernel_size"), "activate": ("activation",)}
DEFAULTS: Final = {
    "strides": "1",
    "padding": '"valid"',
    "dilation_rate": "1",
    "groups": "1",
    "use_bias": "True",
    "center": "True",
    "scale": "True",
}
NORMAL: Final = ("momentum", "epsilon", "center", "scale")


Key: TypeAlias = tuple[str, str]
ACTIVATE: Final = ("activate", "")
NAME: Final = Item("name", "name")


class Helpers:
    """All calls of a file, collected before any is printed.

    A :data:`Key` is a helper function and its built-in activation.
    """

    def __init__(self, statements: Iterable[Statement], rank: int) -> None:
        statements = [*statements]
        self.rank = rank
        self.splitting = any(isinstance(found, Divide) for found in statements)
        self.nesting = any(isinstance(found, Bind) and found.model for found in statements)
        self.calls: dict[Key, list[Call]] = {}
        self.called: set[str] = set()
        for assign in statements:
            if isinstance(assign, Assign):
                self.calls.setdefault(key(assign.call), []).append(assign.call)
                self.called |= assign.call.helpers()
        joined = [c for calls in self.calls.values() for c in calls if c.function == CONV_BN]
        self.last = last_of({name for call in joined for name in call.activations})
        if self.last is not None and self.last.helper:
            self.calls.setdefault(key(self.last), []).append(self.last)
            self.called.add(self.last.function)
        for name in {k[1] for k in self.calls if k[0] == CONV_BN} - {""}:
            self.called |= one(name, "").helpers()
        self.called |= self.applied()
        self.splitting |= "part_softmax" in self.called
        if "single_scale" in self.called:
            self.called.add("layer_scale")
        if "max_pool" in self.called:
            self.called.add("same_padding")
        found = sorted(
            (k for k in self.calls if k[0] == CONV_BN), key=lambda k: -len(self.calls[k])
        )
        self.titles = {k: title(k, index) for index, k in enumerate(found)}
        self.options = {k: self.varying(k) for k in self.calls if k[0] in OPTIONAL}

    @property
    def operating(self) -> bool:
        """Whether a helper function uses operations."""
        return not OPERATING.isdisjoint(self.called)

    @property
    def importing(self) -> bool:
        """Whether a helper function uses ``keras.ops`` by name."""
        pooled = {"local_response_norm"} if self.rank < 3 else set()
        return not (OPERATING - pooled).isdisjoint(self.called)

    def varying(self, key: Key) -> dict[str, Code | None]:
        """The options of a helper that vary, with their defaults (``None``: required)."""
        return varying([call.options() for call in self.calls[key]], ALWAYS.get(key[0], ()))

    def values(self, key: Key, keyword: str) -> list[Code]:
        """The values that calls pass for an option."""
        found = (call.options()[keyword] for call in self.calls[key])
        return [value for value in found if value is not None]

    def argument(self, key: Key, keyword: str, default: str | None = None) -> Keyword:
        """An option in the helper's body: the helper's argument, or the constant value."""
        if keyword in self.options[key]:
            value: Code | None = Read(keyword)
        else:
            value = next(iter(self.values(key, keyword)), None)
        return Keyword(keyword, value, default, keyword in ALWAYS[CONV_BN])

    def shown(self, call: Call) -> Call:
        """The call as printed: options that do not vary or have the default are left out."""
        found = self.options.get(key(call))
        if found is None:
            return call
        kept = tuple(
            replace(given(a) if found[a.keyword] is None else a, default=found[a.keyword])
            for a in call.arguments
            if a.keyword in found
        )
        return replace(call, function=self.titles.get(key(call), call.function), arguments=kept)

    def kind(self, key: Key, keyword: str) -> str:
        """The type of an option."""
        kinds = {a.kind for c in self.calls[key] for a in c.arguments if a.keyword == keyword}
        return " | ".join(sorted(kinds))

    def parameters(self, key: Key) -> list[str]:
        options = self.options[key].items()
        needed = [f"{k}: {self.kind(key, k)}" for k, default in options if default is None]
        given = [f"{k}: {self.kind(key, k)} = {v}" for k, v in options if v is not None]
        return [f"x: {TENSOR_TYPE}", *needed, *given, "*", "name: str"]

    def functions(self) -> tuple[FunctionView, ...]:
        return tuple(self.conv_bn(key, name) for key, name in self.titles.items())

    def conv_bn(self, key: Key, name: str) -> FunctionView:
        """The helper function for a convolution with batch norm."""
        options = self.calls[key][0].options()
        own = [k for k in options if k not in (*NORMAL, "activation")]
        conv = [self.argument(key, k, DEFAULTS.get(k)) for k in own]
        norm = [self.argument(key, k, DEFAULTS.get(k)) for k in NORMAL]
        calls = [
            layer(f"Conv{self.rank}D", *conv, part="conv"),
            layer("BatchNormalization", *norm, part="bn"),
        ]
        what = ""
        if "activation" in options and self.last is not None:
            calls.append(self.shown(self.last))
            what = ", then an activation"
        elif key[1] != "none":
            calls.append(one(key[1], key[1]))
            what = f", then {key[1]}"
        lines = [_line(call, "return" if call is calls[-1] else "x") for call in calls]
        doc = docstring(f"Convolution and batch normalisation{what}.", indent=4)
        heading = signature(name, self.parameters(key), TENSOR_TYPE)
        return FunctionView(heading, doc, tuple(lines))

    def templated(self) -> tuple[HelperView, ...]:
        """The helpers that have a template, each after those that it calls."""
        return tuple(
            HelperView(Code(f"helpers/{self.template(n)}.py.j2"), codes(self.slots(n)))
            for n in TEMPLATED
            if n in self.called
        )

    def template(self, name: str) -> str:
        """The template of a helper."""
        return f"{name}_3d" if name == "local_response_norm" and self.rank == 3 else name

    def slots(self, name: str) -> dict[str, str]:
        """The template variables of a helper."""
        if name in ("max_pool", "average_pool"):
            kinds = {k: self.kind((name, ""), k) for k in ("pool_size", "strides")}
            padding = "padding" if self.rank > 1 else "padding[0]"
            each = {
                "window": per_axis("pool_size", kinds["pool_size"], self.rank),
                "steps": per_axis("strides", kinds["strides"], self.rank),
            }
            return {**kinds, **each, "padding": padding, "rank": str(self.rank)}
        if name == "local_response_norm":
            return self.norm_slots((name, ""))
        return self.activate_slots() if name == "activate" else {}

    def norm_slots(self, key: Key) -> dict[str, str]:
        """The template variables of local response normalisation."""
        values = {k: str(self.argument(key, k).value) for k in ("size", "alpha", "beta", "k")}
        size = values["size"]
        before, after = f"{size} // 2", f"({size} - 1) // 2"
        if "size" not in self.options[key]:
            before, after = str(int(size) // 2), str((int(size) - 1) // 2)
        sides = f"({before}, {after})"
        padding = sides if self.rank == 1 else f"((0, 0), {sides})"
        window = size if self.rank == 1 else f"(1, {size})"
        heading = signature(key[0], self.parameters(key), TENSOR_TYPE)
        shown = {"sides": sides, "padding": padding, "window": window, "rank": str(self.rank)}
        return {**values, **shown, "signature": heading}

    def approximates(self) -> bool:
        """Whether ``activate`` may have to approximate GELU."""
        calls = self.calls.get(ACTIVATE, ())
        found = [c.options()["approximate"] for c in calls if "gelu" in c.activations]
        return any(value != literal(False) for value in found)

    def applied(self) -> set[str]:
        """The helper functions that ``activate`` calls."""
        calls = self.calls.get(ACTIVATE, ())
        found = {name for call in calls for name in call.activations} & {"gelu", "leaky_relu"}
        return found | ({"gelu_tanh"} if self.approximates() else set())

    def activate_slots(self) -> dict[str, str]:
        """The template variables of ``activate``: cases for what ``layers.Activation`` lacks."""
        names = {name for call in self.calls[ACTIVATE] for name in call.activations}
        alphas, options = self.values(ACTIVATE, "alpha"), self.options[ACTIVATE]
        alpha = str(self.argument(ACTIVATE, "alpha").value)
        sure = "alpha" not in options or literal(None) not in alphas
        given = alphas != [literal(None)] * len(alphas)
        cases = []
        if "leaky_relu" in names:
            own = literal(SLOPES["leaky_relu"])
            slope = own if not given else alpha if sure else f"{own} if alpha is None else alpha"
            cases += case("leaky_relu", call("leaky_relu", "x", slope, NAME), suffix="")
        if "elu" in names and given:
            test = "" if sure else "alpha is not None"
            cases += case("elu", call("layers.ELU", Item(alpha, "alpha"), NAME), test)
        if self.approximates():
            test = "approximate" if "approximate" in options else ""
            cases += case("gelu", call("gelu_tanh", "x", NAME), test, "")
        if "gelu" in names and (not self.approximates() or "approximate" in options):
            cases += case("gelu", call("gelu", "x", NAME), suffix="")
        heading = signature(ACTIVATE[0], self.parameters(ACTIVATE), TENSOR_TYPE)
        return {"signature": heading, "cases": "\n".join(cases)}


def codes(slots: dict[str, str]) -> dict[str, Code]:
    """The variables of a template as source."""
    return {name: Code(text) for name, text in slots.items()}


def per_axis(name: str, kind: str, rank: int) -> str:
    """An argument that may be one number, as a tuple with a number for each axis."""
    one = f"({name},) * {rank}"
    if kind == "int":
        return one
    return name if "int |" not in kind else f"{one} if isinstance({name}, int) else {name}"


def given(argument: Keyword) -> Keyword:
    """A required argument; if any value will do, the default is passed."""
    if argument.value is None:
        return replace(argument, value=Code(DEFAULTS[argument.keyword]))
    return argument


def key(call: Call) -> Key:
    """The key of a call."""
    return call.function, call.fixed


def title(key: Key, index: int) -> str:
    """The name of a ``conv_bn`` helper function; the most used one has the short name."""
    return CONV_BN if not index else f"{CONV_BN}_{'linear' if key[1] == 'none' else key[1]}"


def last_of(names: set[str]) -> Call | None:
    """The last layer of a helper function that takes its activation as an argument."""
    argument = Keyword("activation", Read("activation"), positional=True, kind="str")
    if not names <= NATIVE:
        return activate(argument, tuple(sorted(names)), "activation")
    return layer("Activation", argument, part="activation") if names else None


def case(name: str, result: Group, test: str = "", suffix: str = "(x)") -> list[str]:
    """The lines of ``activate`` for one activation."""
    more = f" and {test}" if test else ""
    first = f"    if activation == {literal(name)}{more}:"
    return [first, broken("return ", result, suffix, 8, "")]


def _line(call: Call, target: str) -> Code:
    prefix = "return " if target == "return" else f"{target} = "
    return statement(prefix, call, "x", f"{{name}}_{call.part}", indent=4)


def written(statements: Sequence[Statement], helpers: Helpers, indent: int = 4) -> tuple[Code, ...]:
    """The lines of a function's body."""
    return tuple(
        s.text(helpers.shown(s.call), indent) if isinstance(s, Assign) else s.text(indent)
        for s in statements
    )
