"""The functions beside the model: preprocessing, initial weights, loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from inception_dsl.backend import (
    Code,
    Initial,
    InitialValue,
    Item,
    Start,
    call,
    cases,
    docstring,
    layout,
    literal,
)

from .views import InitialView

Body: TypeAlias = Callable[[int], list[Code]]
Lines: TypeAlias = Callable[[InitialValue, int], list[Code]]
AXES: Final = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
DISTRIBUTIONS: Final = {
    "truncated_normal": "TruncatedNormal",
    "glorot_uniform": "GlorotUniform",
    "lecun_uniform": "LecunUniform",
    "he_normal": "HeNormal",
}
"""The initializers of Keras, which have the language's definitions."""
ASIDE: Final = (
    "Call it once on a new model, which has the initial values of Keras's layers (Glorot uniform, "
    "biases 0). The PyTorch class calls its own when it is built."
)


class Layers(NamedTuple):
    """What ``init_weights`` knows of layers: their names by path, tests for depthwise ones, and
    whether there are learned scales, whose weight Keras calls a kernel, too.
    """

    names: Mapping[str, str]
    depthwise: tuple[str, ...]
    scaled: bool


def initial(start: Start, kept: Layers) -> InitialView:
    """``init_weights``: a loop over the layers, whose names decide."""

    def chosen(groups: Sequence[Initial], lines: Lines, name: str) -> list[Code]:
        bodies: list[tuple[Sequence[str], Body]] = []
        for group in groups:
            names = tuple(dict.fromkeys(kept.names[path] for path in group.paths))
            bodies.append((names, partial(lines, group.value)))
        if groups and groups[-1].paths:
            bodies.append(((), lambda indent: [layout(f"{name} = ", literal(None), indent=indent)]))
        return cases("layer.name", bodies, 8)

    fans = any(group.value.name != "truncated_normal" for group in start.kernels)
    lines = chosen(start.kernels, kernel, "kernel")
    lines += chosen(start.biases, bias, "bias") if not alike(start.biases) else []
    lines.append(Code("        for variable in layer.weights:"))
    kernels = kernel_lines(start.kernels, kept.depthwise if fans else (), scaled=kept.scaled)
    biases = bias_lines(start.biases, "elif" if kernels else "if")
    lines += (Code(f"            {line}") for line in (*kernels, *biases))
    doc = docstring(start.summary, start.note, ASIDE, indent=4)
    return InitialView(doc, tuple(lines), operating=bool(start.biases) or fans)


def alike(groups: Sequence[Initial]) -> bool:
    """Whether all layers have one value."""
    return len(groups) == 1 and not groups[0].paths


def stated(name: str, groups: Sequence[Initial]) -> str:
    """The test for layers that have a value, where some have none."""
    return f" and {name} is not None" if groups[-1].paths else ""


def kernel_lines(groups: Sequence[Initial], depthwise: Sequence[str], *, scaled: bool) -> list[str]:
    """The lines that set a kernel; ``depthwise`` are the tests for one of a depthwise layer."""
    if not groups:
        return []
    skip = ["if isinstance(layer, layers.EinsumDense):", "    continue  # a learned scale"]
    test = stated("kernel", groups)
    lines = [*skip * scaled, f'if variable.name.endswith("kernel"){test}:']
    if not depthwise:
        return [*lines, "    variable.assign(kernel(variable.shape, variable.dtype))"]
    return [
        *lines,
        "    shape = variable.shape",
        f"    if {' or '.join(depthwise)}:",
        "        # one group for each channel: the fan-in is the size of the window",
        "        shape = (*shape[:-2], 1, shape[-2] * shape[-1])",
        "    value = kernel(shape, variable.dtype)",
        "    variable.assign(ops.reshape(value, variable.shape))",
    ]


def bias_lines(groups: Sequence[Initial], word: str) -> list[str]:
    """The lines that set a bias."""
    if not groups:
        return []
    value = literal(groups[0].value.number) if alike(groups) else "bias"
    return [
        f'{word} variable.name == "bias"{stated("bias", groups)}:',
        f"    variable.assign(ops.full(variable.shape, {value}, variable.dtype))",
    ]


def kernel(value: InitialValue, indent: int) -> list[Code]:
    """The line that chooses the distribution of a kernel."""
    arguments = [Item(literal(value.number), "stddev")] if value.number else []
    made = call(f"keras.initializers.{DISTRIBUTIONS[value.name]}", *arguments)
    return [layout("kernel = ", made, indent=indent)]


def bias(value: InitialValue, indent: int) -> list[Code]:
    """The line that chooses the value of a bias."""
    return [layout("bias = ", literal(value.number), indent=indent)]
