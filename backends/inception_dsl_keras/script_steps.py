"""Updates that ``keras.optimizers`` does not have, as lines of ``update_step``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from inception_dsl.backend import Code, Optimizer, OptimizerForm, literal


class Step(NamedTuple):
    """The slots of an update (lines of ``build``), its lines, and what differs from Keras.

    The lines have ``gradient``, ``variable``, and the learning rate of the variable.
    """

    slots: tuple[Code, ...]
    lines: tuple[Code, ...]
    text: str


def own_step(found: Optimizer, form: OptimizerForm, rate: str, decays: str) -> Step | None:
    """The update of an optimiser, if the one of Keras is another.

    ``rate`` is the name of the learning rate; ``decays`` are the weight decays in the trust ratio
    of LAMB, as an expression, or empty.
    """
    if found.name == "sgd" and found.momentum and not form.sgd_rate_inside:
        lines = tuple(_sgd(found, rate))
        return Step(_slots("velocities"), lines, "a velocity without the learning rate")
    if found.name == "rmsprop":
        outside = bool(found.momentum) and not form.rmsprop_rate_inside
        if form.epsilon_inside and not form.mean_square and not outside:
            return None
        ones = ("squares",) if form.mean_square else ()
        names = ("squares", "velocities") if found.momentum else ("squares",)
        return Step(_slots(*names, ones=ones), tuple(_rmsprop(found, form, rate)), _differs(form))
    if found.name in ("adam", "adamw") and form.corrected_epsilon:
        text = "epsilon added to the bias-corrected root"
        return Step(_slots("means", "squares"), tuple(_adam(found, rate)), text)
    if decays:
        slots = (*_slots("means", "squares"), Code(f"self.decays = {decays}"))
        return Step(slots, tuple(_lamb(found, rate)), "the weight decay in the trust ratio")
    return None


def _differs(form: OptimizerForm) -> str:
    place = "inside" if form.epsilon_inside else "beside"
    return f"epsilon {place} the root and a mean square from {form.mean_square:g}"


def _slots(*names: str, ones: tuple[str, ...] = ()) -> tuple[Code, ...]:
    slots = "self.add_optimizer_variables(variables, "
    singular = {"velocities": "velocity", "squares": "mean_square", "means": "mean"}
    starts = {name: ', "ones"' if name in ones else "" for name in names}
    return tuple(Code(f'self.{n} = {slots}"{singular[n]}"{starts[n]})') for n in names)


def _velocity(found: Optimizer, own: str) -> Iterator[Code]:
    momentum = literal(found.momentum)
    yield Code(f"velocity = {momentum} * self.velocities[index] + {own}")
    yield Code("self.assign(self.velocities[index], velocity)")


def _sgd(found: Optimizer, rate: str) -> Iterator[Code]:
    yield Code("index = self._get_variable_index(variable)")
    yield from _velocity(found, "gradient")
    ahead = f"(gradient + {literal(found.momentum)} * velocity)"
    yield Code(f"self.assign_sub(variable, {rate} * {ahead if found.nesterov else 'velocity'})")


def _square(decay: float | None) -> Iterator[Code]:
    yield Code(f"decay = {literal(decay)}")
    yield Code("square = decay * self.squares[index] + (1 - decay) * ops.square(gradient)")
    yield Code("self.assign(self.squares[index], square)")


def _rmsprop(found: Optimizer, form: OptimizerForm, rate: str) -> Iterator[Code]:
    epsilon = literal(found.epsilon)
    yield Code("index = self._get_variable_index(variable)")
    yield from _square(found.decay)
    root = f"ops.sqrt(square + {epsilon})"
    yield Code(f"scaled = gradient / {root if form.epsilon_inside else _beside(epsilon)}")
    if not found.momentum:
        yield Code(f"self.assign_sub(variable, {rate} * scaled)")
        return
    yield from _velocity(found, f"{rate} * scaled" if form.rmsprop_rate_inside else "scaled")
    change = "velocity" if form.rmsprop_rate_inside else f"{rate} * velocity"
    yield Code(f"self.assign_sub(variable, {change})")


def _beside(epsilon: str) -> str:
    return f"(ops.sqrt(square) + {epsilon})"


def _moments(found: Optimizer) -> Iterator[Code]:
    """The bias-corrected mean and mean square."""
    yield Code("index = self._get_variable_index(variable)")
    yield Code("step = ops.cast(self.iterations + 1, variable.dtype)")
    yield Code(f"decay = {literal(found.beta_1)}")
    yield Code("mean = decay * self.means[index] + (1 - decay) * gradient")
    yield Code("self.assign(self.means[index], mean)")
    yield Code("mean = mean / (1 - ops.power(decay, step))")
    yield from _square(found.beta_2)
    yield Code("square = square / (1 - ops.power(decay, step))")


def _adam(found: Optimizer, rate: str) -> Iterator[Code]:
    yield from _moments(found)
    yield Code(f"root = ops.sqrt(square) + {literal(found.epsilon)}")
    yield Code(f"self.assign_sub(variable, {rate} * mean / root)")


def _lamb(found: Optimizer, rate: str) -> Iterator[Code]:
    yield from _moments(found)
    root = _beside(literal(found.epsilon))
    yield Code(f"change = mean / {root} + self.decays[index] * variable")
    yield Code("size = ops.sqrt(ops.sum(ops.square(variable)))")
    yield Code("other = ops.sqrt(ops.sum(ops.square(change)))")
    yield Code("known = ops.logical_and(size > 0, other > 0)")
    yield Code("trust = ops.where(known, size / other, 1.0)")
    yield Code(f"self.assign_sub(variable, {rate} * trust * change)")
