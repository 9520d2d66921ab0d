"""The steps of chains to nodes, and the blocks that they use; a step that cannot become one is a broken node."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ..diagnostics.report import Report, Span
from ..diagnostics.words import nearest, suggestion
from ..ir.program import Block, BrokenNode, Chain, ForkNode, Node, OpNode, Origin, UseNode
from ..language.link import Linked, LinkedBlock
from ..language.models import Broken, Fork, Use, fits
from ..language.roots import names_inside
from ..ops import OPS, Op, attribute_names, expressions
from ..ops.fields.refusal import shown
from ..types.expression import Expression
from ..yaml.edits import Editor, Edits, flow, inside
from .records import about

MAX_NESTING = 64
RESERVED = frozenset({"in_channels"})
_MANY: Final = 20
_SAMPLES: Final = {"int": "64", "float": "0.5", "bool": "true", "str": "relu"}
Defaults = Mapping[str, Mapping[str, Any]]
AnyStep = Op | Fork | Use | Broken


class Steps:
    """Makes the chains of one program; ``blocks`` are those that they use."""

    def __init__(self, linked: Linked, top: Defaults, root: Path, report: Report) -> None:
        self.linked, self.top, self.root, self.report = linked, top, root, report
        self.blocks: dict[str, Block] = {}
        self.entered: list[str] = []
        self.undeclared: set[tuple[str, str]] = set()
        self.unknown: set[str] = set()
        self.heights: dict[str, int] = {}
        self.level = self.deepest = 0
        self.too_deep = False
        self.before = len(report.diagnostics)

    def not_reserved(self, name: str, origin: Origin) -> None:
        if name in RESERVED:
            span = origin.document.key_span((*origin.path, "params", name))
            self.report.error(
                "E206", f"`{name}` is known everywhere and cannot be a parameter", span
            )

    def top_chain(
        self, steps: list[Any], origin: Origin, names: set[str], section: tuple[str, ...] = ()
    ) -> Chain:
        """The nodes of a chain outside of blocks."""
        return self.chain(steps, origin, names, self.top, section)

    def chain(
        self,
        steps: list[Any],
        origin: Origin,
        names: set[str],
        defaults: Defaults,
        section: tuple[str, ...],
    ) -> Chain:
        """The nodes of a chain; ``section`` is what stands before a step that has no name of its own."""
        if not self.nested(1, origin.span()):
            return (broken((), origin),)
        self.level += 1
        alone = len(steps) == 1
        found: list[Node] = []
        for index, step in enumerate(steps):
            if self.report.crowded(self.before):
                break
            here = origin.below(index)
            own = step.name or (step.use if isinstance(step, Use | Broken) else None)
            if alone and not step.name:
                segments = section
            elif own:
                segments = (own,)
            else:
                segments = () if getattr(step, "branches", None) else (*section, str(index))
            self.check_names(step, here, names)
            found.append(self.node(step, segments, here, names, defaults))
        self.unique(found)
        self.level -= 1
        return tuple(found)

    def node(
        self,
        step: AnyStep,
        segments: tuple[str, ...],
        here: Origin,
        names: set[str],
        defaults: Defaults,
    ) -> Node:
        if isinstance(step, Op):
            return OpNode(step.filled(defaults), segments, step.repeat, here)
        notes = step.deviation or ()
        if isinstance(step, Fork | Broken):
            branches = tuple(
                (name, self.chain(branch, here.below("branches", name), names, defaults, ()))
                for name, branch in step.branches.items()
            )
            if isinstance(step, Fork):
                return ForkNode(
                    branches, step.merge, step.name, segments, step.repeat, notes, here, step.allow
                )
            used = self.linked.get(step.use or "")
            if used is not None:
                self.enter(used, here)
            return broken(segments, here, branches)
        block = self.linked.get(step.use)
        if block is None:
            self.unknown_block(step, here)
            return broken(segments, here)
        if not self.enter(block, here):
            return broken(segments, here)
        arguments = self.arguments(step, block, here)
        return UseNode(
            step.use, arguments, step.name, segments, step.repeat, notes, here, step.allow
        )

    def unknown_block(self, step: Use, here: Origin) -> None:
        """Report the first use of a block that no file defines, unless a mistake may hide it."""
        if (
            not self.linked.complete
            or here.document.lost("blocks", step.use)
            or step.use in self.unknown
        ):
            return None
        self.unknown.add(step.use)
        message = f"there is no block `{step.use}`"
        if not self.report.helping:
            return self.report.error("E302", message, here.span("use"))
        editor, path = Editor(here.document, self.report.texts), (*here.path, "use")
        help, fix = "", Edits()
        best, file = nearest(step.use, self.linked), self.file_of(step.use, here)
        if file:
            help, fix = f"add `import: [{file}]`", self.importing(file, here)
        elif best:
            help, fix = f"did you mean `{best}`?", editor.replace(path, best)
        elif nearest(step.use, OPS):
            op = str(nearest(step.use, OPS))
            help, fix = (
                f"did you mean `op: {op}`?",
                (*editor.rename(path, "op"), *editor.replace(path, op)),
            )
        help = help or suggestion(step.use, self.linked, what="blocks") or "import its file"
        return self.report.error("E302", message, here.span("use"), help=help, fix=fix)

    def file_of(self, block: str, here: Origin) -> str:
        """A file beside the spec, or in its folder of blocks, that is called as the block."""
        folder, name = Path(here.span("use").file).parent, f"{block}.yaml"
        for below in ("blocks/", "") if here.document.span(()).in_a_file else ():
            if name in names_inside(folder, below, self.root):
                return below + name
        return ""

    def importing(self, file: str, here: Origin) -> Edits:
        """The edits that add an import to the file in which a step stands."""
        editor, document = Editor(here.document, self.report.texts), here.document
        if ("import",) not in document.spans:
            return editor.insert((), "import", flow([file]))
        last = max((p for p in document.spans if len(p) == 2 and p[0] == "import"), default=None)
        if last is None or editor.at(document.spans["import",]) != "[":
            return ()
        return editor.append(last, f", {flow(file)}")

    def arguments(self, step: Use, block: LinkedBlock, here: Origin) -> dict[str, Any]:
        """A value for each parameter, as far as they are known."""
        arguments: dict[str, Any] = {}
        editor, extra = Editor(here.document, self.report.texts), self.extra(step, block)
        for name, parameter in block.parameters.items():
            if name in step.arguments:
                value = step.arguments[name]
                if isinstance(value, Expression) or fits(value, parameter.type):
                    arguments[name] = value
                else:
                    message = f"`{name}` of `{step.use}` is of type {parameter.type}, found {shown(value)}"
                    write = _as_type(value, parameter.type)
                    fix = editor.replace((*here.path, name), write) if write else ()
                    help = f"write `{write}`" if write else ""
                    self.report.error("E203", message, here.span(name), help=help, fix=fix)
            elif parameter.default is not None:
                arguments[name] = parameter.default
            elif not here.document.lost(*here.path, name) and not self.misspelt(name, extra):
                message, sample = (
                    f"`{step.use}` needs a value for `{name}`",
                    _SAMPLES[parameter.type],
                )
                fix = editor.insert(here.path, name, sample) if self.report.helping else ()
                self.report.error(
                    "E305", message, here.span("use"), help=f"add `{name}: {sample}`", fix=fix
                )
        for name in extra:
            if (block.id, name) not in self.undeclared and not block.document.lost(
                *block.path, "params", name
            ):
                self.unknown_argument(name, step, block, here)
        return arguments

    def extra(self, step: Use, block: LinkedBlock) -> list[str]:
        """Arguments that the block has no parameter for."""
        return [n for n in step.arguments if n not in block.parameters]

    def misspelt(self, name: str, extra: list[str]) -> bool:
        """Whether one of the arguments that do not fit was meant to be ``name``."""
        return len(extra) < _MANY and nearest(name, extra) is not None

    def unknown_argument(self, name: str, step: Use, block: LinkedBlock, here: Origin) -> None:
        editor, path = Editor(here.document, self.report.texts), (*here.path, name)
        message, place = f"`{step.use}` has no parameter `{name}`", here.document.key_span(path)
        known = [
            p
            for p in (*block.parameters, "name", "repeat")
            if (*here.path, p) not in here.document.keys
        ]
        if not self.report.helping:
            return self.report.error("E304", message, place)
        best = nearest(name, known)
        if best == "name":
            here.document.dropped.add((*here.path, "name"))
        help = f"did you mean `{best}`?" if best else "leave it out"
        if not best and block.parameters:
            help = suggestion(name, block.parameters, what="its parameters")
        fix = editor.rename(path, best) if best else editor.remove(path)
        return self.report.error("E304", message, place, help=help, fix=fix)

    def enter(self, block: LinkedBlock, here: Origin) -> bool:
        """Make ``block`` part of the program, once; whether it can be used here."""
        if block.id in self.entered:
            circle = " uses ".join([*self.entered[self.entered.index(block.id) :], block.id])
            self.report.error("E306", f"{circle}", here.span("use"))
            return False
        if block.id in self.blocks:
            return self.nested(self.heights[block.id], here.span("use"))
        outside, self.deepest = self.deepest, self.level
        self.entered.append(block.id)
        origin = Origin(block.document, block.path)
        for name in block.parameters:
            self.not_reserved(name, origin)
        defaults = {
            op: {**self.top.get(op, {}), **block.defaults.get(op, {})}
            for op in {**self.top, **block.defaults}
        }
        chain = self.chain(
            block.model.steps, origin.below("steps"), set(block.parameters), defaults, ()
        )
        types = {name: p.type for name, p in block.parameters.items()}
        self.blocks[block.id] = Block(block.id, types, chain, about(block.model), origin)
        self.entered.pop()
        self.heights[block.id] = self.deepest - self.level
        self.deepest = max(outside, self.deepest)
        return True

    def nested(self, levels: int, span: Span) -> bool:
        """Whether ``levels`` more of forks and uses are allowed here; reports it if not."""
        self.deepest = max(self.deepest, self.level + levels)
        if self.level + levels <= MAX_NESTING:
            return True
        if not self.too_deep:
            self.report.error(
                "E309", f"forks and uses are nested more than {MAX_NESTING} deep", span
            )
        self.too_deep = True
        return False

    def check_names(self, step: AnyStep, here: Origin, names: set[str]) -> None:
        """Every parameter that an expression reads is known, or hidden by a mistake."""
        values: dict[str, Any] = {"repeat": step.repeat}
        if isinstance(step, Op):
            values |= {
                name: getattr(step, name)
                for name in attribute_names(type(step))
                if name in step.model_fields_set
            }
        elif isinstance(step, Use):
            values |= step.arguments
        scope = here.path[:2] if here.path[:1] == ("blocks",) else ()
        for key, value in values.items():
            for found in expressions(value):
                for name, offset in found.names:
                    if name not in {*names, "in_channels"} and not here.document.lost(
                        *scope, "params", name
                    ):
                        self.unknown_name(name, offset, here.below(key), {*names, "in_channels"})

    def unknown_name(self, name: str, offset: int, place: Origin, names: set[str]) -> None:
        span = inside(place.span(), offset, len(name), self.report.texts)
        if self.entered:
            self.undeclared.add(
                (self.entered[-1], name)
            )  # arguments that are called so are as they were meant
        if not self.report.helping:
            return self.report.error("E304", f"unknown parameter `{name}`", span)
        help, best = suggestion(name, names, what="known here"), nearest(name, names)
        fix = (
            Editor(place.document, self.report.texts).part(place.path, offset, len(name), best)
            if best
            else ()
        )
        return self.report.error("E304", f"unknown parameter `{name}`", span, help=help, fix=fix)

    def unique(self, chain: list[Node]) -> None:
        """No two steps of a chain, or branches of its unnamed forks, share a path, unless a mistake hides a name; one
        report for a step.
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
                first = (seen[path].origin.span(), "the first one")
                message = f"two steps have the path `{'/'.join(path)}`"
                new, fix = self.renamed(node, path, seen) if self.report.helping else ("…", ())
                help = f"give it a name of its own: `name: {new}`"
                self.report.error(
                    "E307", message, node.origin.span(), related=[first], help=help, fix=fix
                )
            seen.update(dict.fromkeys(paths, node))

    def renamed(
        self, node: Node, path: tuple[str, ...], seen: Mapping[tuple[str, ...], Node]
    ) -> tuple[str, Edits]:
        """A name that no other step has, and the edits that give it to ``node``; of a fork without one, its merge's."""
        start = path[-1][:60] if node.segments or not isinstance(node, ForkNode) else node.merge
        new = next(name for i in range(2, len(seen) + 3) if ((name := f"{start}_{i}"),) not in seen)
        editor, place = Editor(node.origin.document, self.report.texts), node.origin.path
        if (*place, "name") in node.origin.document.spans:
            return new, editor.replace((*place, "name"), new)
        return new, editor.insert(place, "name", new)


def broken(
    segments: tuple[str, ...], origin: Origin, branches: tuple[tuple[str, Chain], ...] = ()
) -> BrokenNode:
    """A node that stands for a step with a mistake."""
    return BrokenNode(branches, "concat", None, segments, 1, (), origin)


def starts(node: Node) -> list[tuple[str, ...]]:
    """What the paths below a node start with: its own part, or the branches of a fork that has none."""
    if isinstance(node, ForkNode) and not node.segments:
        return [(name,) for name, _ in node.branches]
    return [node.segments]


def _as_type(value: object, kind: str) -> str:
    """``value`` as one of type ``kind``, if it says one."""
    text = str(value)
    if kind == "str":
        return flow(text)
    if kind == "bool":
        return text.lower() if text.lower() in ("true", "false") else ""
    number = text if text.isascii() and text.isdecimal() and len(text) < 10 else ""
    return (
        str(int(value))
        if kind == "int" and isinstance(value, float) and value == value // 1
        else number
    )
