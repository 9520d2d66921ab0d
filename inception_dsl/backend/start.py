"""The initial weights of a generated file: which layers have which value."""

from __future__ import annotations

from typing import NamedTuple

from ..analysis.initial import InitialValue, initial_values, usual_values
from ..ir.typed import TypedProgram
from ..types.prose import Prose


class Initial(NamedTuple):
    """An initial value and the paths of the layers that have it (``mixed_5b/branch_1x1/conv``).

    Without paths it is the value of all other layers.
    """

    value: InitialValue
    paths: tuple[str, ...]


class Start(NamedTuple):
    """The initial values of kernels and of biases, those of ``training.initializer`` last.

    ``summary`` describes the latter in a sentence, ``note`` is their source.
    """

    kernels: tuple[Initial, ...]
    biases: tuple[Initial, ...]
    summary: str
    note: Prose

    @property
    def complete(self) -> bool:
        """Whether every kernel and every bias has a value, so that no layer keeps its own."""
        last = [groups[-1] for groups in (self.kernels, self.biases) if groups]
        return bool(self.kernels) and not any(group.paths for group in last)


def start(typed: TypedProgram) -> Start | None:
    """The initial weights of a network, if the spec sets them."""
    training, values = typed.program.training, initial_values(typed)
    usual = usual_values(typed)
    kernels, biases = (_grouped(values, name, usual.get(name)) for name in ("kernel", "bias"))
    if typed.program.kind == "block" or not (kernels or biases):
        return None
    found = training.initializer if training else None
    if found is None:
        return Start(kernels, biases, "Initial values of single layers.", Prose())
    what = {
        "truncated_normal": f"Truncated normal of standard deviation {found.stddev:g}",
        "glorot_uniform": "Glorot (Xavier) uniform",
        "lecun_uniform": "LeCun uniform (Caffe's xavier)",
        "he_normal": "He normal (fan in), truncated",
    }[found.name]
    return Start(kernels, biases, f"{what}; biases {found.bias:g}.", found.note)


def _grouped(
    values: dict[str, InitialValue], weight: str, usual: InitialValue | None
) -> tuple[Initial, ...]:
    """The layers that have a ``weight`` by its value; the usual value goes last."""
    groups: dict[InitialValue, list[str]] = {}
    for path, value in values.items():
        layer, _, name = path.rpartition("/")
        if name == weight:
            groups.setdefault(value, []).append(layer)
    last = (Initial(usual, ()),) if usual is not None and usual in groups else ()
    return (*(Initial(v, tuple(p)) for v, p in groups.items() if v != usual), *last)
