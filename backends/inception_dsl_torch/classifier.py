"""``get_classifier`` and ``reset_classifier`` of the network's class, as in timm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from inception_dsl.backend import (
    Code,
    Item,
    TypedOp,
    TypedProgram,
    TypedUse,
    call,
    docstring,
    layout,
    owners,
    walk,
)


class ClassifierView(NamedTuple):
    """The last layer as an attribute of ``self``, and the body of ``reset_classifier``."""

    attribute: Code
    reset_doc: Code
    reset: tuple[Code, ...]


def classifier(
    typed: TypedProgram, modules: Mapping[str, str], heads: Mapping[str, str]
) -> ClassifierView | None:
    """The view, if the network ends in a dense layer for its classes that no output reads.

    ``modules`` are the names of modules by path, ``heads`` the attributes of heads.
    """
    found = _dense(typed, "", modules)
    last = typed.sections["head"].steps[-1].node.segments[-1:] if found else ()
    if found is None or any((head.after,) == last for head, _ in typed.heads):
        return None  # what reads the classes cannot be replaced by a layer
    main, bias = found
    lines = [
        Code("        self.num_classes = num_classes"),
        Code("        like = next(self.parameters())"),
        Code(f"        {main} = nn.Identity()"),
        Code("        if num_classes > 0:"),
        _new(main, "self.num_features", bias),
    ]
    dense = {held: _dense(typed, name, modules) for name, held in heads.items()}
    inner = {held: own for held, own in dense.items() if own is not None}
    optional = {heads[name] for name in typed.auxiliary}
    for held, (own, bias) in sorted(inner.items(), key=lambda head: head[0] in optional):
        if held in optional:
            lines.append(Code(f"        if self.{held} is not None and num_classes > 0:"))
        lines.append(_new(own, f"{own}.in_features", bias))
    more = ", also of other heads" if inner.keys() - optional else ""
    more = more or ", also of auxiliary heads" * bool(inner)
    doc = (
        f"Replace the last layer{more}; 0 classes remove it.\n\n"
        "New layers have PyTorch's initial values."
    )
    return ClassifierView(Code(main), docstring(doc, indent=8), tuple(lines))


def _new(attribute: str, inputs: str, bias: bool) -> Code:
    """The statement that puts a new layer in place of the old one."""
    without = () if bias else (Item(Code("False"), "bias"),)
    made = call("nn.Linear", inputs, "num_classes", *without)
    return layout(f"{attribute} = ", made, ".to(like)", indent=12)


def _dense(typed: TypedProgram, head: str, modules: Mapping[str, str]) -> tuple[str, bool] | None:
    """The last layer of a head, if it has the classes: its attribute, and whether it has a bias."""
    chains = {"": typed.sections["head"], **{own.name: chain for own, chain in typed.heads}}
    nodes = list(walk(chains[head], (head,) if head else ()))
    while nodes and isinstance(nodes[-1][1], TypedUse):
        nodes.pop()
    path, last = nodes[-1] if nodes else ((), None)
    if not isinstance(last, TypedOp) or last.op.op != "dense" or last.x.rank:
        return None
    if last.node.shares or id(last.node) in owners(typed):
        return None
    if last.y.channels != typed.program.values.get("classes"):
        return None
    parts = modules["/".join(path)].split(".")
    text = "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in parts)
    return f"self{text}", bool(last.op.attributes()["use_bias"])
