"""The function of a generated file that checks the input size."""

from __future__ import annotations

from inception_dsl.backend import Code, ModulePlan, call, class_name, layout, signature

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def reads_heads(plan: ModulePlan, head: str) -> bool:
    """Whether the smallest size depends on whether auxiliary heads run; ``head`` is one of them."""
    smallest = plan.smallest
    return bool(head) and smallest.even and smallest.training != smallest.inference


def size_check(plan: ModulePlan, head: str) -> tuple[Code, ...]:
    """The function that checks the input size; ``head`` is an auxiliary head, or empty.

    It is a function of its own for ``torch.fx``, which cannot trace a condition on a size.
    """
    program, smallest = plan.typed.program, plan.smallest
    if not smallest.checked:
        return ()
    rank, least = program.input.rank, smallest.inference
    axes = AXES[rank]
    heads = reads_heads(plan, head)
    lines = [
        Code("@torch.fx.wrap"),
        signature("check_size", ["x: Tensor", *["heads: bool"] * heads], "None"),
        Code('    """Raise a ``ValueError`` if the input is too small."""'),
    ]
    taken = [f"    {axis} = x.shape[{number + 2}]" for number, axis in enumerate(axes)]
    lines += map(Code, taken)
    wanted = "x".join(map(str, least))
    limits = [str(n) for n in least]
    if heads:
        lines.append(Code(f"    least = {smallest.training[0]} if heads else {least[0]}"))
        wanted, limits = "x".join(["{least}"] * rank), ["least"] * rank
    tests = [f"{axis} < {limit}" for axis, limit in zip(axes, limits, strict=True)]
    lines.append(Code(f"    if {' or '.join(tests)}:"))
    got = "x".join(f"{{{axis}}}" for axis in axes)
    message = f'f"{class_name(program.id)} needs at least {wanted} pixels, got {got}"'
    if len(message) > 72:  # too long with the class name
        message = f'f"needs at least {wanted} pixels, got {got}"'
    lines.append(layout("raise ", call("ValueError", message), indent=8))
    return tuple(lines)
