"""Compares a model with the expected shapes, weights, parameters, outputs and training step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from ..analysis.cost import cost, layers
from ..analysis.weights import weight_shapes
from ..ir.typed import TypedUse
from ..ir.walk import walk_program
from ..reference.arrays import samples
from ..reference.training import Step, unbiased
from .bounds import FLOAT64, GRADIENT64, distance, gradient_errors
from .case import Case, Expected, Place, expect, place, places
from .observe import Observed

MAX_ROUNDING: Final = 1e-3  # a larger difference is not rounding
DRAWS: Final = 3  # of rounding errors, as one may have no effect by chance
ROUNDING_RATIO: Final = 16.0  # a framework rounds more often than once for each weight

Errors: TypeAlias = dict[str, dict[str, float]]  # by kind, then by name

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


def errors(
    case: Case, expected: Expected, found: Observed, *, unbiased_variance: bool = False
) -> Errors:
    """The relative errors of everything that has a bound.

    ``unbiased_variance``: the framework divides by n - 1 for the moving variance, so the expected
    values do too.
    """
    blocks = _distances(found.boundaries, expected.boundaries)
    result = {"outputs": {**blocks, **_distances(found.outputs, expected.outputs)}}
    step = expected.trained
    if step is None or found.loss is None:
        return result
    trained = _distances(found.trained, step.outputs)
    result["outputs"] |= {f"{name} (training)": error for name, error in trained.items()}
    result["loss"] = {"loss": abs(found.loss - step.loss) / _unit(case, step)}
    result["gradients"] = gradient_errors(found.gradients, step.gradients)
    after = unbiased(step) if unbiased_variance else step.weights
    moved = {path: distance(found.updated.get(path), value) for path, value in after.items()}
    result["weights after"] = {
        path: error for path, error in moved.items() if path in step.gradients
    }
    result["statistics"] = {
        path: error for path, error in moved.items() if path not in step.gradients
    }
    return result


def rounding(
    case: Case, expected: Expected, single: Observed, double: Observed
) -> dict[str, float]:
    """The rounding errors of float32 by kind: a framework in float32 against itself in float64."""
    outputs = max(
        _largest(single.boundaries, double.boundaries), _largest(single.outputs, double.outputs)
    )
    result = {"outputs": outputs}
    step = expected.trained
    if step is not None and single.loss is not None and double.loss is not None:
        result["outputs"] = max(outputs, _largest(single.trained, double.trained))
        result["loss"] = abs(single.loss - double.loss) / _unit(case, step)
        result["gradients"] = max(
            gradient_errors(single.gradients, double.gradients).values(), default=0.0
        )
        after = {
            path: distance(value, double.updated[path]) for path, value in single.updated.items()
        }
        result["weights after"] = max(
            (e for p, e in after.items() if p in double.gradients), default=0.0
        )
        result["statistics"] = max(
            (e for p, e in after.items() if p not in double.gradients), default=0.0
        )
        spread = {k: e / _unit(case, step) if k == "loss" else e for k, e in single.spread.items()}
        result |= {kind: max(result[kind], error) for kind, error in spread.items()}
    return result


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
        other = expect(case._replace(weights=weights), train=train)
        found = Observed({}, (), (0, 0), other.outputs, other.boundaries)
        step = other.trained
        yield (
            found
            if step is None
            else found._replace(
                loss=step.loss, trained=step.outputs, gradients=step.gradients, updated=step.weights
            )
        )


def _unit(case: Case, step: Step) -> float:
    """The unit for errors of the loss.

    Its absolute value; or the sum of the absolute values of its terms, if the terms can cancel.
    """
    if case.typed.has_loss:
        return abs(step.loss) or 1.0
    return (
        float(sum(np.abs(step.outputs[name] * value).sum() for name, value in case.targets.items()))
        or 1.0
    )


def _distances(found: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: distance(value, reference[name]) for name, value in found.items() if name in reference
    }


def _largest(found: Mapping[str, Any], reference: Mapping[str, Any]) -> float:
    return max(_distances(found, reference).values(), default=0.0)


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
