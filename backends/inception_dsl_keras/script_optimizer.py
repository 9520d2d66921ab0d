"""The optimiser of a training script: the stock class where it is exact, else a subclass."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from inception_dsl.backend import (
    FORMS,
    GROUPS,
    TITLES,
    Code,
    Group,
    GroupSettings,
    Item,
    Optimizer,
    OptimizerForm,
    Training,
    call,
    docstring,
    group_settings,
    layout,
    literal,
)

from .script_steps import Step, own_step

_STOCK: Final = {
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "adam": "Adam",
    "adamw": "AdamW",
    "lamb": "Lamb",
}
"""The classes of ``keras.optimizers``."""
_WIDTH: Final = 88
Groups = Mapping[str, GroupSettings]


class OwnClass(NamedTuple):
    """A subclass of the script: the lines of ``build`` (slots), of ``_clip_gradients`` and
    ``_apply_weight_decay``, which Keras calls before an update, and of ``update_step``.

    ``apply`` itself is called for each part of a batch whose gradients are accumulated.
    """

    name: Code
    parent: Code
    doc: Code
    slots: tuple[Code, ...]
    gradients: tuple[Code, ...]
    decay: tuple[Code, ...]
    step: tuple[Code, ...]


class OptimizerView(NamedTuple):
    """How a script makes its optimiser.

    ``tables`` are constants with a number for each group of weights.
    """

    doc: Code
    lines: tuple[Code, ...]
    own: OwnClass | None
    tables: tuple[Code, ...]


class _Plan(NamedTuple):
    """Who does what: ``step`` is an update that Keras does not have, ``stock_clip`` and
    ``stock_decay`` are done by Keras, and all the rest by methods of the script.
    """

    training: Training
    found: Optimizer
    form: OptimizerForm
    groups: Groups
    step: Step | None
    stock_clip: bool
    stock_decay: bool

    @property
    def decay(self) -> str:
        """The form of the weight decay: ``l2``, ``decoupled`` or empty."""
        found = self.training.weight_decay
        return found.form if found and any(g.decay for g in self.groups.values()) else ""

    @property
    def rated(self) -> bool:
        """Whether groups have factors of the learning rate."""
        return any(group.rate != 1 for group in self.groups.values())

    @property
    def trusted(self) -> bool:
        """Whether the update has the weight decay in it."""
        return self.decay == "decoupled" and self.found.name == "lamb" and self.form.trusted_decay

    @property
    def only_kernels(self) -> bool:
        """Whether kernels decay and nothing else does."""
        others = {self.groups[name].decay for name in GROUPS[1:]}
        return others == {0.0} != {self.groups["kernels"].decay}

    @property
    def same(self) -> bool:
        """Whether all weights decay alike."""
        return len({group.decay for group in self.groups.values()}) == 1

    @property
    def tabled(self) -> bool:
        """Whether the script needs a table of weight decays."""
        if not self.decay or self.stock_decay:
            return False
        return not (self.same or self.only_kernels)


def optimizer_view(training: Training) -> OptimizerView:
    """The optimiser of a recipe that has all numbers of one."""
    plan = _planned(training)
    own = _own(plan)
    title = TITLES[plan.found.name]
    doc = docstring(f"{title} as {plan.form.title} defines it, built for the model.", indent=4)
    tables = _table("RATES", {n: g.rate for n, g in plan.groups.items()}) if plan.rated else ()
    decays = _table("DECAYS", {n: g.decay for n, g in plan.groups.items()}) if plan.tabled else ()
    return OptimizerView(doc, tuple(_made(plan, own)), own, (*tables, *decays))


def _planned(training: Training) -> _Plan:
    found, clip, decay = training.optimizer, training.gradient_clip, training.weight_decay
    assert found is not None
    assert found.form is not None
    form, groups = FORMS[found.form], group_settings(training)
    l2 = decay is not None and decay.form == "l2"
    stock_clip = clip is not None and not (l2 and not form.decay_clipped)
    if clip is not None and clip.norm is not None and form.clip_epsilon:
        stock_clip = False
    plan = _Plan(training, found, form, groups, None, stock_clip, stock_decay=False)
    simple = (plan.only_kernels or plan.same) and not (plan.rated or plan.trusted)
    plan = plan._replace(stock_decay=plan.decay == "decoupled" and simple)
    rate = "rate" if plan.rated else "learning_rate"
    return plan._replace(step=own_step(found, form, rate, _trusted(plan)))


def _table(name: str, values: Mapping[str, float]) -> tuple[Code, ...]:
    items = tuple(Item(f'"{group}": {literal(value)}') for group, value in values.items())
    return (layout(f"{name} = ", Group("{", items, "}", rows=True)),)


def _factor(plan: _Plan, variable: str) -> str:
    """The weight decay of a variable, which decays, as an expression."""
    if plan.tabled:
        return f"DECAYS[group({variable})]"
    return literal(plan.groups["kernels"].decay)


def _trusted(plan: _Plan) -> str:
    """The weight decays in the trust ratio of LAMB, as an expression for all ``variables``."""
    if not plan.trusted:
        return ""
    each = f"{_factor(plan, 'v')}{' if v.ndim > 1 else 0.0' if plan.only_kernels else ''}"
    return f"[{each} for v in variables]"


def _own(plan: _Plan) -> OwnClass | None:
    """The subclass of the script, if Keras computes something else."""
    gradients, decay, own = tuple(_gradients(plan)), tuple(_decay(plan)), TITLES[plan.found.name]
    if not (plan.step or plan.rated or gradients or decay):
        return None
    parent = "Optimizer" if plan.step else _STOCK[plan.found.name]
    slots, step = (plan.step.slots, plan.step.lines) if plan.step else ((), ())
    if plan.rated:
        slots = (*slots, Code("self.rates = [RATES[group(v)] for v in variables]"))
        scaled = "rate = learning_rate * self.rates[self._get_variable_index(variable)]"
        step = (Code(scaled), *(step or (Code("super().update_step(gradient, variable, rate)"),)))
    parts = [plan.step.text] if plan.step else []
    parts += ["rates by group"] * plan.rated + [_words(plan)] * bool(gradients or decay)
    doc = docstring(f"{own} with {', and '.join(parts)}.", indent=4)
    return OwnClass(
        Code(own), Code(f"keras.optimizers.{parent}"), doc, slots, gradients, decay, step
    )


def _words(plan: _Plan) -> str:
    """What is done before the update, in words."""
    found = []
    if plan.decay == "l2":
        found.append("L2")
    elif plan.decay and not (plan.stock_decay or plan.trusted):
        found.append("decoupled weight decay")
    if plan.training.gradient_clip and not plan.stock_clip:
        found.append("the gradient clip")
    if plan.decay == "l2" and plan.training.gradient_clip:
        order = "before" if plan.form.decay_clipped else "after"
        return f"L2 {order} the gradient clip"
    return " and ".join(found)


def _gradients(plan: _Plan) -> Iterator[Code]:
    """The lines that change the gradients before the update: L2 and clip."""
    l2 = [*_l2(plan)] if plan.decay == "l2" else []
    if l2:
        yield Code("variables = self._trainable_variables")
    if plan.form.decay_clipped:
        yield from l2
    yield from _clip(plan)
    if not plan.form.decay_clipped:
        yield from l2


def _decay(plan: _Plan) -> Iterator[Code]:
    """The lines of a decoupled weight decay that Keras does not have."""
    if plan.decay != "decoupled" or plan.stock_decay or plan.trusted:
        return
    rates = "RATES[group(v)] * " if plan.rated else ""
    term = f"self.assign_sub(v, {rates}{_factor(plan, 'v')} * rate * v)"
    yield Code("rate = self.learning_rate")
    yield Code("for v in variables:")
    yield from [Code("    if v.ndim > 1:")] * plan.only_kernels
    yield Code(f"    {'    ' if plan.only_kernels else ''}{term}")


def _l2(plan: _Plan) -> Iterator[Code]:
    added = f"g + {_factor(plan, 'v')} * v"
    added += " if v.ndim > 1 else g" if plan.only_kernels else ""
    pairs = "for g, v in zip(grads, variables, strict=True)"
    line = f"grads = [{added} {pairs}]"
    if len(line) + 8 <= _WIDTH:
        yield Code(line)
        return
    inner = f"{added} {pairs}"
    yield Code("grads = [")
    parts = [inner] if len(inner) + 12 <= _WIDTH else [added, pairs]
    yield from (Code(f"    {part}") for part in parts)
    yield Code("]")


def _clip(plan: _Plan) -> Iterator[Code]:
    clip = plan.training.gradient_clip
    if clip is None or plan.stock_clip:
        return
    if clip.norm is None:
        value = literal(clip.value)
        yield Code(f"grads = [ops.clip(g, -{value}, {value}) for g in grads]")
        return
    limit, epsilon = literal(clip.norm), plan.form.clip_epsilon
    yield Code("norm = ops.sqrt(sum(ops.sum(ops.square(g)) for g in grads))")
    if epsilon:
        yield Code(f"factor = ops.minimum({limit} / (norm + {literal(epsilon)}), 1.0)")
    else:
        yield Code(f"factor = {limit} / ops.maximum(norm, {limit})")
    yield Code("grads = [g * factor for g in grads]")


def _made(plan: _Plan, own: OwnClass | None) -> Iterator[Code]:
    """The lines of ``make_optimizer``."""
    stock = _STOCK[plan.found.name]
    name = own.name if own else Code(f"keras.optimizers.{stock}")
    items = [Item("rates"), *([] if plan.step else _settings(plan.found))]
    if plan.stock_decay:
        items.append(Item(_double(plan.groups["kernels"].decay), "weight_decay"))
    elif plan.found.name == "adamw" and not plan.step:
        items.append(Item(literal(0.0), "weight_decay"))
    clip = plan.training.gradient_clip
    if clip is not None and plan.stock_clip:
        norm = clip.norm is not None
        field = "global_clipnorm" if norm else "clipvalue"
        items.append(Item(literal(clip.norm if norm else clip.value), field))
    yield layout("optimizer = ", call(name, *items), indent=4)
    if plan.stock_decay and plan.only_kernels:
        yield Code("    others = [v for v in model.trainable_variables if v.ndim < 2]")
        yield Code("    optimizer.exclude_from_weight_decay(others)")


def _settings(found: Optimizer) -> list[Item]:
    """The keyword arguments of a class of Keras."""
    names = {"sgd": {"momentum": "momentum"}}
    names["rmsprop"] = {"decay": "rho", "momentum": "momentum", "epsilon": "epsilon"}
    given = names.get(found.name, {n: n for n in ("beta_1", "beta_2", "epsilon")})
    own = {name: getattr(found, name) for name in given if name != "momentum" or found.momentum}
    items = [Item(_double(value), given[name]) for name, value in own.items()]
    return items + [Item("True", "nesterov")] * found.nesterov


def _double(value: float) -> Code:
    """A float that Keras does not round to float32 in a float64 model."""
    exact = struct.unpack("f", struct.pack("f", value))[0] == value
    return literal(value) if exact else Code(f"np.float64({literal(value)})")
