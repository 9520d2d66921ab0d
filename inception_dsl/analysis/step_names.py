"""Checks the names of steps and parameters, and the parameters that steps read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..diagnostics.report import Report, Span
from ..diagnostics.words import nearest, suggestion
from ..ir.program import ForkNode, Node, Origin
from ..language.rules import step_name as step_key
from ..language.steps import Broken, Each, Fork, Use
from ..ops import Op, attribute_names, expressions
from ..yaml.document import DataPath, Document
from ..yaml.edits import Editor, Edits, flow, inside
from .uses import Uses

RESERVED = frozenset({"in_channels"})
AnyStep = Op | Fork | Use | Broken | Each


class StepNames(Uses):
    """Checks the names in the chains of one program.

    ``entered`` are the blocks around the chain that is read, ``before`` the number of errors at the
    start.
    """

    entered: list[str]
    before: int

    def not_reserved(self, name: str, origin: Origin) -> None:
        if name in RESERVED:
            span = origin.document.key_span((*origin.path, "params", name))
            message = f"`{name}` cannot be a parameter: it is predefined in every block"
            self.report.error("E206", message, span)

    def check_names(self, step: AnyStep, here: Origin, names: set[str]) -> None:
        """Report unknown parameters in expressions, unless an error elsewhere may hide them."""
        values: dict[tuple[str | int, ...], Any] = {("repeat",): step.repeat}
        if isinstance(step, Op):
            values |= {
                (name,): getattr(step, name)
                for name in attribute_names(type(step))
                if name in step.model_fields_set
            }
        elif isinstance(step, Use):
            values |= {(name,): value for name, value in step.arguments.items()}
        elif isinstance(step, Fork) and isinstance(step.split, tuple):
            values |= {("split", index): size for index, size in enumerate(step.split)}
        scope = here.path[:2] if here.path[:1] == ("blocks",) else ()
        for key, value in values.items():
            for found in expressions(value):
                for name, offset in found.names:
                    if name not in names and not here.document.lost(*scope, "params", name):
                        self.unknown_name(name, offset, here.below(*key), names)

    def unknown_name(self, name: str, offset: int, origin: Origin, names: set[str]) -> None:
        """Report a parameter that is not declared, with the most similar name."""
        span = inside(origin.span(), offset, len(name), self.report.texts)
        if self.entered:
            # so that uses which pass this name as an argument are not reported too
            self.undeclared.add((self.entered[-1], name))
        scope = origin.document, origin.path[: 2 if origin.path[:1] == ("blocks",) else 0]
        removed = scope[0].cause((*scope[1], "params", name), (*scope[1], "params"))
        if removed is not None:
            message = f"this removes the parameter `{name}`, which a step reads"
            return self.report.error("E304", message, removed, related=[(span, "used here")])
        if not self.report.helping:
            return self.report.error("E304", f"unknown parameter `{name}`", span)
        help, best = suggestion(name, names, what="known parameters"), nearest(name, names)
        if name in RESERVED:
            help = "a network with several inputs has it only in the branches of its first step"
        fix = (
            Editor(origin.document, self.report.texts).part(origin.path, offset, len(name), best)
            if best
            else ()
        )
        if self.entered and name in self.network.types:
            help, fix = self.passed_in(name, *scope)
        return self.report.error("E304", f"unknown parameter `{name}`", span, help=help, fix=fix)

    def passed_in(self, name: str, document: Document, block: DataPath) -> tuple[str, Edits]:
        """The declaration with which a block reads a parameter of the network, and its edit."""
        editor, text = (
            Editor(document, self.report.texts),
            (f"{{type: {self.network.types[name]}, default: ${name}}}"),
        )
        help = f"to read that of the network, write `params: {{{name}: {text}}}` in the block"
        if (*block, "params") in document.spans:
            return help, editor.insert((*block, "params"), name, text)
        return help, editor.insert(block, "params", f"{{{name}: {text}}}")

    def unique(self, chain: list[Node]) -> None:
        """Report steps of a chain, or branches of its unnamed forks, that have the same path.

        One report for each step; none if an error elsewhere may hide its name.
        """
        seen: dict[tuple[str, ...], Node] = {}
        for node in chain:
            if self.report.crowded(self.before):
                break
            if node.origin.document.lost(*node.origin.path, "name"):
                continue
            paths = [path for path in starts(node) if path]
            path = next((p for p in paths if p in seen), None)
            if path is not None:
                first = (seen[path].origin.span(), "first defined here")
                message = f"two steps have the same path `{'/'.join(path)}`"
                new, fix = self.renamed(node, path, seen) if self.report.helping else ("…", ())
                help = f"give it another name: `name: {new}`"
                self.report.error(
                    "E307", message, node.origin.span(), related=[first], help=help, fix=fix
                )
            seen.update(dict.fromkeys(paths, node))

    def renamed(
        self, node: Node, path: tuple[str, ...], seen: Mapping[tuple[str, ...], Node]
    ) -> tuple[str, Edits]:
        """A name that no other step has, and the edits that give it to ``node``.

        An unnamed fork is named after its merge.
        """
        start = path[-1][:60] if node.segments or not isinstance(node, ForkNode) else node.merge
        new = next(name for i in range(2, len(seen) + 3) if ((name := f"{start}_{i}"),) not in seen)
        editor, step = Editor(node.origin.document, self.report.texts), node.origin.path
        if (*step, "name") in node.origin.document.spans:
            return new, editor.replace((*step, "name"), new)
        return new, editor.insert(step, "name", new)


def report_gone(name: str, origin: Origin, removed: Span, report: Report) -> None:
    """Report a step whose output is read at ``origin``, which an overlay removes or renames."""
    document, message, help = origin.document, f"this removes the step `{name}`", ""
    found = (p for p, span in document.spans.items() if p[-1:] == ("name",) and span == removed)
    if path := next(found, None):
        new = document.data
        for part in path:
            new = new[part]
        keys = _keys(document.data, origin.path)
        change: Any = new
        for key in reversed(keys):
            change = {key: change}
        message = f"this renames the step `{name}` to `{new}`"
        help = f"also write `{flow(change, 100)[1:-1]}`, and so for all that read its output"
        if removed.on_command_line:
            help = f"also pass `--set {'.'.join(map(str, keys))}={new}`"
    message += ", whose output is used"
    report.error("E308", message, removed, related=[(origin.span(), "used here")], help=help)


def _keys(data: Any, path: DataPath) -> list[str | int]:
    """The keys of a part in an overlay: those of steps are their names."""
    keys = list[str | int]()
    for part in path:
        below: Any = data
        data = below[part] if isinstance(data, dict | list) else {}
        keys.append(step_key(data, part) if isinstance(part, int) else part)
    return keys


def starts(node: Node) -> list[tuple[str, ...]]:
    """The starts of all paths below a node: its segments, or the branches of an unnamed fork."""
    if isinstance(node, ForkNode) and not node.segments:
        return [(name,) for name, _ in node.branches]
    return [node.segments]
