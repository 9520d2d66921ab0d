"""The shapes, parameters and multiply-adds of the step at the cursor."""

from __future__ import annotations

from collections.abc import Iterator

from ..analysis.cost import cost, layers
from ..design.rows import with_window
from ..diagnostics.report import Span
from ..ir.typed import Path, Typed, TypedFork, TypedOp, TypedProgram, TypedUse
from ..ir.walk import inner_chains, visits, walk_program


def hover(typed: TypedProgram, file: str, line: int, column: int) -> tuple[str, Span] | None:
    """A text in Markdown about the step at a location of a file, and where the step is."""
    here, uses = _innermost(typed, file, line, column)
    if here is None:
        return _about_file(typed, file, line)
    path, found = uses[0]
    return "\n\n".join(_lines(path, found, len(uses))), here


def _innermost(
    typed: TypedProgram, file: str, line: int, column: int
) -> tuple[Span | None, list[tuple[Path, Typed]]]:
    """The smallest step with a location, with all that it became in the network."""
    best: Span | None = None
    uses: list[tuple[Path, Typed]] = []
    spans: dict[int, Span] = {}
    for path, found in walk_program(typed):
        span = spans.get(id(found.node))
        if span is None:
            span = spans[id(found.node)] = found.node.origin.span()
        if span.file != file or not _inside(span, line, column):
            continue
        if best is None or (span.line, span.column) > (best.line, best.column):
            best, uses = span, []
        if span == best:
            uses.append((path, found))
    return best, uses


def _inside(span: Span, line: int, column: int) -> bool:
    return (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column)


def _lines(path: Path, found: Typed, count: int) -> Iterator[str]:
    name = "/".join(path)
    yield f"`{_what(found)}`" + (f" {name}" if name else "")
    inputs = found.branches if isinstance(found, TypedFork) and found.node.inputs else ()
    x = ", ".join(f"{own} {branch.x}" for own, branch in inputs) or str(found.x)
    yield f"{x} -> **{found.y}**"
    parameters, macs = _cost(found)
    if shares := found.node.shares:
        yield f"weights of `{'/'.join(shares.down)}`"
        parameters = 0
    yield f"{parameters:,} parameters, {macs:,} MACs (multiply-adds)"
    if count > 1:
        yield f"the first of {count:,} in this network"


def _what(found: Typed) -> str:
    if isinstance(found, TypedOp):
        return with_window(found)
    return found.node.block if isinstance(found, TypedUse) else found.node.merge


def _cost(found: Typed) -> tuple[int, int]:
    """The parameters and multiply-adds of a node, with all that is in it."""
    if isinstance(found, TypedOp):
        return sum(weight.size for weight in found.weights), found.macs
    nodes = (visit for chain in inner_chains(found) for visit in visits(chain, (), ()))
    inner = [(path == own, _cost(one)) for path, one, own in nodes if isinstance(one, TypedOp)]
    parameters = sum(found[0] for first, found in inner if first)
    return parameters, sum(macs for _, (_, macs) in inner)


def _about_file(typed: TypedProgram, file: str, line: int) -> tuple[str, Span] | None:
    """The totals, at the id of the network."""
    span = typed.program.origin.span(typed.program.kind)
    if span.file != file or span.line != line:
        return None
    total = cost(list(layers(typed)))
    outputs = ", ".join(f"{name} {y}" for name, y in typed.outputs.items())
    lines = (
        f"`{typed.program.kind}` {typed.program.id}",
        f"{typed.program.taken} -> **{outputs}**",
        f"{total.total:,} parameters, {total.macs:,} MACs (multiply-adds)",
    )
    return "\n\n".join(lines), span
