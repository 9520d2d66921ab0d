"""A linked spec to a program: defaults filled in, every use checked against its block, every step named.

Only the blocks that are used become part of the program.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .diagnostics import Report, Span
from .expression import Expression
from .ir.graph import (
    AuxHead,
    Block,
    Chain,
    ForkNode,
    Node,
    OpNode,
    Origin,
    Preprocessing,
    Program,
    UseNode,
)
from .ops import Op, attribute_names, expressions
from .ops.fields import shown
from .spec.link import LinkedBlock, given_defaults
from .spec.load import Spec, inside
from .spec.models import BlockFile, Fork, NetworkFile, Parameter, Use, fits
from .spec.records import about, checkpoints, tensor_type, training
from .words import suggestion

MAX_NESTING = 64
RESERVED = frozenset({"in_channels"})


def expand(spec: Spec, linked: Mapping[str, LinkedBlock], report: Report) -> Program | None:
    """The program of ``spec``, or ``None`` with the mistakes in ``report``."""
    before = len(report.diagnostics)
    program = _Expander(spec, linked, report).program()
    return program if len(report.diagnostics) == before else None


class _Expander:
    def __init__(self, spec: Spec, linked: Mapping[str, LinkedBlock], report: Report) -> None:
        self.spec, self.linked, self.report = spec, linked, report
        self.top = given_defaults(spec.model)
        self.blocks: dict[str, Block] = {}
        self.entered: list[str] = []
        self.heights: dict[str, int] = {}
        self.level = self.deepest = 0
        self.too_deep = False

    def program(self) -> Program | None:
        model, document = self.spec.model, self.spec.document
        origin = Origin(document, ())
        values = self.values(model.params, origin)
        if isinstance(model, BlockFile):
            if model.input is None:
                help = "add `input: {channels: …, height: …, width: …}` or give one on the command line"
                self.report.error(
                    "E404", f"`{model.block}` has no input to be built on", origin.span("block"), help=help
                )
                return None
            chain = self.chain(model.steps, origin.below("steps"), set(model.params), self.top, ())
            sections = {"steps": chain}
        else:
            if "classes" in values:
                self.report.error("E206", "`classes` has a field of its own", document.key_span(("params", "classes")))
            values["classes"] = model.classes
            names = {*model.params, "classes"}
            sections = {
                name: self.chain(getattr(model, name), origin.below(name), names, self.top, (name,))
                for name in ("stem", "body", "head")
            }
            if not any(sections.values()):
                self.report.error("E202", "the network has no steps", origin.span(), help="add `body: […]`")
        self.unique([n for c in sections.values() for n in c], "the network")
        network = model if isinstance(model, NetworkFile) else None
        return Program(
            kind="network" if network else "block",
            id=model.network if isinstance(model, NetworkFile) else model.block,
            about=about(model),
            input=tensor_type(model.input or {}),
            values=values,
            sections=sections,
            aux_heads=self.aux_heads(network, origin, sections) if network else (),
            outputs=self.outputs(network, origin, sections) if network else {},
            training=training(network),
            preprocessing=self.preprocessing(network, origin),
            blocks=self.blocks,
            origin=origin,
            checkpoints=checkpoints(network, origin, self.linked, self.report),
        )

    def preprocessing(self, model: NetworkFile | None, origin: Origin) -> Preprocessing | None:
        found = model.preprocessing if model else None
        if model is None or found is None:
            return None
        for name in ("mean", "std"):
            value = getattr(found, name)
            if isinstance(value, tuple) and len(value) != model.input["channels"]:
                message = f"`{name}` has {len(value)} numbers, the input has {model.input['channels']} channels"
                self.report.error("E203", message, origin.span("preprocessing", name))
        return Preprocessing(found.channel_order, found.scale, found.mean, found.std)

    def values(self, parameters: Mapping[str, Parameter], origin: Origin) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, parameter in parameters.items():
            self.not_reserved(name, origin)
            if parameter.default is None:
                help = f"give it a default, or `--set {name}=…`"
                self.report.error(
                    "E305", f"the parameter `{name}` has no value", origin.span("params", name), help=help
                )
            else:
                values[name] = parameter.default
        return values

    def not_reserved(self, name: str, origin: Origin) -> None:
        if name in RESERVED:
            span = origin.document.key_span((*origin.path, "params", name))
            self.report.error("E206", f"`{name}` is known everywhere and cannot be a parameter", span)

    def aux_heads(self, model: NetworkFile, origin: Origin, sections: Mapping[str, Chain]) -> tuple[AuxHead, ...]:
        heads = []
        taken = {path[0] for c in sections.values() for n in c for path in starts(n) if path}
        for name, head in model.aux_heads.items():
            here = origin.below("aux_heads", name)
            self.after(head.after, here.below("after"), sections)
            if name in taken or name in model.outputs or name == "logits":
                span = here.document.key_span(here.path)
                self.report.error("E307", f"`{name}` is the name of another step or output", span)
            chain = self.chain(head.steps, here.below("steps"), {*model.params, "classes"}, self.top, ())
            heads.append(AuxHead(name, head.after, head.loss_weight, chain, about(head), here))
        return tuple(heads)

    def outputs(self, model: NetworkFile, origin: Origin, sections: Mapping[str, Chain]) -> dict[str, str]:
        for name, after in model.outputs.items():
            self.after(after, origin.below("outputs", name), sections)
            if name == "logits":
                span = origin.document.key_span(("outputs", name))
                self.report.error("E307", "`logits` is the end of the network already", span)
        return dict(model.outputs)

    def after(self, wanted: str, origin: Origin, sections: Mapping[str, Chain]) -> None:
        known = [n.segments[-1] for s in ("stem", "body") for n in sections[s] if n.segments]
        if wanted not in known:
            help = suggestion(wanted, known, what="steps of stem and body")
            self.report.error("E308", f"there is no step `{wanted}` in stem or body", origin.span(), help=help)

    def chain(
        self,
        steps: list[Any],
        origin: Origin,
        names: set[str],
        defaults: Mapping[str, Mapping[str, Any]],
        section: tuple[str, ...],
    ) -> Chain:
        """The nodes of a chain; ``section`` is what stands before a step that has no name of its own."""
        if not self.nested(1, origin.span()):
            return ()
        self.level += 1
        alone = len(steps) == 1
        found: list[Node] = []
        for index, step in enumerate(steps):
            here = origin.below(index)
            own = step.name or (step.use if isinstance(step, Use) else None)
            if alone and not step.name:
                segments = section
            elif own:
                segments = (own,)
            else:
                segments = () if isinstance(step, Fork) else (*section, str(index))
            self.check_names(step, here, names)
            found.append(self.node(step, segments, here, names, defaults))
        self.unique(found, "the chain")
        self.level -= 1
        return tuple(found)

    def node(
        self,
        step: Op | Fork | Use,
        segments: tuple[str, ...],
        here: Origin,
        names: set[str],
        defaults: Mapping[str, Mapping[str, Any]],
    ) -> Node:
        if isinstance(step, Op):
            return OpNode(step.filled(defaults), segments, step.repeat, here)
        notes = step.deviation or ()
        if isinstance(step, Fork):
            branches = tuple(
                (name, self.chain(branch, here.below("branches", name), names, defaults, ()))
                for name, branch in step.branches.items()
            )
            return ForkNode(branches, step.merge, step.name, segments, step.repeat, notes, here)
        arguments = self.arguments(step, here)
        return UseNode(step.use, arguments, step.name, segments, step.repeat, notes, here)

    def arguments(self, step: Use, here: Origin) -> dict[str, Any]:
        block = self.linked.get(step.use)
        if block is None:
            help = suggestion(step.use, self.linked, what="blocks")
            self.report.error(
                "E302", f"there is no block `{step.use}`", here.span("use"), help=help or "import its file"
            )
            return {}
        self.enter(block, here)
        arguments: dict[str, Any] = {}
        for name, parameter in block.parameters.items():
            if name in step.arguments:
                value = step.arguments[name]
                if not isinstance(value, Expression) and not fits(value, parameter.type):
                    message = f"`{name}` of `{step.use}` is of type {parameter.type}, found {shown(value)}"
                    self.report.error("E203", message, here.span(name))
                arguments[name] = value
            elif parameter.default is not None:
                arguments[name] = parameter.default
            else:
                message = f"`{step.use}` needs a value for `{name}`"
                self.report.error("E305", message, here.span("use"), help=f"add `{name}: …`")
        for name in step.arguments:
            if name not in block.parameters:
                help = suggestion(name, block.parameters, what="its parameters")
                place = here.document.key_span((*here.path, name))
                self.report.error("E304", f"`{step.use}` has no parameter `{name}`", place, help=help)
        return arguments

    def enter(self, block: LinkedBlock, here: Origin) -> None:
        """Make ``block`` part of the program, once."""
        if block.id in self.entered:
            circle = " uses ".join([*self.entered[self.entered.index(block.id) :], block.id])
            self.report.error("E306", f"{circle}", here.span("use"))
        elif block.id in self.blocks:
            self.nested(self.heights[block.id], here.span("use"))
        else:
            outside, self.deepest = self.deepest, self.level
            self.entered.append(block.id)
            origin = Origin(block.document, block.path)
            for name in block.parameters:
                self.not_reserved(name, origin)
            defaults = {
                op: {**self.top.get(op, {}), **block.defaults.get(op, {})} for op in {**self.top, **block.defaults}
            }
            chain = self.chain(block.model.steps, origin.below("steps"), set(block.parameters), defaults, ())
            types = {name: p.type for name, p in block.parameters.items()}
            self.blocks[block.id] = Block(block.id, types, chain, about(block.model), origin)
            self.entered.pop()
            self.heights[block.id] = self.deepest - self.level
            self.deepest = max(outside, self.deepest)

    def nested(self, levels: int, span: Span) -> bool:
        """Whether ``levels`` more of forks and uses are allowed here; reports it if not."""
        self.deepest = max(self.deepest, self.level + levels)
        if self.level + levels <= MAX_NESTING:
            return True
        if not self.too_deep:
            self.report.error("E309", f"forks and uses are nested more than {MAX_NESTING} deep", span)
        self.too_deep = True
        return False

    def check_names(self, step: Op | Fork | Use, here: Origin, names: set[str]) -> None:
        """Every parameter that an expression reads is known."""
        values: dict[str, Any] = {"repeat": step.repeat}
        if isinstance(step, Op):
            values |= {
                name: getattr(step, name) for name in attribute_names(type(step)) if name in step.model_fields_set
            }
        elif isinstance(step, Use):
            values |= step.arguments
        for key, value in values.items():
            for found in expressions(value):
                for name, offset in found.names:
                    if name not in names and name != "in_channels":
                        span = inside(here.span(key), found.text, offset, len(name))
                        help = suggestion(name, {*names, "in_channels"}, what="known here")
                        self.report.error("E304", f"unknown parameter `{name}`", span, help=help)

    def unique(self, chain: list[Node], where: str) -> None:
        """No two steps of a chain, or branches of its unnamed forks, share a path."""
        seen: dict[tuple[str, ...], Node] = {}
        for node in chain:
            for path in starts(node):
                if path in seen and path:
                    first = (seen[path].origin.span(), "the first one")
                    message = f"two steps have the path `{'/'.join(path)}`"
                    help = "give each a `name` of its own"
                    self.report.error("E307", message, node.origin.span(), related=[first], help=help)
                seen[path] = node


def starts(node: Node) -> list[tuple[str, ...]]:
    """What the paths below a node start with: its own part, or the branches of a fork that has none."""
    if isinstance(node, ForkNode) and not node.segments:
        return [(name,) for name, _ in node.branches]
    return [node.segments]
