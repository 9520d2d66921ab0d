"""The function of a generated file that checks the input size."""

from __future__ import annotations

from inception_dsl.backend import (
    AXES,
    Code,
    ModulePlan,
    SizeRule,
    When,
    class_name,
    signature,
    size_checks,
    size_rules,
)

FLAGS: dict[When, str] = {"": "", "head": "head", "heads": "heads"}


def rules_of(plan: ModulePlan) -> tuple[SizeRule, ...]:
    """The rules of the sizes that run: of the features, with the head, with auxiliary heads."""
    return size_rules(plan.sizes, features=True)


def size_check(plan: ModulePlan) -> tuple[Code, ...]:
    """The function that checks the input size, or nothing.

    It is a function of its own for ``torch.fx``, which cannot trace a condition on a size.
    """
    rules, axes = rules_of(plan), AXES[plan.typed.program.input.rank]
    if not rules:
        return ()
    parameters = ["x: Tensor", *(f"{rule.when}: bool" for rule in rules if rule.when)]
    got = "x".join(f"{{{axis}}}" for axis in axes)
    return (
        Code("@torch.fx.wrap"),
        signature("check_size", parameters, "None"),
        Code(
            '    """Raise a ``ValueError`` if the network does not run on inputs of this size."""'
        ),
        *(Code(f"    {axis} = x.shape[{number + 2}]") for number, axis in enumerate(axes)),
        *size_checks(rules, FLAGS, class_name(plan.typed.program.id), got),
    )


def features_check(plan: ModulePlan, built: str) -> str:
    """The line that checks the size for the features, and for auxiliary heads that run.

    ``built`` is the attribute of an auxiliary head, or empty.
    """
    if not any(rule.when != "head" for rule in rules_of(plan)):
        return ""
    return f"        {_call(plan, 'False', f'heads and self.{built} is not None')}"


def head_check(plan: ModulePlan) -> list[str]:
    """The line that checks the size for the head, if it needs other sizes than the features."""
    needed = any(rule.when == "head" for rule in rules_of(plan))
    return [_call(plan, "True", "False")] if needed else []


def _call(plan: ModulePlan, head: str, heads: str) -> str:
    values = {"head": head, "heads": heads}
    given = [f"{rule.when}={values[rule.when]}" for rule in rules_of(plan) if rule.when]
    return f"check_size({', '.join(['x', *given])})"
