"""The view of the whole network: its class and its outputs."""

from __future__ import annotations

from typing import NamedTuple

from inception_dsl.backend import (
    AuxHead,
    Code,
    Expression,
    Item,
    Names,
    Prose,
    TypedChain,
    UseNode,
    call,
    class_name,
    docstring,
    headline,
    layout,
    literal,
    rows,
    signature,
)

from .blocks import ClassView, make_class
from .build import ClassBody, Line, branch_names
from .class_doc import class_doc
from .modules import Ref, Shared, sequence, simple
from .reserved import FORBIDDEN
from .size_check import size_check
from .training import TrainingView, training


class Tap(NamedTuple):
    """An output in the middle of the network, and whether it is an auxiliary head's.

    ``variable`` is what ``forward`` calls it (and the module of a head), as its own name may mean
    something else there.
    """

    name: str
    after: str
    auxiliary: bool
    variable: str


class NetworkView(NamedTuple):
    """The class of the network. ``outputs`` are the fields of its named tuple, if it has one."""

    name: Code
    doc: Code
    head: Code
    setup: tuple[Code, ...]
    smallest: tuple[Code, ...]
    features: tuple[Code, ...]
    features_doc: Code
    tapped: Code
    head_signature: Code
    head_doc: Code
    head_lines: tuple[Code, ...]
    forward: tuple[Code, ...]
    returns: Code
    tuple_name: Code
    tuple_doc: Code
    outputs: tuple[Code, ...]
    training: TrainingView


def network(shared: Shared, names: Names) -> tuple[NetworkView, tuple[Ref, ...], list[ClassView]]:
    """The view, the refs, and the classes of heads that are written in place."""
    builder = _Builder(shared, names)
    view = builder.view()
    return view, tuple(builder.body.refs), builder.classes


