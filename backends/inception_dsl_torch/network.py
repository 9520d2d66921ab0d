"""Writes the network's class and its named tuple of outputs."""

from __future__ import annotations

from functools import cached_property

from inception_dsl.backend import (
    PLAIN,
    Argument,
    Chained,
    ChainSite,
    Code,
    Expression,
    Item,
    Names,
    Piece,
    Record,
    Records,
    Slot,
    Symbol,
    UseSite,
    assigned,
    call,
    class_name,
    docstring,
    layout,
    rows,
    signature,
)

from .blocks import Draft, head_class, top_scope
from .build import ClassBody
from .classifier import ClassifierView, classifier
from .forward_head import head_view
from .fresh import is_fresh
from .inputs import inputs_of
from .lines import Attribute, Line, returned, written
from .modules import Shared, sequence
from .network_view import NetworkView
from .places import Held, Key, Place, module_names, references
from .results import Results, TupleView, Variable
from .size_check import features_check, head_check, size_check
from .taps import Taps
from .training import training


class Network:
    """The class of the network under construction.

    ``classes`` are the classes of inline heads. ``records`` are the records of the sections,
    ``head_records`` those of the heads, ``head_keys`` the key prefixes of the heads.
    """

    def __init__(self, shared: Shared, names: Names) -> None:
        self.shared, self.names, self.plan = shared, names, shared.plan
        self.top, self.typed = shared.plan.definitions.top, shared.plan.printed
        self.program = self.typed.program
        chains = tuple(self.top.sections.values())
        scope = top_scope(shared.plan.definitions, ("aux_logits", "init_weights"))
        self.tapped = {tap.after for tap in self.plan.taps}
        self.body = ClassBody(shared, scope, chains, commented=True)
        self.body.saved["num_classes"] = self.body.names.take("num_classes")
        self.inputs = inputs_of(self.plan, self.body, scope)
        self.taps = Taps(self.plan, self.body.local, self.body.names)
        self.classes: list[Draft] = []
        self.records: dict[str, Record[Place]] = {}
        self.head_records: dict[str, Record[Place]] = {}
        self.head_keys: dict[str, Key] = {}
        x = "x"
        for section in ("stem", "body"):
            x = self.section(section, self.top.sections[section], x)
        self.after_body = x
        self.to_features, self.body.forward = self.body.forward, []
        self.result = self.section("head", self.top.sections["head"], "x")
        self.body.setup += [Attribute(t.attribute, self.head_module(t)) for t in self.taps.called]
        self.inputs = self.inputs.reading(self.top.channels, self.body.scope)
        several = bool(self.taps.all or self.plan.by_logits)
        shared.helpers.needs("Tensor", *["NamedTuple"] * several)
        shared.helpers.arguments(self.parameters)
        name = class_name(self.program.id)
        self.outputs = names.unique(f"{name}Outputs") if self.taps.further else ""
        more = bool(self.taps.auxiliary or self.plan.by_logits)
        kind = "TrainingOutputs" if self.taps.further else "Outputs"
        self.trained = names.unique(f"{name}{kind}") if more else self.outputs
        start = self.plan.start
        single = start and any(group.paths for group in (*start.kernels, *start.biases))
        self.training = training(self.plan, self.results(), self.modules if single else {})
        self.size_check = size_check(self.plan, self.inputs.variables)
        shared.helpers.needs(*self.training.needs, *["torch"] * bool(self.size_check))
        self.skips = bool(self.training.init and self.plan.start and self.plan.start.complete)
        if self.skips:
            shared.helpers.skip_init()

    @cached_property
    def modules(self) -> dict[str, str]:
        """The names of the modules with weights by path."""
        records = Records(self.records, self.head_records, self.shared.records())
        return module_names(references(self.typed, records, self.head_keys))

    def classifier(self) -> ClassifierView | None:
        """The methods that get and replace the last layer."""
        if not self.reads_classes:
            return None
        heads = {tap.tap.name: tap.attribute for tap in self.taps.all if tap.attribute}
        return classifier(self.typed, self.modules, heads)

    @property
    def reads_classes(self) -> bool:
        """Whether anything depends on the number of classes."""
        return self.top.symbols.get("classes") in self.body.scope.reads

    @property
    def parameters(self) -> list[Argument]:
        """The parameters of the network that are read, besides ``classes`` and channels."""
        usual = (self.top.symbols.get("classes"), *self.top.channels.values())
        found = self.body.scope.signature()
        return [a for a in found if a.symbol not in usual or a.form is not PLAIN]

    def view(self) -> NetworkView:
        """The view; call it when all helpers of the file are known."""
        name, own = class_name(self.program.id), self.outputs or "Tensor"
        returns = f"{own} | {self.trained}" if self.trained not in ("", own) else own
        init = bool(self.training.init)
        first = self.taps.auxiliary[0].attribute if self.taps.auxiliary else ""
        return NetworkView(
            name=Code(name),
            doc=self.plan.network_doc(self.documented(init)),
            head=self.signature(init),
            setup=self.setup(init),
            size_check=self.size_check,
            check=features_check(self.plan, self.inputs.variables.values(), first),
            features_head=self.method("forward_features", "Tensor"),
            features=tuple(self.features(self.after_body)),
            features_doc=docstring(
                f"Features before the head: {self.features_shape()} for the spec's "
                f"input{'s' * self.inputs.several}.",
                indent=8,
            ),
            tapped=self.tapped_signature(),
            features_call=layout("return ", self.only_features, "[0]", indent=8),
            top=head_view(self.typed, self.body.forward, self.result, self.taps.late),
            forward_head=self.method("forward", returns),
            forward_doc=self.inputs.doc(),
            forward=tuple(self.forward()),
            tuples=self.tuples(),
            training=self.training,
            classifier=self.classifier(),
        )

    def method(self, name: str, returns: str, *more: str) -> Code:
        """The signature of a method that takes the inputs."""
        return signature(name, [*self.inputs.parameters, *more], returns, indent=4)

    @property
    def only_features(self) -> Expression:
        """The call of the method that also returns the taps, without auxiliary heads."""
        heads = (Item(Code("False"), "heads"),) * bool(self.taps.auxiliary)
        return call("self._forward_features", *self.inputs.variables.values(), *heads)

    def documented(self, init: bool) -> list[str]:
        """The lines of the docstring's ``Args``."""
        lines = ["num_classes: Number of classes."] * self.reads_classes
        lines += self.inputs.documented
        lines += [f"{a.name}: {self.plan.parameter_doc(a.symbol)}" for a in self.parameters]
        if self.taps.auxiliary:
            lines.append(
                "aux_logits: Whether to build the auxiliary heads, which run in training only."
                "\n        In the Keras file they run in inference too, and are off by default."
            )
        if init:
            lines.append(
                "init_weights: Whether to call ``init_weights()``. In Keras, it is a function."
            )
        return lines

    def features_shape(self) -> str:
        """The shape of the features (before the head), for the spec's input."""
        chains = [self.typed.sections[s] for s in ("stem", "body")]
        return str(next((c.y for c in reversed(chains) if c.steps), self.program.input))

    def section(self, name: str, chain: ChainSite, x: str) -> str:
        """Write the attributes and lines of a section; returns the variable of its result."""
        own = all(s.node.segments[:-1] == (name,) for s in chain.steps)
        if chain.simple and len(chain.steps) > 1 and own and name != "head":
            items, found = sequence(self.shared, self.body.scope, chain.steps, notes=True)
            held = Held(self.body.names.unique(name), True)
            self.records[name] = tuple(made.record(held) for made in found)
            self.body.store(held.name, rows("nn.Sequential", *items))
            self.body.line("x", call(f"self.{held.name}", x), chain.typed[0].y)
            return "x"
        record, fresh = [], False
        chained = Chained(chain, x, "x", (), self.body.local)
        for step in chain.steps:
            planned = chained.add(step)
            record.append(self.body.statement(planned, fresh=fresh))
            x = self.body.read(planned.target)
            tapped = not self.tapped.isdisjoint(step.node.segments[-1:])
            fresh = is_fresh(step) and not planned.kept and not tapped
            for tap in self.taps.late if name == "head" else self.taps.early:
                if step.node.segments and step.node.segments[-1] == tap.tap.after:
                    self.tap(tap, x)
        chained.close()
        self.records[name] = tuple(record)
        return x

    def tap(self, tap: Variable, x: str) -> None:
        """Write the lines of what is given on the way: an output, or an auxiliary head."""
        if not tap.auxiliary:
            self.body.forward.append(Line(tap.variable, x))
            return
        module = self.head_module(tap)
        self.body.setup.append(Attribute(tap.attribute, module, " if aux_logits else None"))
        condition = f"heads and self.{tap.attribute} is not None"
        value = f"self.{tap.attribute}({x}) if {condition} else None"
        self.body.forward.append(Line(tap.variable, value))

    def head_module(self, tap: Variable) -> Expression:
        """A head as one module: the block that it uses, or its own class."""
        chain, scope = self.top.heads[tap.tap.name], self.body.scope
        only = chain.steps[0] if len(chain.steps) == 1 else None
        if only and not (only.repeated or only.node.segments) and isinstance(only.site, UseSite):
            lowered = self.shared.one(only.site, scope)
            place = Place(Held(tap.attribute, False), 1, lowered.layer)
            self.head_records[tap.tap.name] = ((Piece(0, place),),)
            self.head_keys[tap.tap.name] = ()
            return lowered.single()
        name = self.names.unique(class_name(tap.tap.name) + "Head")
        assert tap.tap.head is not None
        draft = head_class(name, tap.tap.head, self.shared)
        self.classes.append(draft)
        self.head_records[tap.tap.name] = draft.record
        self.head_keys[tap.tap.name] = (tap.attribute,)
        channels = Slot(chain.frame, (chain.typed[0].x.channels,), chain.x, "in_channels")
        names: dict[Symbol | None, str] = {s: key for key, s in draft.symbols.items()}
        positional, keywords = [], {}
        for argument in draft.arguments:
            if argument.symbol is draft.symbols["in_channels"]:
                positional.append(scope.text(channels))
            else:
                own = self.top.symbols[names[argument.symbol]]
                keywords[argument.name] = scope.read(own, argument.form)
        return call(name, *positional, **keywords)

    def features(self, x: str) -> list[Code]:
        """The lines from the input to the features and the taps (intermediate outputs)."""
        if not self.taps.early:
            return written(self.to_features, result=x)
        lines = [line.text(8) for line in self.to_features]
        return [*lines, returned([x, *(tap.variable for tap in self.taps.early)])]

    def tapped_signature(self) -> Code:
        """The signature of the method that also returns the taps; empty without taps."""
        if not self.taps.early:
            return Code("")
        kinds = ", ".join("Tensor | None" if t.auxiliary else "Tensor" for t in self.taps.early)
        heads = ["heads: bool"] * bool(self.taps.auxiliary)
        return self.method("_forward_features", f"tuple[Tensor, {kinds}]", *heads)

    def signature(self, init: bool) -> Code:
        """The signature of ``__init__``."""
        program = self.program
        classes = [f"num_classes: int = {program.values['classes']}"] * self.reads_classes
        parameters = ["self", *classes, *self.inputs.in_init]
        parameters += [f"{a.name}: {a.kind} = {a.form.write(a.values[0])}" for a in self.parameters]
        parameters += ["aux_logits: bool = True"] if self.taps.auxiliary else []
        parameters += ["init_weights: bool = True"] if init else []
        return signature("__init__", parameters, "None", indent=4)

    def setup(self, init: bool) -> tuple[Code, ...]:
        """The lines of ``__init__``."""
        if not self.reads_classes:
            self.body.saved.pop("num_classes", None)
        calls = ["        if init_weights:", "            self.init_weights()"] if init else []
        within = "SkipInit() if init_weights else nullcontext()" if self.skips else ""
        last = self.classifier()
        features = [f"        self.num_features = {last.attribute}.in_features"] if last else []
        lines = ["        super().__init__()", *self.body.init(within), *features, *calls]
        return tuple(Code(line) for line in lines)

    def results(self) -> Results:
        """The outputs of the network and their variables."""
        main = self.plan.typed.output_name
        soft = self.plan.by_logits
        heads = [(t.tap.name, t.variable) for t in self.taps.auxiliary]
        return Results(main, self.taps.further, heads, soft, self.outputs, self.trained)

    def forward(self) -> list[Code]:
        """The lines of ``forward``."""
        has_head = bool(self.typed.sections["head"].steps)
        found, lines = self.results(), head_check(self.plan, self.inputs.variables.values())
        late = {tap.variable for tap in self.taps.late}
        first, after = (
            [
                layout(f"{t.variable} = ", call(f"self.{t.attribute}", t.source), indent=8)
                for t in taps
            ]
            for taps in (
                [t for t in self.taps.called if t.source not in late],
                [t for t in self.taps.called if t.source in late],
            )
        )
        features = call("self.forward_features", *self.inputs.variables.values())
        inner = "x" if self.taps.early or first else features
        if self.taps.early:
            heads = (Item(Code("self.training"), "heads"),) * bool(self.taps.auxiliary)
            computed = call("self._forward_features", *self.inputs.variables.values(), *heads)
            taken = ("x", *(t.variable for t in self.taps.early))
            lines.append(assigned(taken, computed, indent=8))
        elif first:
            lines.append(layout("x = ", features, indent=8))
        lines += first
        if self.taps.late:
            taken = ("x", *(t.variable for t in self.taps.late))
            lines.append(assigned(taken, call("self._forward_head", inner), indent=8))
            return [*lines, *after, *found.lines("x")]
        return [*lines, *found.lines(call("self.forward_head", inner) if has_head else inner)]

    def tuples(self) -> tuple[TupleView, ...]:
        """The named tuples that the network returns: in evaluation it has no auxiliary heads."""
        return self.results().tuples()
