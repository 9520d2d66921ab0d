"""W301 and W302: a parameter that no step reads, a block or an imported file that no step uses.

Not reported for parts of a spec that it ``extends``, as they cannot be removed there; nor what is
unused because the command line removes steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from ...ir.program import Chain, Node, OpNode, Origin, UseNode
from ...ir.walk import nodes
from ...language.file_names import named
from ...language.link import steps_of
from ...language.models import BlockFile, NetworkFile
from ...language.steps import Use
from ...ops import attribute_names, expressions
from .survey import Check, Context, Found, Scope, Survey, Warn, own


def _unread(survey: Survey) -> Iterator[Found]:
    program = survey.typed.program
    yield from _of(survey.spec.model.params, program.chains, program.origin, survey.top)
    for block in program.blocks.values():
        scopes = survey.top.within(Scope(block.origin, block.about.allow))
        yield from _of(block.parameters, [block.chain], block.origin, scopes)


def _of(
    parameters: Iterable[str], chains: Iterable[Chain], origin: Origin, context: Context
) -> Iterator[Found]:
    """Parameters of a network or block that no step of its chains reads."""
    names = set(parameters)
    if not names:
        return
    for chain in chains:
        for node in nodes(chain):
            names -= {
                name
                for value in _values(node)
                for found in expressions(value)
                for name, _ in found.names
            }
    for name in parameters:
        span = origin.document.key_span((*origin.path, "params", name))
        if name in names and own(origin, span):
            yield Found(origin.below("params", name), context, 0, (name, span))


def _values(node: Node) -> list[Any]:
    if isinstance(node, OpNode):
        return [node.repeat, *(getattr(node.op, name) for name in attribute_names(type(node.op)))]
    given = node.arguments.values() if isinstance(node, UseNode) else node.sizes
    return [node.repeat, *given]


def _describe_parameter(_: Survey, found: list[Found]) -> Warn:
    name, span = found[0].data
    return Warn(
        f"the parameter `{name}` is never used", span, f"remove it, or write `${name}` in a step"
    )


class _Unused:
    """Finds unused blocks and imports, file by file.

    A block that only unused blocks use is not reported in addition to them.
    """

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.used = set(survey.typed.program.blocks)
        for name in survey.typed.program.blocks:  # those that are extended are used, too
            block = survey.linked.get(name)
            while block is not None and (above := block.document.origins.get(block.id, "")):
                self.used.add(above)
                block = survey.linked.get(above)
        self.files = {b.document.file: b for b in survey.linked.values() if not b.path}
        self.unused: set[str] = set()
        self.users: dict[str, set[str]] = {}
        self.giving: dict[str, frozenset[str]] = {}
        for block in survey.linked.values():
            if block.id not in self.used:
                for step in steps_of(block.model.steps):
                    if isinstance(step, Use):
                        self.users.setdefault(step.use, set()).add(block.id)

    def find(self) -> Iterator[Found]:
        spec = self.survey.spec
        if any(span.on_command_line for span in spec.document.removed.values()):
            return
        seen: set[str] = set()
        pending = [(spec.model, Origin(spec.document, ()), self.survey.top)]
        while pending:
            model, origin, context = pending.pop()
            yield from self.blocks(model, origin, context)
            idle = self.imports(model, origin)
            for index, file in enumerate(_files(model, origin)):
                span = origin.span("import", index)
                if index in idle:
                    if own(origin, span):
                        yield Found(
                            origin.below("import", index),
                            context,
                            0,
                            ("this import", span),
                        )
                elif file in self.files and file not in seen:
                    seen.add(file)
                    block = self.files[file]
                    if isinstance(block.model, BlockFile):
                        below = Origin(block.document, ())
                        pending.append(
                            (block.model, below, context.within(Scope(below, block.model.allow)))
                        )

    def blocks(
        self, model: NetworkFile | BlockFile, origin: Origin, context: Context
    ) -> Iterator[Found]:
        """The unused blocks that a file defines itself."""
        for name in model.blocks:
            span = origin.document.key_span(("blocks", name))
            if name in self.used or not own(origin, span):
                continue
            self.unused.add(name)
            if not self.users.get(name, set()) - {name}:
                here = context.within(Scope(origin.below("blocks", name), model.blocks[name].allow))
                yield Found(origin.below("blocks", name), here, 0, (f"the block `{name}`", span))

    def imports(self, model: NetworkFile | BlockFile, origin: Origin) -> set[int]:
        """The indices of imports whose blocks are not used, or come with another import."""
        given = [self.given(file) for file in _files(model, origin)]
        counts = Counter(name for names in given for name in names)
        idle = set()
        for index, (file, names) in enumerate(zip(_files(model, origin), given, strict=True)):
            needed = {name for name in names & self.used if counts[name] == 1} or self.defined(
                file
            ) & self.used
            wanted = needed or any(
                self.users.get(name, names) - names for name in names - self.used
            )
            if names and not wanted and not names <= self.unused:
                idle.add(index)
                counts.subtract(names)
        return idle

    def defined(self, file: str) -> set[str]:
        """The blocks that a file defines itself."""
        block = self.files.get(file)
        return {block.id, *getattr(block.model, "blocks", ())} if block else set()

    def given(self, file: str) -> frozenset[str]:
        """The blocks that a file defines or imports."""
        if file not in self.giving:
            found: set[str] = set()
            seen: set[str] = set()
            pending = [file]
            while pending:
                one = pending.pop()
                block = self.files.get(one)
                if one in seen or block is None:
                    continue
                seen.add(one)
                found |= self.defined(one)
                if isinstance(block.model, BlockFile):
                    pending += _files(block.model, Origin(block.document, ()))
            self.giving[file] = frozenset(found)
        return self.giving[file]


def _files(model: NetworkFile | BlockFile, origin: Origin) -> list[str]:
    """The paths of the files that a file imports."""
    return [
        named(wanted, origin.span("import", index).file)
        for index, wanted in enumerate(model.imports)
    ]


def _unused(survey: Survey) -> Iterator[Found]:
    model: NetworkFile | BlockFile = survey.spec.model
    if model.blocks or model.imports:
        yield from _Unused(survey).find()


def _describe_block(_: Survey, found: list[Found]) -> Warn:
    what, span = found[0].data
    return Warn(f"{what} is never used", span, "remove it, or use it")


PARAMETERS = Check("W301", _unread, _describe_parameter)
BLOCKS = Check("W302", _unused, _describe_block)
