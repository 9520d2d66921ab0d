"""Turns a linked spec into a program.

Fills in defaults, checks every use against its block, and gives every step a path. Only blocks
that are used become part of the program.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, Final

from ..diagnostics.report import Report
from ..diagnostics.words import nearest, suggestion
from ..ir.program import Chain, Head, Origin, OutputLoss, Program
from ..language.inputs import has_names
from ..language.link import Linked, given_defaults
from ..language.load import Spec
from ..language.models import AuxHead, BlockFile, NetworkFile, Output
from ..language.parameters import Parameter, typed_as
from ..types.expression import Expression
from ..types.width import Width
from ..yaml.edits import Editor
from .inputs import entry
from .preprocessing import preprocessing
from .recipe import training
from .records import about, checkpoints, input_types
from .step_names import RESERVED, report_gone, starts
from .steps import Steps

_CHAINS: Final = (("stem",), ("body",))


def expand(spec: Spec, linked: Linked, report: Report, *, alone: bool = True) -> Program:
    """The program of ``spec``. A step with an error becomes a broken node, or is left out.

    With ``alone``, a block without an input, or a value for each parameter, is an error.
    """
    return _Expander(spec, linked, report, alone or isinstance(spec.model, NetworkFile)).program()


class _Expander:
    def __init__(self, spec: Spec, linked: Linked, report: Report, alone: bool) -> None:
        self.spec, self.linked, self.report, self.alone = spec, linked, report, alone
        self.steps = Steps(linked, given_defaults(spec.model), spec.root, report)

    def program(self) -> Program:
        model = self.spec.model
        origin = Origin(self.spec.document, ())
        values = self.values(model.params, origin)
        self.steps.network.types = {name: p.type for name, p in model.params.items()}
        if isinstance(model, NetworkFile):
            self.steps.network.types["classes"] = "int"
        sections = self.sections(model, origin, values)
        self.steps.unique([n for c in sections.values() for n in c])
        network = model if isinstance(model, NetworkFile) else None
        outputs = network.outputs if network else {}
        width = Width(model.width, model.divisor, model.minimum or model.divisor)
        return Program(
            kind="network" if network else "block",
            id=model.network if isinstance(model, NetworkFile) else model.block,
            about=about(model, origin.document.original),
            inputs=input_types(model.input or {}),
            values=values,
            sections=sections,
            heads=self.heads(network, origin, sections) if network else (),
            outputs={name: o.after for name, o in outputs.items() if not o.steps},
            training=training(network, origin, self.report),
            preprocessing=preprocessing(network, origin, self.report),
            blocks=self.steps.blocks,
            origin=origin,
            checkpoints=checkpoints(network, origin, self.linked, self.report),
            width=width,
            losses=_losses(outputs, origin),
        )

    def sections(
        self, model: NetworkFile | BlockFile, origin: Origin, values: dict[str, Any]
    ) -> dict[str, Chain]:
        """The chains at the top level; adds ``classes`` to ``values``."""
        if isinstance(model, BlockFile):
            if self.alone and model.input is None and not origin.document.lost("input"):
                help = "add `input: {channels: …, height: …, width: …}`, or pass `--input`"
                message = f"the block `{model.block}` has no `input`, so it cannot be built alone"
                self.report.error("E404", message, origin.span("block"), help=help)
            names = {*model.params, *RESERVED}
            steps = self.steps.top_chain(model.steps, origin.below("steps"), names)
            return {"steps": steps}
        if "classes" in values:
            span = origin.document.key_span(("params", "classes"))
            message = "`classes` cannot be a parameter: a network has a field `classes`"
            self.report.error("E206", message, span)
        values["classes"] = model.classes
        names = {*model.params, "classes"}
        self.steps.entry = entry(model, origin, self.report)
        self.steps.outputs = frozenset(output.after for output in model.outputs.values())
        own = names if has_names(model.input) else {*names, *RESERVED}
        sections = {
            name: self.steps.top_chain(getattr(model, name), origin.below(name), own, (name,))
            for name in ("stem", "body", "head")
        }
        if not any(sections.values()):
            help = "add `body: […]`"
            self.report.error("E202", "the network has no steps", origin.span(), help=help)
        return sections

    def values(self, parameters: Mapping[str, Parameter], origin: Origin) -> dict[str, Any]:
        """The values of the top-level parameters; reports parameters without one."""
        values: dict[str, Any] = {}
        for name, parameter in parameters.items():
            self.steps.not_reserved(name, origin)
            if isinstance(parameter.default, Expression):
                if self.alone:
                    self.unknown(name, parameter.default, origin)
            elif parameter.default is not None:
                values[name] = typed_as(parameter.default, parameter.type)
            elif self.alone and not origin.document.lost("params", name, "default"):
                help = f"add a default, or pass `--set {name}=…`"
                self.report.error(
                    "E305",
                    f"the parameter `{name}` has no value",
                    origin.span("params", name),
                    help=help,
                )
        return values

    def unknown(self, name: str, default: Expression, origin: Origin) -> None:
        """Report a default that is a parameter of a network, where there is none around it."""
        message = f"the parameter `{name}` has no value: there is no network around it"
        if isinstance(self.spec.model, NetworkFile):
            message = f"`{name}` is a parameter of the network, so its default must be a value"
        help = f"write a value instead of `{default.text}`, or pass `--set {name}=…`"
        self.report.error("E305", message, origin.span("params", name, "default"), help=help)

    def heads(
        self, model: NetworkFile, origin: Origin, sections: Mapping[str, Chain]
    ) -> tuple[Head, ...]:
        """The auxiliary heads, then the outputs with steps of their own; checks all outputs."""
        known, every = self.known_steps(sections), self.known_steps(sections, "head")
        taken = {path[0] for c in sections.values() for n in c for path in starts(n) if path}
        heads = []
        for name, head in model.aux_heads.items():
            if self.report.crowded(self.steps.before):
                break
            here = origin.below("aux_heads", name)
            self.after(head.after, here.below("after"), known, sections["head"])
            self.free(name, here, {*taken, *model.outputs})
            heads.append(self.head(model, name, head, here)._replace(loss_weight=head.loss_weight))
        for name, output in model.outputs.items():
            if self.report.crowded(self.steps.before):
                break
            here = origin.below("outputs", name)
            self.after(output.after, here.below("after"), every)
            self.free(name, here, taken if output.steps else ())
            if output.loss is None and output.loss_weight is not None:
                message = "`loss_weight` needs a `loss`"
                help = "add `loss: cross_entropy`, `binary_cross_entropy` or `mean_squared_error`"
                self.report.error("E203", message, here.span("loss_weight"), help=help)
            if output.steps:
                heads.append(self.head(model, name, output, here)._replace(auxiliary=False))
        return tuple(heads)

    def head(self, model: NetworkFile, name: str, head: AuxHead | Output, here: Origin) -> Head:
        """An auxiliary head, or an output with steps of its own."""
        names = {*model.params, *RESERVED, "classes"}
        chain = self.steps.top_chain(head.steps, here.below("steps"), names)
        return Head(name, head.after, 0.0, chain, about(head), here)

    def free(self, name: str, here: Origin, taken: Container[str]) -> None:
        """Report an output whose name is that of another step or output."""
        message = f"the name `{name}` is already used by another step or output"
        if here.path[0] == "outputs" and name == "logits":
            message = "the name `logits` is reserved for the final output of the network"
        if name in taken or name == "logits":
            self.report.error("E307", message, here.document.key_span(here.path))

    def known_steps(self, sections: Mapping[str, Chain], *more: str) -> dict[str, None]:
        """The names of the steps in stem and body, and in ``more`` sections."""
        names = [n.segments[-1] for s in ("stem", "body", *more) for n in sections[s] if n.segments]
        return {name: None for name in names if not name.isdecimal()}

    def after(
        self, wanted: str, origin: Origin, known: Mapping[str, None], head: Chain = ()
    ) -> None:
        """Report an unknown step, unless an error elsewhere may hide it.

        ``head`` are the steps of the head, if none of them can be meant.
        """
        if wanted in known or any(p[-1] == "name" or p in _CHAINS for p in origin.document.dropped):
            return None
        sections = ("stem", "body") if head else ("stem", "body", "head")
        removed = origin.document.cause(*((section, wanted) for section in sections))
        if removed is not None:
            return report_gone(wanted, origin, removed, self.report)
        where = " and ".join(sections[-2:]) if head else "the network"
        has = "have" if head else "has"
        message, span = f"unknown step `{wanted}`: {where} {has} no such step", origin.span()
        if wanted in [node.segments[-1] for node in head if node.segments]:
            message = f"`{wanted}` is a step of the head: auxiliary heads begin in stem or body"
        if not self.report.helping:
            return self.report.error("E308", message, span)
        help, best = (
            suggestion(wanted, known, what=f"steps in {where}"),
            nearest(wanted, known),
        )
        fix = Editor(origin.document, self.report.texts).replace(origin.path, best) if best else ()
        return self.report.error("E308", message, span, help=help, fix=fix)


def _losses(outputs: Mapping[str, Output], origin: Origin) -> dict[str, OutputLoss]:
    """The losses of the outputs that have one."""
    found = {}
    for name, output in outputs.items():
        if output.loss is not None:
            weight = 1.0 if output.loss_weight is None else output.loss_weight
            found[name] = OutputLoss(output.loss, weight, origin.below("outputs", name))
    return found
