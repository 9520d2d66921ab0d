"""The function that builds the whole model: checks, sections, heads, what it returns."""

from __future__ import annotations

from dataclasses import replace

from inception_dsl.backend import (
    Code,
    Defined,
    Group,
    Item,
    Symbolic,
    TypedChain,
    TypedStep,
    TypedUse,
    call,
    comment,
    cost,
    docstring,
    headline,
    layers,
    literal,
    minimum_input,
    signature,
)

from .blocks import Functions
from .body import Assign, Body, Plain, Statement
from .helpers import Helpers, written
from .source import broken
from .views import LimitView, NetworkView, SectionView

LOCAL = (
    "input_shape",
    "include_top",
    "aux_logits",
    "name",
    "inputs",
    "smallest",
    "size",
    "least",
    "logits",
    "x",
)


class Network:
    """Writes the statements of the top first, so that the helpers are known; then the view."""

    def __init__(self, defined: Defined, functions: Functions, reserved: set[str]) -> None:
        self.defined, self.functions = defined, functions
        self.program = defined.program
        self.least = minimum_input(defined.typed)
        taken = {*reserved, *LOCAL, *defined.parameters}
        self.body = Body(functions.call, taken, notes=True)
        self.saved: dict[str, str] = {}
        self.x = "inputs"
        self.sections: list[tuple[str, list[Statement]]] = []
        for name in [n for n in defined.sections if n != "head"]:
            self.sections.append((name, self.section(defined.sections[name])))
        self.features = self.x
        self.head = self.section(defined.sections["head"], last="logits") if self.has_head else []
        self.heads = {
            head.name: self.body.claim(head.name, f"{head.name}_logits")
            for head, _ in defined.heads
        }
        self.head_statements = [
            s for head, chain in defined.heads for s in self.aux_head(head.name, chain)
        ]

    @property
    def has_head(self) -> bool:
        return bool(self.program.sections.get("head"))

    @property
    def has_features(self) -> bool:
        return self.has_head and any(statements for _, statements in self.sections)

    @property
    def statements(self) -> list[Statement]:
        return [s for _, part in self.sections for s in part] + self.head + self.head_statements

    def section(self, chain: TypedChain, last: str = "") -> list[Statement]:
        """The statements of a section; ``last`` is what its end is called."""
        self.body.statements = []
        for step in chain.steps:
            self.x = self.body.step(step, self.x, "x", ())
            self.save(step)
        found = self.body.statements
        if last and found and isinstance(found[-1], Assign) and not found[-1].depth:
            found[-1] = replace(found[-1], target=last)
            self.x = last
        return found

    def save(self, step: TypedStep) -> None:
        """Give a step's output its own variable where a head or an output needs it later."""
        wanted = {head.after for head, _ in self.defined.heads} | set(self.program.outputs.values())
        segment = step.node.segments[-1] if step.node.segments else ""
        if segment not in wanted:
            return
        self.saved[segment] = self.body.claim(segment, f"{segment}_output")
        end = self.body.statements[-1] if self.body.statements else None
        if isinstance(end, Assign) and not end.depth and end.target == self.x:
            self.body.statements[-1] = replace(end, target=f"{self.x} = {self.saved[segment]}")
        else:
            self.body.statements.append(Plain(f"{self.saved[segment]} = {self.x}"))

    def aux_head(self, name: str, chain: TypedChain) -> list[Statement]:
        """The statements of an auxiliary head.

        One call of its block, or of a function of its own.
        """
        head = next(h for h, _ in self.defined.heads if h.name == name)
        self.body.statements, self.body.notes = [], False
        source, target = self.saved[head.after], self.heads[name]
        only = chain.steps[0] if len(chain.steps) == 1 else None
        if only and not only.repeated and isinstance(only.runs[0].typed, TypedUse):
            self.body.step(only, source, target, (name,))
            return self.body.statements
        typed = next(c for h, c in self.defined.typed.heads if h.name == name)
        function = self.functions.head(
            name, head.about, self.defined.head_chains[name], f"{typed.x} -> {typed.y}"
        )
        values = {own: Symbolic.name(own) for own in self.defined.parameters}
        self.body.assign(target, function.call(values), source, name, 0)
        return self.body.statements

    def view(self, helpers: Helpers) -> NetworkView:
        sections = [
            SectionView(self.title(name), written(found, helpers))
            for name, found in self.sections
            if found
        ]
        reads = "in_channels" in self.reads()
        outputs = {self.program.output_name: self.x}
        return NetworkView(
            signature=self.signature(),
            docstring=self.documentation(),
            limits=self.limits(),
            channels=(Code("    in_channels = input_shape[-1]"),) if reads else (),
            features=tuple(sections),
            without_top=(self.result({"features": self.features}, indent=8),)
            if self.has_features
            else (),
            head=(SectionView(self.title("head"), written(self.head, helpers)),)
            if self.head
            else (),
            without_heads=(self.result(outputs, indent=8),) if self.heads else (),
            heads=written(self.head_statements, helpers),
            result=self.result({**outputs, **self.heads}),
        )

    def reads(self) -> set[str]:
        return {word for s in self.statements if isinstance(s, Assign) for word in s.reads}

    def title(self, section: str) -> tuple[Code, ...]:
        return () if self.program.kind == "block" else (comment(section.capitalize()),)

    def result(self, outputs: dict[str, str], indent: int = 4) -> Code:
        """``return keras.Model(inputs, outputs, name=name)``; several outputs by name."""
        extra = {name: self.saved[after] for name, after in self.program.outputs.items()}
        found = extra if extra.keys() & outputs.keys() else {**outputs, **extra}
        pairs = tuple(Item(f"{literal(name)}: {variable}") for name, variable in found.items())
        value = Group("{", pairs, "}") if len(pairs) > 1 else next(iter(found.values()))
        return broken(
            "return ", call("keras.Model", "inputs", value, Item("name", "name")), "", indent, ""
        )

    def limits(self) -> tuple[LimitView, ...]:
        """The smallest input and the test that a shape is below it.

        Nothing where any size will do.
        """
        sizes = [self.least]
        if self.heads:
            sizes.append(minimum_input(self.defined.typed, heads=True))
        if max(max(size) for size in sizes) == 1:
            return ()
        if all(len(set(size)) == 1 for size in sizes):
            texts = [literal(size[0]) for size in sizes]
            test = "size is not None and size < smallest for size in input_shape[:-1]"
        else:
            texts = [literal(size) for size in sizes]
            pairs = "for size, least in zip(input_shape, smallest, strict=False)"
            test = f"\n        size is not None and size < least\n        {pairs}\n    "
        value = texts[0] if len(set(texts)) == 1 else f"{texts[1]} if aux_logits else {texts[0]}"
        return (LimitView(Code(value), Code(test)),)

    def used(self) -> dict[str, object]:
        """The parameters that some statement reads."""
        return {
            name: value for name, value in self.defined.parameters.items() if name in self.reads()
        }

    def signature(self) -> Code:
        shape = self.program.input.shape
        kind = f"tuple[{', '.join(['int | None'] * len(self.program.input.spatial))}, int]"
        parameters = [f"input_shape: {kind} = {literal(shape)}"]
        parameters += [f"{k}: {type(v).__name__} = {literal(v)}" for k, v in self.used().items()]
        parameters += ["include_top: bool = True"] if self.has_features else []
        parameters += ["aux_logits: bool = False"] if self.heads else []
        parameters.append(f"name: str = {literal(self.program.id)}")
        return signature(self.program.id, parameters, "keras.Model")

    def documentation(self) -> Code:
        arguments = ["input_shape: Spatial sizes, then channels; None for a size that may vary."]
        known = {"num_classes": "Number of classes."}
        arguments += [
            f"{name}: {known.get(name, 'Parameter of the block.')}" for name in self.used()
        ]
        if self.has_features:
            arguments.append(
                "include_top: Whether to end with the classifier or with the features before it."
            )
        if self.heads:
            arguments.append(
                "aux_logits: Whether to build the auxiliary heads too; outputs are then a dict."
            )
        arguments.append("name: Name of the model.")
        lines = "\n".join(["Args:", *(f"    {a}" for a in arguments)])
        return docstring(
            headline(self.program.about, self.program.id), self.counts(), lines, indent=4
        )

    def counts(self) -> str:
        found = list(layers(self.defined.typed))
        total = cost([layer for layer in found if not layer.auxiliary])
        auxiliary = sum(layer.parameters for layer in found if layer.auxiliary)
        more = f" ({auxiliary:,} more in auxiliary heads)" if auxiliary else ""
        return (
            f"{total.total:,} parameters{more} and {total.macs:,} multiply-adds for an input of"
            f" {self.program.input}; the smallest input is {'x'.join(map(str, self.least))}."
        )
