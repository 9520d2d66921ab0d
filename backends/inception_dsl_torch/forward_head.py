"""The methods from the features to the outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inception_dsl.backend import Code, TypedProgram, docstring, layout, signature

from .lines import Line, returned, written
from .results import Variable


class HeadView(NamedTuple):
    """``forward_head``; and the method that also returns the outputs inside of the head, whose
    signature is empty if there are none.
    """

    signature: Code
    doc: Code
    lines: tuple[Code, ...]
    tapped: Code
    tapped_lines: tuple[Code, ...]


def head_view(
    typed: TypedProgram, forward: Sequence[Line], result: str, taps: Sequence[Variable]
) -> HeadView | None:
    """The methods of a network with a head, which computes the variable ``result``."""
    steps = typed.sections["head"].steps
    if not steps:
        return None
    last = steps[-1].runs[-1].typed
    stops = getattr(getattr(last, "op", None), "op", "") == "dense" and bool(forward)
    stops = stops and not forward[-1].times
    given = ["self", "x: Tensor", *["pre_logits: bool = False"] * stops]
    own = signature("forward_head", given, "Tensor", indent=4)
    doc = _doc(typed, stops=stops)
    if taps:
        inner = f"self._forward_head(x{', pre_logits' * stops})[0]"
        kinds = ", ".join(["Tensor"] * (1 + len(taps)))
        tapped = signature("_forward_head", given, f"tuple[{kinds}]", indent=4)
        lines = _with_outputs(forward, result, taps, stops=stops)
        return HeadView(own, doc, (Code(f"        return {inner}"),), tapped, tuple(lines))
    lines = written(forward, result=result)
    if stops:
        lines[-1] = layout("return x if pre_logits else ", forward[-1].value, indent=8)
    return HeadView(own, doc, tuple(lines), Code(""), ())


def _with_outputs(
    forward: Sequence[Line], result: str, taps: Sequence[Variable], *, stops: bool
) -> list[Code]:
    """The lines that return ``result`` and the outputs inside of the head."""
    last = max((i for i, line in enumerate(forward) if line.target == result), default=-1)
    lines = []
    for index, line in enumerate(forward):
        skipped = stops and index == last
        if skipped:
            lines.append(Code("        if not pre_logits:"))
        indent = 12 if skipped else 8
        lines.append(line.text(indent))
    return [*lines, returned([result, *(tap.variable for tap in taps)])]


def _doc(typed: TypedProgram, *, stops: bool) -> Code:
    end = typed.output_name
    end = "the output" if end == "output" else end
    stop = "; ``pre_logits`` skips the last layer" if stops else ""
    return docstring(f"Compute {end} from features{stop}.", indent=8)
