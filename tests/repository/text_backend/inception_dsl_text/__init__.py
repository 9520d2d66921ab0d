"""A backend that prints the program as text, one line for each step, every instance of a block."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.backend import (
    Backend,
    Definitions,
    Files,
    Report,
    Request,
    TypedChain,
    TypedFork,
    TypedOp,
    TypedProgram,
    TypedUse,
    generated_by,
)


def emit(typed: TypedProgram, request: Request, report: Report) -> Files | None:
    """One file of text; local response normalisation is what this backend cannot say."""
    lines = [
        f"{typed.program.kind} {typed.program.id} on {typed.program.input}",
        generated_by(typed.program.id),
    ]
    for definition in Definitions(typed):
        for use in definition.instances:
            given = dict(use.arguments)
            lines += [f"block {definition.block.id} {given} on {use.x}", *_chain(use.body, "  ")]
    for name, chain in typed.sections.items():
        lines += [name, *_chain(chain, "  ")]
    for head, chain in typed.heads:
        lines += [f"{head.name} after {head.after}", *_chain(chain, "  ")]
    for step in (s for chain in typed.sections.values() for s in chain.steps if s.runs):
        found = step.runs[0].typed
        if isinstance(found, TypedOp) and found.op.op == "local_response_norm":
            report.error(
                "E503", "text cannot say `local_response_norm`", step.node.origin.span("op")
            )
            return None
    return {f"{request.name}.txt": "\n".join(lines) + "\n"}


def _chain(chain: TypedChain, indent: str) -> Iterator[str]:
    for step in chain.steps:
        if not step.runs:
            continue  # `repeat: 0`
        times = f" x{step.count}" if step.repeated else ""
        found = step.runs[0].typed
        if isinstance(found, TypedFork):
            yield f"{indent}{found.node.merge}{times} -> {found.y}"
            for name, branch in found.branches:
                yield f"{indent}  {name}:"
                yield from _chain(branch, indent + "    ")
        elif isinstance(found, TypedUse):
            yield f"{indent}{found.node.block}{times} {dict(found.arguments)} -> {found.y}"
        else:
            yield f"{indent}{found.op.op}{times} -> {found.y}"


BACKEND = Backend(name="text", title="Plain text", emit=emit, suffix=".txt")
