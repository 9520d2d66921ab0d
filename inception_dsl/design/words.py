"""Short texts for steps and values, as a spec writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..ir.program import Chain, ForkNode, Node, OpNode, UseNode
from ..ops import Fields, Sliding
from ..types.expression import Expression
from .alignment import attribute, names


def described(steps: Node | Chain, rank: int) -> str:
    """``conv 3x3 /2, filters 64`` on two axes, with all attributes that are set; the steps of a
    chain one after the other.
    """
    if isinstance(steps, OpNode):
        return _op(steps, rank)
    if isinstance(steps, UseNode):
        text = f"block {steps.block}"
        given = [f"{k} {value_text(v)}" for k, v in steps.arguments.items()]
        return ", ".join([f"{text} ({', '.join(given)})" if given else text, *_times(steps)])
    if isinstance(steps, ForkNode):
        return f"{steps.merge} of {', '.join(name for name, _ in steps.branches)}"
    return ", ".join(described(step, rank) for step in steps) or "no steps"


def label(step: Node) -> str:
    """The last part of the path of a step."""
    own = "".join(step.segments[-1:])
    return f"step {own}".rstrip() if own.isdigit() or not own else own


def _op(node: OpNode, rank: int) -> str:
    op, text, told = node.op, node.op.op, {"op"}
    if isinstance(op, Sliding):
        kernel = op.kernel_size if isinstance(op.kernel_size, tuple) else (op.kernel_size,) * rank
        text = f"{text} {'x'.join(map(value_text, kernel))}"
        text = text if op.stride == 1 else f"{text} /{_by_axis(op.stride)}"
        told |= {"kernel_size", "stride"}
    known = {name for one in node.each or (node,) for name in one.op.model_fields_set} - told
    own = {k: attribute(node, k) for k in names(node) if k in known}
    given = (f"{k} {value_text(v)}" for k, v in own.items() if not isinstance(v, Fields))
    return ", ".join([text, *given, *_times(node)])


def _times(node: OpNode | UseNode) -> list[str]:
    """How often a step is run, unless once."""
    return [] if node.repeat == 1 else [f"{value_text(node.repeat)} times"]


def _by_axis(value: Any) -> str:
    return "x".join(map(value_text, value)) if isinstance(value, tuple) else value_text(value)


def value_text(value: Any) -> str:
    """A value as YAML has it: ``[1, 7]``, ``true``, ``{epsilon: 0.001}``, or ``none``."""
    if value is None or value in ("", (), {}):
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple) and not hasattr(value, "_asdict"):
        return f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k}: {value_text(v)}' for k, v in value.items())}}}"
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, Fields):
        own = {
            k: getattr(value, k) for k in type(value).model_fields if k in value.model_fields_set
        }
        return value_text(own) if own else "none"
    return str(value)


def section_fields(old: Any, new: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of ``training`` or ``preprocessing`` in two networks, without notes and what has
    no effect. A mapping in both has its own fields, with dots, else it is one value.
    """
    return _apart(_given(old), _given(new))


def _given(section: Any) -> dict[str, Any]:
    """The fields that differ from their defaults, mappings inside of mappings."""
    if section is None:
        return {}
    found: dict[str, Any] = {}
    for name, value in section._asdict().items():
        if name in _WITHOUT_EFFECT or (value is None and name not in section._field_defaults):
            continue
        if isinstance(value, Mapping):
            value = {key: _given(one) for key, one in value.items()}
        elif hasattr(value, "_asdict"):
            value = _given(value)
        if value not in ({}, section._field_defaults.get(name, {})):
            found[name] = value
    if "stddev" in found and found["name"] != "truncated_normal":
        del found["stddev"]
    return found


_WITHOUT_EFFECT: Final = ("note", "notes", "deviations", "unsaid")


def _apart(old: dict[str, Any], new: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both with the fields of mappings that both have in place of the mappings."""
    own: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for name in dict.fromkeys([*old, *new]):
        pair = old.get(name), new.get(name)
        one, other = pair
        if isinstance(one, dict) and isinstance(other, dict):
            for found, inner in zip(own, _apart(one, other), strict=True):
                found |= {f"{name}.{key}": value for key, value in inner.items()}
        else:
            for found, value in zip(own, pair, strict=True):
                found |= {} if value is None else {name: value}
    return own
