"""Ops from the text of a step."""

from __future__ import annotations

from inception_dsl.diagnostics.report import Report
from inception_dsl.ops import OPS, Op
from inception_dsl.yaml import source


def op(text: str) -> Op:
    """The op of a step."""
    document = source.parse(f"{{op: {text}}}", "step", Report())
    assert document is not None
    return OPS[document.data["op"]].model_validate(document.data)
