"""Calls of layers and of helper functions, each with the layers that it creates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from inception_dsl.backend import (
    PLAIN,
    Code,
    Expression,
    Form,
    LayerSite,
    Scope,
    call,
    flat,
    literal,
)


class Choice(Code):
    """``yes if test else no``, on one line."""

    def __new__(cls, yes: Expression, test: Code, no: Expression) -> Choice:
        one, other = (f"({v})" if isinstance(v, Choice) else flat(v) for v in (yes, no))
        self = super().__new__(cls, f"{one} if {test} else {other}")
        assert isinstance(self, Choice)
        self.yes, self.test, self.no = yes, test, no
        return self

    yes: Expression
    test: Code
    no: Expression


@dataclass(frozen=True, slots=True, eq=False)
class OnTensor:
    """A value that reads the tensor to which its call is applied.

    ``helpers`` are the helper functions that it calls.
    """

    write: Callable[[str], Expression]
    helpers: tuple[str, ...] = ()


Value: TypeAlias = "Code | OnTensor"


@dataclass(frozen=True, slots=True)
class Keyword:
    """``keyword=value``, left out if it equals ``default``; ``None`` means any value will do.

    ``kind`` is the type of the value, for the signature of a helper function.
    """

    keyword: str
    value: Value | None
    default: str | None = None
    positional: bool = False
    kind: str = ""

    @property
    def written(self) -> bool:
        return self.value is not None and self.value != self.default

    def on(self, tensor: str) -> Expression:
        """The value, in a call on the variable ``tensor``."""
        return "" if self.value is None else written(self.value, tensor)


@dataclass(frozen=True, slots=True)
class Variable:
    """A weight of an op (its name in the spec), and the ``name`` of the layer's variable."""

    weight: str
    name: str
    layout: str = "same"


@dataclass(frozen=True, slots=True)
class Made:
    """A layer of the model; its name is the call's name, then ``part``.

    ``variables`` are all variables that it has in any use; an op without a weight has no variable
    for it. A model may lack an ``optional`` layer.
    """

    part: str
    variables: tuple[Variable, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """``function(arguments, name=…)(x)``, or ``function(x, arguments, name=…)`` for a ``helper``.

    ``made`` are the layers that it creates, the one whose output is the result last.
    ``activations`` are the activations that a call with an activation argument may apply; ``fixed``
    is the activation built into the helper function. ``reads``: the helper function, or
    something in the function of a block, reads the size of a map.
    """

    function: str
    arguments: tuple[Keyword, ...] = ()
    part: str = ""
    helper: bool = False
    made: tuple[Made, ...] = ()
    fixed: str = ""
    activations: tuple[str, ...] = ()
    reads: bool = False

    @property
    def sized(self) -> bool:
        """Whether it reads the size of a map, which must be known when the model is built."""
        return self.reads or any(isinstance(a.value, OnTensor) for a in self.arguments)

    def options(self) -> dict[str, Code | None]:
        """The arguments that do not depend on the tensor, by keyword."""
        return {a.keyword: a.value for a in self.arguments if not isinstance(a.value, OnTensor)}

    def helpers(self) -> set[str]:
        """The helper functions that are called, including those in arguments."""
        inside = {
            h for a in self.arguments if isinstance(a.value, OnTensor) for h in a.value.helpers
        }
        return inside | ({self.function} if self.helper else set())


Calls: TypeAlias = tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes attributes of layers as arguments, in a scope.

    ``rank`` is the number of spatial axes of the input; ``joined``: the helper function ``conv_bn``
    takes its activation as an argument.
    """

    scope: Scope
    rank: int
    joined: bool = False

    def text(self, site: LayerSite, field: str, form: Form = PLAIN) -> Code:
        """An attribute of a layer as source."""
        return self.scope.text(site.slot(field), form)

    def option(
        self,
        keyword: str,
        site: LayerSite,
        field: str,
        default: str | None = None,
        *,
        positional: bool = False,
        kind: str = "",
    ) -> Keyword:
        """An attribute of a layer as an argument."""
        return Keyword(keyword, self.text(site, field), default, positional, kind)


def layer(
    function: str, *arguments: Keyword, part: str = "", variables: tuple[Variable, ...] = ()
) -> Call:
    """A call of a Keras layer."""
    return Call(f"layers.{function}", arguments, part, made=(Made("", variables),))


def helper(
    function: str,
    *arguments: Keyword,
    part: str = "",
    inner: tuple[str, ...] = (),
    reads: bool = False,
) -> Call:
    """A call of a helper function; ``inner`` are layers that it may create before the last one, and
    ``reads`` says that it reads the size of its map.
    """
    made = (*(Made(p, optional=True) for p in inner), Made(""))
    return Call(function, arguments, part, helper=True, made=made, reads=reads)


def variables(site: LayerSite, part: str = "", kernel: str = "same") -> tuple[Variable, ...]:
    """The weights of an op whose layer uses the spec's names.

    ``part`` is the name of the op in a composite op, ``kernel`` the layout of its kernel.
    """
    prefix = f"{part}/" if part else ""
    names = dict.fromkeys(w.name for t in site.typed for w in t.weights)
    return tuple(
        Variable(prefix + name, name, kernel if name == "kernel" else "same") for name in names
    )


def either(test: Code, yes: Callable[[], Value], no: Callable[[], Value]) -> Value:
    """``yes if test else no``; only one of them is evaluated if the test is a constant."""
    if test in (literal(True), literal(False)):
        return yes() if test == literal(True) else no()
    one, other = yes(), no()
    inside = tuple(h for v in (one, other) if isinstance(v, OnTensor) for h in v.helpers)
    return OnTensor(lambda x: Choice(written(one, x), test, written(other, x)), inside)


def on_tensor(function: str, *arguments: Code) -> OnTensor:
    """A call of a helper function: ``function(tensor, arguments)``."""
    return OnTensor(lambda x: call(function, x, *arguments), (function,))


def written(value: Value, tensor: str) -> Expression:
    """A value, in a call on the variable ``tensor``."""
    return value.write(tensor) if isinstance(value, OnTensor) else value


def below(part: str, inner: str) -> str:
    """The name of the part ``inner`` of ``part``."""
    return f"{part}_{inner}" if part else inner


def layer_name(path: tuple[str, ...], part: str, kind: str) -> str:
    """The name of a layer: path and part; the op's name if the path is empty."""
    return "_".join([*(path or (kind,)), *([part] if part else [])])


def merge_name(path: tuple[str, ...], merge: str) -> str:
    """The name of a merge layer; without a path it avoids Keras' own ``add`` and ``multiply``."""
    return "_".join([*path, merge]) if path or merge == "concat" else f"{merge}_branches"
