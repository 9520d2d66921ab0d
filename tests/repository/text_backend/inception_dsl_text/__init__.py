"""A backend that prints the program as text, one line for each step, blocks once."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.backend import (
    Backend,
    Report,
    TypedChain,
    TypedFork,
    TypedOp,
    TypedProgram,
    TypedUse,
    define,
    generated_by,
)


def emit(typed: TypedProgram, report: Report) -> str | None:
    """The text of one file; local response normalisation is what this backend cannot say."""
    defined = define(typed)
    lines = [
        f"{typed.program.kind} {typed.program.id} on {typed.program.input}",
        generated_by(typed.program.id),
    ]
    for definition in defined.definitions:
        lines += [f"block {definition.block.id}", *_chain(definition.chain, "  ")]
    for name, chain in typed.sections.items():
        lines += [name, *_chain(chain, "  ")]
    for head, chain in typed.heads:
        lines += [f"{head.name} after {head.after}", *_chain(chain, "  ")]
    for step in (s for chain in typed.sections.values() for s in chain.steps):
        found = step.runs[0].typed
        if isinstance(found, TypedOp) and found.op.op == "local_response_norm":
            report.error(
                "E503", "text cannot say `local_response_norm`", step.node.origin.span("op")
            )
            return None
    return "\n".join(lines) + "\n"


def _chain(chain: TypedChain, indent: str) -> Iterator[str]:
    for step in chain.steps:
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
