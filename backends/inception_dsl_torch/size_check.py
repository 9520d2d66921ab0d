"""The check of the input size in the generated class."""

from __future__ import annotations

from inception_dsl.backend import Code, ModulePlan, call, class_name, layout


def size_check(plan: ModulePlan, head: str) -> tuple[Code, ...]:
    """The lines that check the input size; ``head`` is an auxiliary head's attribute, or empty."""
    program, smallest = plan.typed.program, plan.smallest
    if not smallest.checked:
        return ()
    rank, least, trained = program.input.rank, smallest.inference, smallest.training
    lines = ["        size = tuple(x.shape[2:])"]
    if not smallest.even:
        pairs = [f"size[{axis}] < {n}" for axis, n in enumerate(least)]
        lines.append(f"        if {' or '.join(pairs)}:")
        wanted = "x".join(map(str, least))
    elif head and trained != least:
        heads = f"self.{head} is not None"
        lines.append(f"        least = {trained[0]} if self.training and {heads} else {least[0]}")
        lines.append("        if min(size) < least:")
        wanted = "x".join(["{least}"] * rank)
    else:
        lines.append(f"        if min(size) < {least[0]}:")
        wanted = "x".join([str(least[0])] * rank)
    message = f'f"{class_name(program.id)} needs at least {wanted} pixels, got {{size}}"'
    if len(message) > 72:  # too long with the class name
        message = f'f"needs at least {wanted} pixels, got {{size}}"'
    lines.append(layout("raise ", call("ValueError", message), indent=12))
    return tuple(Code(line) for line in lines)
