"""Paths: every layer and every weight has one of its own, as weight files name weights by it."""

from __future__ import annotations

from collections.abc import Iterator

from ..analysis.cost import price
from ..diagnostics.report import Report
from ..ir.typed import TypedOp, TypedProgram
from ..ir.walk import walk_program


def check_paths(typed: TypedProgram, report: Report) -> bool:
    """Whether no two layers, and no two weights, have the same path.

    Two steps that clash are reported once, however often they do.
    """
    seen: dict[str, TypedOp] = {}
    reported: set[tuple[int, int]] = set()
    for path, node in _paths(typed):
        if path not in seen:
            seen[path] = node
            continue
        first = seen[path]
        pair = id(first.node), id(node.node)
        if pair in reported:
            continue
        reported.add(pair)
        what = "layers" if path.rpartition("/")[2] not in _weights(node) else "weights"
        report.error(
            "E307",
            f"two {what} have the path `{path}`",
            node.node.origin.span(),
            related=[(first.node.origin.span(), "the first one")],
            help="give one of these steps, or the use or branch around it, another name",
        )
    return not reported


def _paths(typed: TypedProgram) -> Iterator[tuple[str, TypedOp]]:
    """Every path of a layer or a weight; a layer that is the whole program has none."""
    for path, node in walk_program(typed):
        if isinstance(node, TypedOp):
            name = "/".join(path)
            if name:
                yield name, node
            for weight in price(node)[0]:
                yield f"{name}/{weight.name}", node


def _weights(node: TypedOp) -> set[str]:
    return {weight.name.rpartition("/")[2] for weight in price(node)[0]}
