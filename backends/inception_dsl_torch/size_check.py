"""The function of a generated file that checks the input size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from inception_dsl.backend import (
    AXES,
    Code,
    Item,
    ModulePlan,
    SizeRule,
    When,
    call,
    class_name,
    docstring,
    layout,
    signature,
    size_checks,
    size_rules,
    unequal_sizes,
)

FLAGS: dict[When, str] = {"": "", "head": "head", "heads": "heads"}


def rules_of(plan: ModulePlan) -> dict[str, tuple[SizeRule, ...]]:
    """The rules of the sizes that run, by input: of the features, with the head, with auxiliary
    heads.
    """
    found = {name: size_rules(sizes, features=True) for name, sizes in plan.all_sizes.items()}
    return {name: rules for name, rules in found.items() if rules}


def size_check(plan: ModulePlan, variables: Mapping[str, str]) -> tuple[Code, ...]:
    """The function that checks the input size, or nothing.

    It is a function of its own for ``torch.fx``, which cannot trace a condition on a size.
    """
    if not (rules_of(plan) or plan.tied):
        return ()
    several = plan.typed.program.several
    these = "inputs of these sizes" if several else "inputs of this size"
    doc = docstring(f"Raise a ``ValueError`` if the network does not run on {these}.", indent=4)
    parameters = [f"{x}: Tensor" for x in variables.values()]
    parameters += [f"{flag}: bool" for flag in flags(plan)]
    name, lines = class_name(plan.typed.program.id), [Code("@torch.fx.wrap")]
    lines += [signature("check_size", parameters, "None"), Code(f"    {doc}")]
    for key, rules in rules_of(plan).items():
        x, axes = variables[key], AXES[plan.inputs[key].rank]
        lines += [Code(f"    {axis} = {x}.shape[{number + 2}]") for number, axis in enumerate(axes)]
        got = "x".join(f"{{{axis}}}" for axis in axes)
        lines += size_checks(rules, FLAGS, f"{x} of {name}" if several else name, got)
    for names, tied in plan.tied.items():
        lines += alike(plan, [variables[key] for key in names], tied)
    return tuple(lines)


def alike(plan: ModulePlan, inputs: Sequence[str], axes: Sequence[int]) -> tuple[Code, ...]:
    """Lines that raise a ``ValueError`` for inputs whose sizes differ on these axes."""
    every = len(axes) == plan.typed.program.rank
    places = ["2:"] if every else [str(axis + 2) for axis in axes]
    first, *others = inputs
    tests = [f"{x}.shape[{at}] != {first}.shape[{at}]" for x in others for at in places]
    return unequal_sizes(plan.typed, class_name(plan.typed.program.id), inputs, axes, tests)


def flags(plan: ModulePlan) -> list[When]:
    """The parameters that say which rules count."""
    found = {rule.when for rules in rules_of(plan).values() for rule in rules}
    return [when for when in FLAGS if when and when in found]


def features_check(plan: ModulePlan, variables: Iterable[str], built: str) -> Code:
    """The line that checks the size for the features, and for auxiliary heads that run.

    ``built`` is the attribute of an auxiliary head, or empty.
    """
    needed = any(rule.when != "head" for rules in rules_of(plan).values() for rule in rules)
    if not (needed or plan.tied):
        return Code("")
    return _call(plan, variables, "False", f"heads and self.{built} is not None")


def head_check(plan: ModulePlan, variables: Iterable[str]) -> list[Code]:
    """The line that checks the size for the head, if it needs other sizes than the features."""
    return [_call(plan, variables, "True", "False")] if "head" in flags(plan) else []


def _call(plan: ModulePlan, variables: Iterable[str], head: str, heads: str) -> Code:
    values = {"head": head, "heads": heads}
    given = [Item(Code(values[flag]), flag) for flag in flags(plan)]
    return layout("", call("check_size", *variables, *given), indent=8)
