"""``get_classifier`` and ``reset_classifier`` of the network's class, as in timm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from inception_dsl.backend import Code, TypedOp, TypedProgram, TypedUse, docstring, walk


class ClassifierView(NamedTuple):
    """The last layer as an attribute of ``self``, and the body of ``reset_classifier``."""

    attribute: Code
    reset_doc: Code
    reset: tuple[Code, ...]


def classifier(
    typed: TypedProgram, modules: Mapping[str, str], heads: Mapping[str, str]
) -> ClassifierView | None:
    """The view, if the network ends in a dense layer for its classes.

    ``modules`` are the names of modules by path, ``heads`` the attributes of auxiliary heads.
    """
    found = _dense(typed, "", modules)
    if found is None:
        return None
    main, bias = found
    lines = [
        "self.num_classes = num_classes",
        "like = next(self.parameters())",
        f"{main} = nn.Identity()",
        "if num_classes > 0:",
        f"    layer = nn.Linear(self.num_features, num_classes{bias})",
        f"    {main} = layer.to(like)",
    ]
    for name, held in heads.items():
        inner = _dense(typed, name, modules)
        if inner is not None:
            own, bias = inner
            lines += [
                f"if self.{held} is not None and num_classes > 0:",
                f"    inputs = {own}.in_features",
                f"    layer = nn.Linear(inputs, num_classes{bias})",
                f"    {own} = layer.to(like)",
            ]
    more = ", also of auxiliary heads" if len(lines) > 6 else ""
    doc = (
        f"Replace the last layer{more}; 0 classes remove it.\n\n"
        "New layers have PyTorch's initial values."
    )
    body = tuple(Code(f"        {line}") for line in lines)
    return ClassifierView(Code(main), docstring(doc, indent=8), body)


def _dense(typed: TypedProgram, head: str, modules: Mapping[str, str]) -> tuple[str, str] | None:
    """The last layer of a head as an attribute and its argument ``bias``, if it has the classes."""
    chains = {"": typed.sections["head"], **{own.name: chain for own, chain in typed.heads}}
    nodes = list(walk(chains[head], (head,) if head else ()))
    while nodes and isinstance(nodes[-1][1], TypedUse):
        nodes.pop()
    path, last = nodes[-1] if nodes else ((), None)
    if not isinstance(last, TypedOp) or last.op.op != "dense" or last.x.rank:
        return None
    if last.y.channels != typed.program.values.get("classes"):
        return None
    parts = modules["/".join(path)].split(".")
    text = "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in parts)
    return f"self{text}", "" if getattr(last.op, "use_bias", True) else ", bias=False"