class _Builder:
    def __init__(self, shared: Shared, names: Names) -> None:
        self.shared, self.names = shared, names
        self.defined = shared.defined
        self.program = shared.defined.program
        chains = tuple(self.defined.sections.values())
        self.body = ClassBody(
            shared, ("num_classes", "in_channels", "aux_logits"), chains, commented=True
        )
        self.taps = []
        for head, _ in self.defined.heads:
            variable = self.body.names.unique(
                *[head.name] * (head.name not in FORBIDDEN), f"{head.name}_head"
            )
            self.taps.append(Tap(head.name, head.after, True, variable))
        local = Names(
            {
                *FORBIDDEN,
                *(tap.variable for tap in self.taps),
                *(n for c in chains for n in branch_names(c)),
            }
        )
        for name, after in self.program.outputs.items():
            self.taps.append(Tap(name, after, False, local.unique(name, f"{name}_output")))
        self.classes: list[ClassView] = []

    @property
    def auxiliary(self) -> list[Tap]:
        return [tap for tap in self.taps if tap.auxiliary]

    def view(self) -> NetworkView:
        x = "x"
        for section in ("stem", "body"):
            x = self.section(section, self.defined.sections[section], x)
        features = self.features(x)
        self.body.forward = []
        x = self.section("head", self.defined.sections["head"], "x")
        head_lines, head_signature = self.head(x)
        name = class_name(self.program.id)
        outputs = self.names.unique(f"{name}Outputs") if self.taps else ""
        returns = (
            f"Tensor | {outputs}"
            if self.auxiliary and len(self.auxiliary) == len(self.taps)
            else outputs or "Tensor"
        )
        view_of_training = training(self.defined.typed, outputs)
        return NetworkView(
            name=Code(name),
            doc=class_doc(self.defined.typed),
            head=self.signature(bool(view_of_training.init)),
            setup=self.setup(bool(view_of_training.init)),
            smallest=size_check(
                self.defined.typed, self.auxiliary[0].variable if self.auxiliary else ""
            ),
            features=tuple(features),
            features_doc=docstring(
                f"Features before the head: {self.after_body()} for the spec's input.", indent=8
            ),
            tapped=self.tapped(),
            head_signature=head_signature,
            head_doc=docstring(self.head_doc("pre_logits" in head_signature), indent=8),
            head_lines=tuple(head_lines),
            forward=tuple(Code(f"        {line}") for line in self.forward(outputs)),
            returns=Code(returns),
            tuple_name=Code(outputs),
            tuple_doc=docstring(self.tuple_doc(), indent=4),
            outputs=tuple(Code(f"    {field}") for field in self.fields()),
            training=view_of_training,
        )

    def after_body(self) -> str:
        chains = [self.defined.typed.sections[s] for s in ("stem", "body")]
        return str(next((c.y for c in reversed(chains) if c.steps), self.program.input))

    def section(self, name: str, chain: TypedChain, x: str) -> str:
        """The attributes and lines of a section."""
        whole = (
            simple(chain)
            and len(chain.steps) > 1
            and all(s.node.segments[:1] == (name,) for s in chain.steps)
        )
        if whole and name != "head":
            items, refs = sequence(self.shared, chain.steps)
            plain = tuple(Ref(r.path, r.key, r.layout) for r in refs)
            self.body.attribute(self.body.names.unique(name), rows("nn.Sequential", *items), plain)
            self.body.line("x", f"self.{name}({x})", chain.y)
            return "x"
        for step in chain.steps:
            x = self.body.step(step, x, "x", ())
            for tap in self.taps if name != "head" else ():
                if step.node.segments and step.node.segments[-1] == tap.after:
                    self.tap(tap, x)
        return x

    def tap(self, tap: Tap, x: str) -> None:
        if not tap.auxiliary:
            self.body.forward.append(Line(tap.variable, x))
            return
        head, chain = next((h, c) for h, c in self.defined.heads if h.name == tap.name)
        module, refs = self.head_module(head, chain)
        source = layout(f"self.{tap.variable} = ", module, " if aux_logits else None", indent=8)
        if "\n" in source or len(source) > 88:
            inner = layout("", module, " if aux_logits else None", indent=12)
            source = Code(f"        self.{tap.variable} = (\n{inner}\n        )")
        self.body.setup.append(source)
        self.body.refs += [Ref((tap.name, *r.path), (tap.variable, *r.key), r.layout) for r in refs]
        condition = f"self.training and self.{tap.variable} is not None"
        self.body.forward.append(
            Line(tap.variable, f"self.{tap.variable}({x}) if {condition} else None")
        )

    def head_module(self, head: AuxHead, chain: TypedChain) -> tuple[Expression, tuple[Ref, ...]]:
        """An auxiliary head as one module: the block it uses, or a class of its own."""
        steps = chain.steps
        if (
            len(steps) == 1
            and isinstance(steps[0].node, UseNode)
            and not (steps[0].repeated or steps[0].node.segments)
        ):
            lowered = self.shared.one(steps[0].runs[0].typed).single()  # type: ignore[arg-type]
            return lowered.modules[0], lowered.refs
        name = self.names.unique(class_name(head.name) + "Head")
        about = (
            head.about
            if head.about.title
            else head.about._replace(title=Prose(f"Auxiliary head {head.name}"))
        )
        doc = docstring(headline(about, head.name), indent=4)
        symbolic = self.defined.head_chains[head.name]
        types = {"num_classes": "int"}
        view, refs, used, channels = make_class(name, symbolic, types, {}, doc, self.shared)
        self.classes.append(view)
        positional = [literal(chain.x.channels)] if channels else []
        return call(name, *positional, *(Item(p, p) for p in used)), refs

    def features(self, x: str) -> list[Code]:
        """The lines from the input to the features, and to what is taken off on the way."""
        if not self.taps:
            return self.body.lines(result=x)
        lines = [
            layout(f"{n.target} = ", n.value, indent=8, note=n.note) for n in self.body.forward
        ]
        return [*lines, Code(f"        return {x}, {', '.join(t.variable for t in self.taps)}")]

    def tapped(self) -> Code:
        """The signature of the method that also returns what is taken off on the way."""
        if not self.taps:
            return Code("")
        kinds = ", ".join("Tensor | None" if t.auxiliary else "Tensor" for t in self.taps)
        return signature(
            "_forward_features", ["self", "x: Tensor"], f"tuple[Tensor, {kinds}]", indent=4
        )

    def head(self, x: str) -> tuple[list[Code], Code]:
        """The lines of ``forward_head`` and its signature."""
        steps = self.defined.sections["head"].steps
        if not steps:
            return [], Code("")
        lines = self.body.lines(result=x)
        parameters = ["self", "x: Tensor"]
        last = steps[-1].runs[-1].typed
        if getattr(getattr(last, "op", None), "op", "") == "dense" and self.body.forward:
            value = self.body.forward[-1].value
            lines[-1] = Code(f"        return x if pre_logits else {value}")
            parameters.append("pre_logits: bool = False")
        return lines, signature("forward_head", parameters, "Tensor", indent=4)

    def head_doc(self, stops: bool) -> str:
        end = "probabilities" if self.defined.typed.probabilities else "logits"
        stop = "; ``pre_logits`` stops before the last layer" if stops else ""
        return f"From features to {end}{stop}."

    def signature(self, init: bool) -> Code:
        program = self.program
        parameters = [
            "self",
            f"num_classes: int = {program.values['classes']}",
            f"in_channels: int = {program.input.channels}",
        ]
        parameters += ["aux_logits: bool = True"] if self.auxiliary else []
        parameters += ["init_weights: bool = True"] if init else []
        return signature("__init__", parameters, "None", indent=4)

    def setup(self, init: bool) -> tuple[Code, ...]:
        stored = [Code("        self.num_classes = num_classes")]
        after = (
            [Code("        if init_weights:"), Code("            self.init_weights()")]
            if init
            else []
        )
        return (Code("        super().__init__()"), *stored, *self.body.setup, *after)

    def forward(self, outputs: str) -> list[str]:
        """The lines of ``forward``."""
        has_head = bool(self.defined.sections["head"].steps)
        if not self.taps:
            inner = "self.forward_features(x)"
            return [f"return self.forward_head({inner})" if has_head else f"return {inner}"]
        lines = [f"x, {', '.join(t.variable for t in self.taps)} = self._forward_features(x)"]
        result = "self.forward_head(x)" if has_head else "x"
        fields = [t.variable for t in sorted(self.taps, key=lambda t: t.auxiliary)]
        if len(self.auxiliary) < len(self.taps):
            return [*lines, f"return {outputs}({', '.join([result, *fields])})"]
        lines.append(f"logits = {result}")
        lines.append(f"if {' or '.join(f'{t.variable} is None' for t in self.taps)}:")
        lines.append("    return logits")
        return [*lines, f"return {outputs}({', '.join(['logits', *fields])})"]

    def fields(self) -> list[str]:
        """The fields of the named tuple."""
        if not self.taps:
            return []
        always = len(self.auxiliary) == len(self.taps)
        kinds = {True: "Tensor" if always else "Tensor | None = None", False: "Tensor"}
        return [
            "logits: Tensor",
            *(
                f"{t.name}: {kinds[t.auxiliary]}"
                for t in sorted(self.taps, key=lambda t: t.auxiliary)
            ),
        ]

    def tuple_doc(self) -> str:
        if self.auxiliary and len(self.auxiliary) == len(self.taps):
            return "The outputs in training; in evaluation the logits come alone."
        return "The outputs."
