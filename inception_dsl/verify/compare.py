"""Compares a model with the expected shapes, weights, parameters, outputs and training step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np

from ..analysis.cost import cost, layers
from ..analysis.weights import weight_shapes
from ..ir.typed import TypedUse
from ..ir.walk import walk_program
from ..reference.arrays import samples
from .bounds import FLOAT64, GRADIENT64
from .case import Case, Expected, Place, expect, place, places
from .errors import Errors, errors, observed
from .observe import Observed

MAX_ROUNDING: Final = 1e-3  # a larger difference is not rounding
DRAWS: Final = 3  # of rounding errors, as one may have no effect by chance
ROUNDING_RATIO: Final = 16.0  # a framework rounds more often than once for each weight

# the bound of each kind in float64
BOUNDS: Final[Mapping[str, float]] = {
    "outputs": FLOAT64,
    "loss": FLOAT64,
    "gradients": GRADIENT64,
    "weights after": GRADIENT64,
    "statistics": FLOAT64,
}


class Check(NamedTuple):
    """The result of one kind of comparison.

    ``total`` is the number of compared items, ``error`` the largest relative error.

    ``problem`` describes the first difference in the order of computation, ``place`` its location;
    both are empty if nothing differs. Shapes, weights and parameters have no ``error`` and
    ``bound``: they are equal or not.
    """

    kind: str
    total: int
    error: float = 0.0
    bound: float = 0.0
    problem: str = ""
    place: Place | None = None


def compare(
    case: Case, found: Observed, deviations: Errors, bounds: Mapping[str, float]
) -> tuple[Check, ...]:
    """All checks of a model; ``deviations`` are its :func:`errors`."""
    where = places(case.typed)
    checks = [_shapes(case, found, where), _weights(case, found, where), _parameters(case, found)]
    if found.offered:
        wrong = next((one.wrong for one in found.offered if one.wrong), "")
        checks.append(Check("offered", len(found.offered), problem=wrong))
    for kind, by_name in deviations.items():
        worst = max(by_name.values(), default=0.0)
        beyond = [name for name, error in by_name.items() if not error <= bounds[kind]]
        check = Check(kind, len(by_name), worst, bounds[kind])
        if beyond:
            first = min(beyond, key=lambda name: _order(where, name))
            text = (
                f"{kind} differ at {first}: relative error {by_name[first]:.2g}, "
                f"allowed {bounds[kind]:.2g}"
            )
            check = check._replace(problem=text, place=place(where, first))
        checks.append(check)
    return tuple(checks)


def reason(case: Case, expected: Expected, checks: Iterable[Check], dtype: str) -> str:
    """The first problem, or an empty text; says so if rounding may explain a difference in float64.

    It may if the reference itself moves that far when every weight changes by one ulp.
    """
    check = next((check for check in checks if check.problem), None)
    if check is None:
        return ""
    if dtype != "float64" or check.kind not in BOUNDS or check.error > MAX_ROUNDING:
        return check.problem
    own = _moved(case, expected, check.kind)
    if check.error > ROUNDING_RATIO * own:
        return check.problem
    return (
        f"{check.problem}; rounding alone moves the reference by {own:.2g}, so that smaller bugs"
        " cannot be told from it: use a larger --batch or --input"
    )


def _moved(case: Case, expected: Expected, kind: str) -> float:
    """How far the reference moves if every weight changes by one ulp: the largest of some draws."""
    return max(
        max(errors(case, expected, other)[kind].values(), default=0.0)
        for other in _nudged(case, train=expected.trained is not None)
    )


def _nudged(case: Case, *, train: bool) -> Iterator[Observed]:
    """The results of the reference with weights that are one ulp off."""
    rng = np.random.default_rng(0)
    for _ in range(DRAWS):
        weights = {
            path: value * (1 + np.finfo(np.float64).eps * rng.choice([-1, 1], np.shape(value)))
            for path, value in case.weights.items()
        }
        yield observed(expect(case._replace(weights=weights), train=train))


def _shapes(case: Case, found: Observed, where: Mapping[str, Place]) -> Check:
    typed, size = case.typed, samples(case.x)
    uses = [
        ("/".join(path), node.y)
        for path, node in walk_program(typed, heads=False)
        if isinstance(node, TypedUse) and node.body.size  # not what only passes its input on
    ]
    plain = [(name, y) for name, y in typed.outputs.items() if name not in typed.auxiliary]
    wanted = [(found.boundaries, path, y) for path, y in uses] + [
        (found.outputs, name, y) for name, y in plain
    ]
    if found.loss is not None:
        wanted += [(found.trained, name, y) for name, y in typed.outputs.items()]
    check = Check("shapes", len(wanted))
    extra = [name for name in found.outputs if name not in dict(plain)]
    if extra:
        return check._replace(problem=f"the output {extra[0]} is not one of inference")
    for values, name, y in wanted:
        shape = (size, *y.shape)
        if name not in values:
            return check._replace(problem=f"missing output {name}", place=place(where, name))
        if values[name].shape != shape:
            text = (
                f"the output of {name} has the shape {_sizes(values[name].shape)}, expected "
                f"{_sizes(shape)}"
            )
            return check._replace(problem=text, place=place(where, name))
    return check


def _weights(case: Case, found: Observed, where: Mapping[str, Place]) -> Check:
    wanted = weight_shapes(case.typed)
    problems = [(path, "is missing") for path in wanted.keys() - found.weights.keys()]
    problems += [(path, "is not in the spec") for path in found.weights.keys() - wanted.keys()]
    both = wanted.keys() & found.weights.keys()
    for path in both:
        if found.weights[path] != wanted[path]:
            problems.append(
                (
                    path,
                    f"has the shape {_sizes(found.weights[path])}, expected {_sizes(wanted[path])}",
                )
            )
    problems += [(path, "differs from the loaded value") for path in found.unequal if path in both]
    if found.loss is not None:
        trainable = {
            _join(layer.path, w.name)
            for layer in layers(case.typed)
            for w in layer.weights
            if w.trainable
        }
        problems += [(path, "has no gradient") for path in trainable - set(found.gradients)]
        problems += [
            (path, "has a gradient, but is not trainable")
            for path in set(found.gradients) - trainable
        ]
        problems += [
            (path, "is missing after the training step")
            for path in wanted.keys() - set(found.updated)
        ]
    check = Check("weights", len(wanted))
    if not problems:
        return check
    path, problem = min(problems, key=lambda one: _order(where, one[0]))
    more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
    return check._replace(problem=f"the weight {path} {problem}{more}", place=place(where, path))


def _parameters(case: Case, found: Observed) -> Check:
    total = cost(list(layers(case.typed)))
    wanted = (total.trainable, total.non_trainable)
    check = Check("parameters", sum(wanted))
    if found.parameters == wanted:
        return check
    counted = f"{found.parameters[0]:,} trainable and {found.parameters[1]:,} non-trainable"
    return check._replace(
        problem=f"the framework counts {counted} parameters, expected {wanted[0]:,} and "
        f"{wanted[1]:,}"
    )


def _order(where: Mapping[str, Place], path: str) -> tuple[int, str]:
    found = place(where, path.removesuffix(" (training)"))
    return (found.order if found else 1 << 30, path)


def _join(*parts: str) -> str:
    return "/".join(filter(None, parts))


def _sizes(shape: Iterable[int]) -> str:
    return "x".join(map(str, shape))
