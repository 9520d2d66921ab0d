"""The function that builds the whole model: checks, sections, heads, return values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from inception_dsl.backend import (
    AXES,
    Argument,
    Chained,
    Code,
    Group,
    Head,
    Item,
    ModulePlan,
    Piece,
    Read,
    Record,
    StepSite,
    Symbol,
    UseNode,
    comment,
    literal,
    own_scope,
    raised,
    signature,
    statement,
    walk_program,
)

from .blocks import Functions
from .body import Body
from .calls import Calls, Keyword, Writer, layer
from .helpers import Helpers, written
from .inputs import Inputs, shape_arguments
from .statements import Again, Assign, Plain, Statement
from .views import CheckView, NetworkView, SectionView

CLASSIFIER = "classifier_activation"
LOCAL = (
    "input_shape",
    "include_top",
    "aux_logits",
    CLASSIFIER,
    "name",
    "inputs",
    "size",
    "below",
    "above",
    *AXES[2],
    *AXES[3],
    *AXES[1],
    "logits",
    "probabilities",
    "output",
    "x",
)


class Network:
    """The function of the whole model.

    Its statements are written first, so that all helper calls are known; then the view.
    """

    def __init__(self, plan: ModulePlan, functions: Functions) -> None:
        self.plan, self.functions = plan, functions
        self.typed, self.top = plan.printed, plan.definitions.top
        self.program = self.typed.program
        frames = [chain.frame for chain in self.top.sections.values()]
        self.inputs = Inputs(plan, shape_arguments(plan))
        reserved = functions.variables() | {*LOCAL, *self.inputs.reserved}
        self.scope = own_scope(self.top.symbols, frames[0].rows, reserved, channels=False)
        writer = Writer(self.scope, self.program.rank, functions.joined)
        self.body = Body(writer, functions.call, notes=True)
        self.body.local.inputs = self.inputs.sources
        self.saved: dict[str, str] = {}
        self.records: dict[str, Record[Calls]] = dict.fromkeys(self.top.sections, ())
        self.x = "inputs"
        self.sections: list[tuple[str, list[Statement]]] = []
        for name in [n for n in self.top.sections if n != "head"]:
            self.sections.append((name, self.section(name)))
        self.features = self.x
        main = plan.typed.output_name
        soft = main in plan.by_logits
        self.head = self.section("head", last="logits" if soft else main) if self.has_head else []
        if soft:
            self.head.append(self.activated(main, self.x, ""))
            self.x = main
        self.heads = {
            head.name: self.body.local.claim(head.name, f"{head.name}_head")
            for head, _ in self.typed.heads
        }
        self.head_records: dict[str, Record[Calls]] = {}
        self.outputs = [s for head, _ in self.typed.always for s in self.head_layers(head)]
        optional = (head for head, _ in self.typed.heads if head.auxiliary)
        self.head_statements = [s for head in optional for s in self.aux_head(head)]

    @property
    def has_head(self) -> bool:
        return bool(self.program.sections.get("head"))

    @property
    def has_features(self) -> bool:
        return self.has_head and any(statements for _, statements in self.sections)

    @property
    def statements(self) -> list[Statement]:
        parts = [part for _, part in self.sections]
        return [s for part in (*parts, self.head, self.outputs, self.head_statements) for s in part]

    def section(self, name: str, last: str = "") -> list[Statement]:
        """The statements of a section; ``last`` is the variable of its result, if not ``x``."""
        self.body.statements = []
        record: list[tuple[Piece[Calls], ...]] = []
        chained = Chained(self.top.sections[name], self.x, "x", (), self.body.local)
        for step in self.top.sections[name].steps:
            planned = chained.add(step)
            record.append(self.body.statement(planned))
            self.x = planned.target
            self.save(step)
        chained.close()
        self.records[name] = tuple(record)
        found = self.body.statements
        if last and found and isinstance(found[-1], Assign | Again) and not found[-1].depth:
            saved = found[-1].target.removeprefix(self.x)  # the variable of an output
            found[-1] = replace(found[-1], target=f"{last}{saved}")
            self.x = last
        return found

    def save(self, step: StepSite) -> None:
        """Keep the output of a step in its own variable if a head or an output needs it later."""
        segment = step.node.segments[-1] if step.node.segments else ""
        if segment not in {tap.after for tap in self.plan.taps}:
            return
        self.saved[segment] = self.body.local.claim(segment, f"{segment}_output")
        end = self.body.statements[-1] if self.body.statements else None
        if isinstance(end, Assign | Again) and not end.depth and end.target == self.x:
            self.body.statements[-1] = replace(end, target=f"{self.x} = {self.saved[segment]}")
        else:
            self.body.statements.append(Plain(f"{self.saved[segment]} = {self.x}"))

    def activated(self, target: str, source: str, prefix: str) -> Statement:
        """The layer that makes probabilities of logits, unless the model is built for logits."""
        taken = {"_".join(path) for path, _ in walk_program(self.typed)} | {*self.plan.inputs}
        name = f"{prefix}probabilities"
        while name in taken:
            name += "_"
        activation = Keyword("activation", Code(CLASSIFIER), positional=True)
        return Assign(target, layer("Activation", activation), source, name)

    def aux_head(self, head: Head) -> list[Statement]:
        """The statements of an auxiliary head, and of its softmax if the model applies it."""
        found = self.head_layers(head)
        if head.name in self.plan.by_logits:
            target = self.heads[head.name]
            found.append(self.activated(target, target, f"{head.name}_"))
        return found

    def head_layers(self, head: Head) -> list[Statement]:
        """The layers of a head: a call of its block, or of its own function."""
        self.body.statements, self.body.notes = [], False
        source, target = self.saved[head.after], self.heads[head.name]
        steps = self.top.heads[head.name].steps
        if len(steps) == 1 and not steps[0].repeated and isinstance(steps[0].node, UseNode):
            planned = statement(steps[0], source, target, (head.name,), self.body.local)
            self.head_records[head.name] = (self.body.statement(planned),)
            return self.body.statements
        symbols, chain = self.plan.definitions.own_head(head.name)
        function = self.functions.head(head, symbols, chain)
        values = [self.given(argument, symbols) for argument in function.arguments]
        self.body.assign(target, function.call(values), source, head.name)
        self.head_records[head.name] = function.record
        return self.body.statements

    def given(self, argument: Argument, symbols: Mapping[str, Symbol]) -> Code:
        """The value for an argument of a head: the network's parameter of the same name."""
        name = next(key for key, symbol in symbols.items() if symbol is argument.symbol)
        return Read(self.scope.read(self.top.symbols[name], argument.form))

    def view(self, helpers: Helpers) -> NetworkView:
        """The view; call it when all helpers of the file are known."""
        sections = [
            SectionView(self.title(name), written(found, helpers))
            for name, found in self.sections
            if found
        ]
        outputs = {self.plan.typed.output_name: self.x}
        outputs |= {head.name: self.heads[head.name] for head, _ in self.typed.always}
        titles = self.title("head"), (comment("Outputs"),)
        auxiliary = {name: self.heads[name] for name in self.heads if name in self.typed.auxiliary}
        return NetworkView(
            signature=self.signature(),
            docstring=self.documentation(),
            checks=self.checks(),
            size_checks=self.inputs.size_checks(features=self.has_features),
            inputs=self.inputs.made(),
            channels=self.inputs.channels(self.scope),
            features=tuple(sections),
            without_top=(self.result({self.features_name: self.features}, indent=8, top=False),)
            if self.has_features
            else (),
            head=tuple(
                SectionView(title, written(found, helpers))
                for title, found in zip(titles, (self.head, self.outputs), strict=True)
                if found
            ),
            without_heads=(self.result(outputs, indent=8),) if auxiliary else (),
            heads=written(self.head_statements, helpers),
            result=self.result({**outputs, **auxiliary}),
        )

    def title(self, section: str) -> tuple[Code, ...]:
        return () if self.program.kind == "block" else (comment(section.capitalize()),)

    @property
    def features_name(self) -> str:
        """The name of the features in a model without its head: an output may be called so."""
        steps = [s for n in self.top.sections if n != "head" for s in self.top.sections[n].steps]
        after = self.program.outputs.get("features")
        if after is None or steps[-1].node.segments[-1:] == (after,):
            return "features"
        name = "before_head"
        while name in self.program.outputs:
            name += "_"
        return name

    @property
    def outputs_below(self) -> dict[str, str]:
        """The outputs of steps that are not in the head, with these steps."""
        head = self.program.sections.get("head", ())
        own = {node.segments[-1] for node in head if node.segments}
        return {n: after for n, after in self.program.outputs.items() if after not in own}

    def result(self, outputs: dict[str, str], indent: int = 4, *, top: bool = True) -> Code:
        """``return keras.Model(inputs, outputs, name=name)``; several outputs by name.

        Without ``top`` there are no outputs of the head.
        """
        wanted = self.program.outputs if top else self.outputs_below
        extra = {name: self.saved[after] for name, after in wanted.items()}
        found = {**outputs, **extra}
        pairs = tuple(Item(f"{literal(name)}: {variable}") for name, variable in found.items())
        value = Group("{", pairs, "}") if len(pairs) > 1 else next(iter(found.values()))
        return self.inputs.model(value, indent)

    def checks(self) -> tuple[CheckView, ...]:
        """The tests for arguments that no model can have."""
        tests = self.inputs.checks()
        if self.has_features and self.typed.auxiliary:
            advice = "aux_logits needs include_top; layers of the full model give features"
            tests.append(CheckView(Code("aux_logits and not include_top"), raised(advice, 8)))
        return tuple(tests)

    def signature(self) -> Code:
        """The signature of the function."""
        parameters = self.inputs.parameters
        parameters += [
            f"{a.name}: {a.kind} = {a.form.write(a.values[0])}" for a in self.scope.signature()
        ]
        parameters += ["include_top: bool = True"] if self.has_features else []
        parameters += ["aux_logits: bool = False"] if self.typed.auxiliary else []
        parameters += [f'{CLASSIFIER}: str | None = "softmax"'] if self.plan.by_logits else []
        parameters.append(f"name: str = {literal(self.program.id)}")
        return signature(self.program.id, parameters, "keras.Model")

    def documentation(self) -> Code:
        """The docstring of the function."""
        arguments = self.inputs.documented
        classes = self.top.symbols.get("classes")
        for argument in self.scope.signature():
            what = self.plan.parameter_doc(argument.symbol)
            what = "Number of classes." if argument.symbol is classes else what
            arguments.append(f"{argument.name}: {what}")
        if self.has_features:
            arguments.append(
                "include_top: Whether to include the head; without it the model returns features."
            )
        if self.typed.auxiliary:
            arguments.append(
                "aux_logits: Whether to build the auxiliary heads; the model then returns a dict.\n"
                "        They run in inference too, so the default differs from PyTorch's, True."
            )
        if self.plan.by_logits:
            arguments.append(
                f"{CLASSIFIER}: Activation of the outputs that classify; None for their\n"
                "        logits, by which the model is trained (see ``cross_entropy``)."
            )
        arguments.append("name: Name of the model.")
        return self.plan.network_doc(arguments, self.inputs.note)
