"""Warnings silenced by ``allow``, and W303: an ``allow`` that silences nothing.

W303 is reported only in the spec's own file: an imported block may need its ``allow`` in other
networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...ir.walk import steps
from .survey import Scope, Survey, Warn, own


class Used:
    """The codes that have silenced a warning, by scope."""

    def __init__(self) -> None:
        self.found: set[tuple[int, tuple[str | int, ...], str]] = set()

    def allows(self, code: str, scopes: Sequence[Scope]) -> bool:
        """Whether one of ``scopes`` allows ``code``; marks all that do as used."""
        fitting = [scope for scope in scopes if code in scope.codes]
        self.found |= {(id(scope.origin.document), scope.origin.path, code) for scope in fitting}
        return bool(fitting)

    def has(self, scope: Scope, code: str) -> bool:
        return (id(scope.origin.document), scope.origin.path, code) in self.found


def idle(survey: Survey, used: Used) -> Iterator[Warn]:
    """A warning for every code that silences nothing."""
    for scopes in _scopes(survey):
        scope = scopes[-1]
        for index, code in enumerate(scope.codes):
            span = scope.origin.span("allow", index)
            elsewhere = code == "W303" or code.startswith("W5")  # those of backends
            if elsewhere or used.has(scope, code) or not own(scope.origin, span):
                continue
            if not any("W303" in around.codes for around in scopes):
                message = f"`{code}` is allowed, but there is no such warning here"
                yield Warn(message, span, "remove it")


def _scopes(survey: Survey) -> Iterator[list[Scope]]:
    """Every scope of the spec's own file, after the file and the block or head around it."""
    program = survey.typed.program
    top = Scope(program.origin, program.about.allow)
    yield [top]
    owners = [(top, chain) for chain in program.sections.values()]
    owners += [(Scope(head.origin, head.about.allow), head.chain) for head in program.heads]
    owners += [
        (Scope(block.origin, block.about.allow), block.chain) for block in program.blocks.values()
    ]
    for owner, chain in owners:
        if owner.origin.document is not program.origin.document:
            continue
        if owner is not top:
            yield [top, owner]
        for node in steps(chain):
            if node.allow:
                yield [top, owner, Scope(node.origin, node.allow)]
