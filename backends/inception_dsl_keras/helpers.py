"""The helper functions of a file.

Only those it calls, with only the options that vary in it as arguments.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from inception_dsl.backend import Code, docstring, signature

from .blocks import TENSOR_TYPE, Function
from .body import Assign, Statement
from .calls import Argument, Call, layer
from .lowering import CONV_BN, NATIVE, activation_layer, function_op
from .source import statement
from .views import FunctionView, HelperView

ALWAYS: Final = ("filters", "kernel_size")
TYPES: Final = {
    "filters": "int",
    "padding": "str",
    "groups": "int",
    "use_bias": "bool",
    "momentum": "float",
    "epsilon": "float",
    "center": "bool",
    "scale": "bool",
    "size": "int",
    "alpha": "float",
    "beta": "float",
    "k": "float",
}
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
TEMPLATED: Final = (
    "same_padding",
    "ceil_padding",
    "ceil_padding_around",
    "max_pool",
    "average_pool",
)
FUNCTIONS: Final = ("none", "leaky_relu", *sorted(NATIVE))
OF_PROBABILITIES: Final = "cross_entropy_of_probabilities"
RESERVED: Final = {
    *TEMPLATED,
    "conv_bn",
    *(f"conv_bn_{'linear' if f == 'none' else f}" for f in FUNCTIONS),
    "local_response_norm",
    "gelu_tanh",
    "init_weights",
    "preprocess",
    "cross_entropy",
    OF_PROBABILITIES,
    "loss",
}


class Helpers:
    """Knows every call of the file before any is written."""

    def __init__(
        self, statements: Iterable[Statement], functions: Sequence[Function], rank: int
    ) -> None:
        self.rank = rank
        self.blocks = {f.name: f for f in functions if f.optional}
        self.calls: dict[str, list[Call]] = {}
        self.varying: dict[str, dict[str, str | None]] = {}
        texts: list[str] = []
        for assign in statements:
            if isinstance(assign, Assign):
                self.calls.setdefault(assign.call.function, []).append(assign.call)
                texts += (a.value for a in assign.call.arguments if a.value)
        self.text = " ".join(texts)
        found = sorted(
            (n for n in self.calls if n.startswith(CONV_BN)), key=lambda n: -len(self.calls[n])
        )
        self.conv_bns = {name: self.title(name, index) for index, name in enumerate(found)}

    def title(self, name: str, index: int) -> str:
        function = name.removeprefix(CONV_BN)
        return "conv_bn" if not index else f"conv_bn_{'linear' if function == 'none' else function}"

    def options(self, function: str) -> dict[str, str | None]:
        """The options of a helper that vary, with their most common value (``None``: it has to be
        given).
        """
        if function not in self.varying:
            self.varying[function] = self._options(function)
        return self.varying[function]

    def _options(self, function: str) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for keyword in [a.keyword for a in self.calls[function][0].arguments]:
            values = [v for call in self.calls[function] if (v := call.value(keyword)) is not None]
            if keyword in ALWAYS:
                found[keyword] = None
            elif len(set(values)) > 1 or not all(map(_constant, values)):
                found[keyword] = _common(values)
        return found

    def defaults(self, name: str) -> dict[str, str | None]:
        """The defaults of a block's function, by its own names of the arguments."""
        if name not in self.varying:
            function = self.blocks[name]
            names = [function.parameters[own][0] for own in function.optional]
            self.varying[name] = {
                k: _common(str(call.value(k)) for call in self.calls[name]) for k in names
            }
        return self.varying[name]

    def heading(self, function: Function) -> list[str]:
        """The parameters of a block's function, those with a default last."""
        defaults = self.defaults(function.name) if function.optional else {}
        found = [(f"{k}: {kind}", defaults.get(k)) for k, kind in function.parameters.values()]
        given = [f"{text} = {default}" for text, default in found if default is not None]
        return [
            f"x: {TENSOR_TYPE}",
            *(text for text, default in found if default is None),
            *given,
            "*",
            "name: str",
        ]

    def constant(self, function: str, keyword: str) -> str | None:
        values = (call.value(keyword) for call in self.calls[function])
        return next((v for v in values if v is not None), None)

    def argument(self, function: str, keyword: str, default: str | None = None) -> Argument:
        """What the helper's body passes on for an option: its argument, or the one value it has."""
        varies = keyword in self.options(function)
        value = keyword if varies else self.constant(function, keyword)
        return Argument(keyword, value, default, keyword in ALWAYS)

    def shown(self, call: Call) -> Call:
        """The call as it is written: what does not vary, and what is the default, is left out."""
        if call.function in self.blocks:
            defaults = self.defaults(call.function)
            return replace(
                call,
                arguments=tuple(
                    replace(a, default=defaults.get(a.keyword)) for a in call.arguments
                ),
            )
        if call.function not in self.conv_bns and call.function != "local_response_norm":
            return call
        options = self.options(call.function)
        kept = tuple(
            replace(a, default=options[a.keyword]) for a in call.arguments if a.keyword in options
        )
        return replace(
            call, function=self.conv_bns.get(call.function, call.function), arguments=kept
        )

    def kind(self, function: str, keyword: str) -> str:
        """The type of an option."""
        if keyword in TYPES:
            return TYPES[keyword]
        values = {str(call.value(keyword)) for call in self.calls[function]}
        pair = f"tuple[{', '.join(['int'] * self.rank)}]"
        tuples = {value.startswith("(") for value in values}
        return " | ".join(
            [*(["int"] if False in tuples else []), *([pair] if True in tuples else [])]
        )

    def parameters(self, function: str) -> list[str]:
        options = self.options(function)
        needed = [
            f"{k}: {self.kind(function, k)}" for k, default in options.items() if default is None
        ]
        given = [
            f"{k}: {self.kind(function, k)} = {v}" for k, v in options.items() if v is not None
        ]
        return [f"x: {TENSOR_TYPE}", *needed, *given, "*", "name: str"]

    def functions(self) -> tuple[FunctionView, ...]:
        return tuple(self.conv_bn(function, title) for function, title in self.conv_bns.items())

    def conv_bn(self, function: str, title: str) -> FunctionView:
        activation = function.removeprefix(CONV_BN)
        own = [a.keyword for a in self.calls[function][0].arguments if a.keyword not in NORMAL]
        conv = [self.argument(function, k, DEFAULTS.get(k)) for k in own]
        norm = [self.argument(function, k, DEFAULTS.get(k)) for k in NORMAL]
        calls = [
            layer(f"Conv{self.rank}D", *conv, part="conv"),
            layer("BatchNormalization", *norm, part="bn"),
        ]
        if activation != "none":
            calls.append(activation_layer(function_op(activation), activation))
        lines = [_line(call, "return" if call is calls[-1] else "x") for call in calls]
        what = "" if activation == "none" else f", then {activation}"
        doc = docstring(f"Convolution and batch normalisation{what}.", indent=4)
        return FunctionView(
            signature(title, self.parameters(function), TENSOR_TYPE), doc, tuple(lines)
        )

    def templated(self) -> tuple[HelperView, ...]:
        """The helpers that have a template, those that others call first."""
        found = [
            self.view(n, self.slots(n))
            for n in TEMPLATED
            if n in self.calls or f"{n}(" in self.text
        ]
        if "local_response_norm" in self.calls:
            found.append(self.view("local_response_norm", self.normal_slots()))
        if "gelu_tanh" in self.calls:
            found.append(self.view("gelu_tanh", {}))
        return tuple(found)

    def view(self, name: str, slots: dict[str, str]) -> HelperView:
        return HelperView(Code(f"helpers/{name}.py.j2"), {k: Code(v) for k, v in slots.items()})

    def slots(self, name: str) -> dict[str, str]:
        if name not in self.calls:
            return {}
        kinds = {keyword: self.kind(name, keyword) for keyword in ("pool_size", "strides")}
        return {**kinds, "rank": str(self.rank)}

    def normal_slots(self) -> dict[str, str]:
        name = "local_response_norm"
        values = {k: str(self.argument(name, k).value) for k in ("size", "alpha", "beta", "k")}
        size = values["size"]
        before, after = f"{size} // 2", f"({size} - 1) // 2"
        if size.isdigit():
            before, after = str(int(size) // 2), str((int(size) - 1) // 2)
        heading = signature(name, self.parameters(name), TENSOR_TYPE)
        return {**values, "before": before, "after": after, "signature": heading}


def _common(values: Iterable[str]) -> str | None:
    """The most common of the values that are the same everywhere."""
    return next((v for v, _ in Counter(values).most_common() if _constant(v)), None)


def _constant(value: str) -> bool:
    try:
        ast.literal_eval(value)
    except ValueError:
        return False
    return True


def _line(call: Call, target: str) -> Code:
    prefix = "return " if target == "return" else f"{target} = "
    return statement(prefix, call, "x", f"{{name}}_{call.part}", indent=4)


def written(statements: Sequence[Statement], helpers: Helpers, indent: int = 4) -> tuple[Code, ...]:
    """The lines of a function's body."""
    return tuple(
        s.text(helpers.shown(s.call), indent) if isinstance(s, Assign) else s.text(indent)
        for s in statements
    )
