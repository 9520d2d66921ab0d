"""The optimiser of a training script, and what is done around its step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from inception_dsl.backend import (
    FORMS,
    GROUPS,
    TITLES,
    Code,
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
    rows,
)

from .script_classes import OwnClass, own_class


class OptimizerView(NamedTuple):
    """How a script makes its optimiser, and what ``update`` does around its step.

    ``rated``: groups have factors of the learning rate.
    """

    doc: Code
    lines: tuple[Code, ...]
    update: tuple[Code, ...]
    own: OwnClass | None
    rated: bool


def optimizer_view(training: Training) -> OptimizerView:
    """The optimiser of a recipe that has all numbers of one."""
    found = training.optimizer
    assert found is not None
    assert found.form is not None
    form = FORMS[found.form]
    groups = group_settings(training)
    key = _decay_key(training, form)
    own = own_class(found, form, l2=key == "weight_decay")
    name = own.name if own else _STOCK[found.name]
    rated = any(group.rate != 1 for group in groups.values())
    lines = tuple(_made(name, _settings(found, own=bool(own)), groups, key, rated=rated))
    doc = docstring(f"{TITLES[found.name]} as {form.title} defines it.", indent=4)
    return OptimizerView(doc, lines, tuple(_update(training, form, groups, key)), own, rated)


def _decay_key(training: Training, form: OptimizerForm) -> str:
    """Who applies the weight decay: the optimiser (``weight_decay``), or ``update`` before the clip
    (``l2``) or before the step (``decoupled``).
    """
    found, optimizer = training.weight_decay, training.optimizer
    assert optimizer is not None
    if found is None:
        return ""
    if found.form == "l2":
        return "l2" if form.decay_clipped and training.gradient_clip else "weight_decay"
    inside = optimizer.name == "lamb" and form.trusted_decay
    stock = optimizer.name == "adamw" and form.corrected_epsilon
    return "weight_decay" if inside or stock else "decoupled"


_STOCK: Final = {
    "sgd": Code("torch.optim.SGD"),
    "rmsprop": Code("torch.optim.RMSprop"),
    "adam": Code("torch.optim.Adam"),
    "adamw": Code("torch.optim.AdamW"),
}


def _settings(found: Optimizer, *, own: bool) -> list[Item]:
    """The keyword arguments of the class."""
    assert found.rate is not None
    names = {"sgd": ("momentum",), "rmsprop": ("decay", "epsilon", "momentum")}
    given = names.get(found.name, ("beta_1", "beta_2", "epsilon"))
    values = {name: getattr(found, name) for name in given if name != "momentum" or found.momentum}
    items = [Item(literal(found.rate), "lr")]
    if own:
        return items + [Item(literal(value), name) for name, value in values.items()]
    if "beta_1" in values:
        betas = literal((values.pop("beta_1"), values.pop("beta_2")))
        items.append(Item(betas, "betas"))
    spelled = {"decay": "alpha", "epsilon": "eps", "momentum": "momentum"}
    items += [Item(literal(value), spelled[name]) for name, value in values.items()]
    if found.nesterov:
        items.append(Item("True", "nesterov"))
    if found.name == "adamw":
        items.append(Item("0.0", "weight_decay"))
    return items


def _made(
    name: Code, settings: list[Item], groups: dict[str, GroupSettings], key: str, *, rated: bool
) -> Iterator[Code]:
    """The lines of ``make_optimizer``."""
    kernels, biases, norms = (groups[g] for g in GROUPS)
    if kernels == biases == norms:
        more = [Item(literal(kernels.decay), key)] if key == "weight_decay" else []
        kept = [item for item in settings if not more or item.keyword != "weight_decay"]
        if not key or more:
            given: list[str | Item] = ["model.parameters()", *kept, *more]
            yield layout("return ", call(name, *given), indent=4)
            return
    if biases == norms:
        yield Code("    kernels = [p for p in model.parameters() if p.dim() > 1]")
        yield Code("    others = [p for p in model.parameters() if p.dim() < 2]")
        parts = {"kernels": kernels, "others": biases}
    else:
        yield Code("    kernels, biases, norms = [], [], []")
        yield Code("    for module in model.modules():")
        yield Code('        kernel = getattr(module, "weight", None)')
        yield Code("        dense = isinstance(kernel, Tensor) and kernel.dim() > 1")
        yield Code("        for name, p in module.named_parameters(recurse=False):")
        yield Code('            of_kernel = biases if dense and name == "bias" else norms')
        yield Code("            (kernels if p.dim() > 1 else of_kernel).append(p)")
        parts = {"kernels": kernels, "biases": biases, "norms": norms}
    entries = []
    for variable, group in parts.items():
        fields = [f'"params": {variable}']
        fields += [f'"rate": {literal(group.rate)}'] if rated else []
        fields += [f'"{key}": {literal(group.decay)}'] if key else []
        entries.append(f"{{{', '.join(fields)}}}")
    yield layout("groups = ", rows_of(entries), indent=4)
    yield layout("return ", call(name, "groups", *settings), indent=4)


def rows_of(entries: list[str]) -> Any:
    """A list with one entry a line."""
    return rows("[", *entries)._replace(opening="[", closing="]")


def _update(
    training: Training, form: OptimizerForm, groups: dict[str, GroupSettings], key: str
) -> Iterator[Code]:
    """The lines of ``update`` before the step: weight decay and clip."""
    if key == "l2":
        yield Code('        for p in group["params"]:')
        yield Code("            if p.grad is not None:")
        yield Code('                p.grad.add_(p, alpha=group["l2"])')
    if key == "decoupled":
        yield Code('        for p in group["params"]:')
        yield Code('            p.mul_(1 - group["lr"] * group["decoupled"])')
    clip = training.gradient_clip
    if clip is None:
        return
    if clip.norm is None:
        yield Code(f"    nn.utils.clip_grad_value_(model.parameters(), {literal(clip.value)})")
    elif form.clip_epsilon:
        yield Code(f"    nn.utils.clip_grad_norm_(model.parameters(), {literal(clip.norm)})")
    else:
        limit = literal(clip.norm)
        yield Code("    found = [p.grad for p in model.parameters() if p.grad is not None]")
        yield Code("    norms = torch.stack([torch.linalg.vector_norm(g) for g in found])")
        yield Code(f"    factor = {limit} / torch.linalg.vector_norm(norms).clamp(min={limit})")
        yield Code("    for g in found:")
        yield Code("        g.mul_(factor)")
