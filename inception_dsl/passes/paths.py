"""Paths: every layer has one of its own, as weights are called by it."""

from __future__ import annotations

from ..diagnostics.report import Report
from ..ir.typed import TypedOp, TypedProgram
from ..ir.walk import walk_program


def check_paths(typed: TypedProgram, report: Report) -> bool:
    """Whether no two layers have the same path; a pair of steps is reported once."""
    seen: dict[str, TypedOp] = {}
    found: set[tuple[int, int]] = set()
    for path, node in walk_program(typed):
        if not isinstance(node, TypedOp):
            continue
        name = "/".join(path)
        first = seen.get(name)
        if first is None or not name:
            seen[name] = node
            continue
        pair = id(first.node), id(node.node)
        if pair not in found:
            found.add(pair)
            report.error(
                "E307",
                f"two layers have the path `{name}`",
                node.node.origin.span(),
                related=[(first.node.origin.span(), "the first one")],
                help="give one of these steps, or the use or branch around it, another name",
            )
    return not found
