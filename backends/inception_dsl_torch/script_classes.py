"""Optimisers that PyTorch does not have, for training scripts: the stock class is used where it is
exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from inception_dsl.backend import Code, Optimizer, OptimizerForm, docstring


class OwnClass(NamedTuple):
    """An optimiser that PyTorch does not have: the lines of ``change`` for a weight ``p`` with the
    gradient ``g``.
    """

    name: Code
    doc: Code
    lines: tuple[Code, ...]


def own_class(found: Optimizer, form: OptimizerForm, *, l2: bool) -> OwnClass | None:
    """The class of the script, if the one of PyTorch computes something else.

    ``l2``: it adds the weight decay to the gradient.
    """
    moved = bool(found.momentum)
    if found.name == "sgd" and form.sgd_rate_inside and moved:
        what = "SGD whose velocity has the learning rate in it."
        why = "``torch.optim.SGD`` multiplies by it afterwards, which differs when it changes."
        return _class("MomentumSGD", what, why, _sgd(found, l2=l2))
    other = form.epsilon_inside or form.mean_square or (moved and form.rmsprop_rate_inside)
    if found.name == "rmsprop" and other:
        epsilon = "inside of" if form.epsilon_inside else "beside"
        start = f"a mean square that starts at {form.mean_square:g}"
        what = f"RMSProp with epsilon {epsilon} the root, {start}"
        what += ", and the learning rate in the velocity." if moved else "."
        why = "``torch.optim.RMSprop`` has epsilon beside the root, and starts at 0"
        why += "; it multiplies the velocity by the learning rate." if moved else "."
        return _class("RMSProp", what, why, _rmsprop(found, form, l2=l2))
    if found.name in ("adam", "adamw") and not form.corrected_epsilon:
        what = "Adam that adds epsilon to the root of the mean square as it is."
        why = "``torch.optim.Adam`` corrects the bias of the mean square first."
        return _class("Adam", what, why, _adam(l2=l2))
    if found.name == "lamb":
        return _class("LAMB", "LAMB, You et al. 2020, algorithm 2.", "", _lamb(form, l2=l2))
    return None


def _class(name: str, what: str, why: str, lines: Iterator[Code]) -> OwnClass:
    return OwnClass(Code(name), docstring(what, why, indent=4), tuple(lines))


def _l2(added: bool) -> Iterator[Code]:
    if added:
        yield Code('g = g.add(p, alpha=group["weight_decay"])')


def _sgd(found: Optimizer, *, l2: bool) -> Iterator[Code]:
    yield Code("if not state:")
    yield Code('    state["velocity"] = torch.zeros_like(p)')
    yield from _l2(l2)
    yield Code('velocity = state["velocity"].mul_(group["momentum"]).add_(g, alpha=lr)')
    if found.nesterov:
        yield Code('p.sub_(g, alpha=lr).sub_(velocity, alpha=group["momentum"])')
    else:
        yield Code("p.sub_(velocity)")


def _rmsprop(found: Optimizer, form: OptimizerForm, *, l2: bool) -> Iterator[Code]:
    yield Code("if not state:")
    start = "ones" if form.mean_square else "zeros"
    yield Code(f'    state["mean_square"] = torch.{start}_like(p)')
    if found.momentum:
        yield Code('    state["velocity"] = torch.zeros_like(p)')
    yield from _l2(l2)
    yield Code('decay, epsilon = group["decay"], group["epsilon"]')
    yield Code('square = state["mean_square"].mul_(decay).addcmul_(g, g, value=1 - decay)')
    root = "(square + epsilon).sqrt()" if form.epsilon_inside else "square.sqrt() + epsilon"
    yield Code(f"root = {root}")
    if found.momentum:
        yield Code('velocity = state["velocity"].mul_(group["momentum"])')
        yield Code("p.sub_(velocity.addcdiv_(g, root, value=lr))")
    else:
        yield Code("p.addcdiv_(g, root, value=-lr)")


def _moments() -> Iterator[Code]:
    yield Code("if not state:")
    yield Code('    state["step"] = 0')
    yield Code('    state["mean"] = torch.zeros_like(p)')
    yield Code('    state["mean_square"] = torch.zeros_like(p)')


def _means() -> Iterator[Code]:
    yield Code('state["step"] += 1')
    yield Code('one, two = group["beta_1"], group["beta_2"]')
    yield Code('first, second = 1 - one ** state["step"], 1 - two ** state["step"]')
    yield Code('mean = state["mean"].mul_(one).add_(g, alpha=1 - one)')
    yield Code('square = state["mean_square"].mul_(two).addcmul_(g, g, value=1 - two)')


def _adam(*, l2: bool) -> Iterator[Code]:
    yield from _moments()
    yield from _l2(l2)
    yield from _means()
    yield Code('root = (square.sqrt() + group["epsilon"]) / second**0.5')
    yield Code("p.addcdiv_(mean, root, value=-lr / first)")


def _lamb(form: OptimizerForm, *, l2: bool) -> Iterator[Code]:
    yield from _moments()
    yield from _l2(l2 and not form.trusted_decay)
    yield from _means()
    yield Code('change = (mean / first) / ((square / second).sqrt() + group["epsilon"])')
    if form.trusted_decay:
        yield Code('change.add_(p, alpha=group["weight_decay"])')
    yield Code("size, other = p.norm().item(), change.norm().item()")
    yield Code("p.sub_(change, alpha=lr * (size / other if size and other else 1.0))")
