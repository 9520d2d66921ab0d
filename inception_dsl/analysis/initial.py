"""The initial values that a spec gives to kernels, biases and learned scales, by weight path."""

from __future__ import annotations

from typing import NamedTuple

from ..ir.sections import Initializer
from ..ir.typed import TypedProgram
from ..ir.walk import weighted
from ..ops import Scale
from ..ops.initializer import InitializerFields


class InitialValue(NamedTuple):
    """A distribution by its name in the language, or ``constant``.

    ``number`` is the standard deviation of ``truncated_normal`` or the constant, else 0. A kernel's
    ``fan_in`` is the number of inputs of one output, its ``fan_out`` the number of filters times
    the size of the window, in depthwise and grouped convolutions too.
    """

    name: str
    number: float = 0.0


def initial_values(typed: TypedProgram) -> dict[str, InitialValue]:
    """The value of every kernel, bias and learned scale for which the spec has one, in execution
    order.
    """
    base = _base(typed)
    found: dict[str, InitialValue] = {}
    for path, node in weighted(typed):
        own: InitializerFields | None = getattr(node.op, "initializer", None)
        kernel, bias = _kernel(base, own), _bias(base, own)
        gamma = InitialValue("constant", node.op.value) if isinstance(node.op, Scale) else None
        for weight in node.weights:
            leaf = weight.name.rpartition("/")[2]
            value = {"kernel": kernel, "bias": bias, "gamma": gamma}.get(leaf)
            if value is not None:
                found["/".join((*path, weight.name))] = value
    return found


def usual_values(typed: TypedProgram) -> dict[str, InitialValue]:
    """The values of ``training.initializer`` for a ``kernel`` and a ``bias``; empty without it."""
    base = _base(typed)
    kernel, bias = _kernel(base, None), _bias(base, None)
    return {"kernel": kernel, "bias": bias} if kernel and bias else {}


def _base(typed: TypedProgram) -> Initializer | None:
    training = typed.program.training
    return training.initializer if training else None


def _kernel(base: Initializer | None, own: InitializerFields | None) -> InitialValue | None:
    name = (own.name if own else None) or (base.name if base else None)
    if name != "truncated_normal":
        return InitialValue(name) if name else None
    stddev = own.stddev if own else None
    return InitialValue(name, stddev if stddev is not None else base.stddev if base else 0.1)


def _bias(base: Initializer | None, own: InitializerFields | None) -> InitialValue | None:
    bias = own.bias if own else None
    if bias is None and base is None:
        return None
    return InitialValue("constant", bias if bias is not None else base.bias if base else 0.0)
