"""What ``forward`` returns: a tensor or named tuples, in evaluation and in training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from inception_dsl.backend import Code, Expression, Tap, call, docstring, layout


class Variable(NamedTuple):
    """A tap and its variable in ``forward``, as the tap's own name may be taken there.

    ``attribute`` holds the module of a head. ``source`` is the variable of its input, if the head
    runs in ``forward``: empty for an auxiliary head.
    """

    tap: Tap
    variable: str
    attribute: str = ""
    source: str = ""

    @property
    def auxiliary(self) -> bool:
        """Whether it is the output of an auxiliary head."""
        return self.tap.auxiliary


class TupleView(NamedTuple):
    """A named tuple of outputs; ``lines`` are its fields."""

    name: Code
    doc: Code
    lines: tuple[Code, ...]


class Results(NamedTuple):
    """The outputs of a network.

    ``main`` is the name of the final output, ``further`` are the other outputs, ``heads`` the names
    and variables of auxiliary heads, ``by_logits`` the outputs that are the softmax of logits.
    ``outputs`` and ``trained`` are the named tuples in evaluation and in training, or empty.
    """

    main: str
    further: Sequence[Variable]
    heads: Sequence[tuple[str, str]]
    by_logits: frozenset[str]
    outputs: str
    trained: str

    @property
    def soft(self) -> bool:
        """Whether the final output is the softmax of logits."""
        return self.main in self.by_logits

    @property
    def optional(self) -> bool:
        """Whether a tuple of training may hold no outputs of the auxiliary heads."""
        return self.soft and bool(self.heads)

    def logits(self, output: str) -> str:
        """The field with the logits of an output."""
        if output == self.main:
            return "logits"
        taken = {"logits", *(t.tap.name for t in self.further), *(name for name, _ in self.heads)}
        field = f"{output}_logits"
        while field in taken:
            field += "_"
        return field

    def trained_by(self, output: str) -> str:
        """The field that the loss is computed from."""
        return self.logits(output) if output in self.by_logits else output

    def lines(self, result: Expression) -> list[Code]:
        """The last lines of ``forward``; ``result`` is the output of the last layer."""
        plain = [t.variable for t in self.further]
        if not self.heads and not self.soft:
            return [indented("return ", call(self.outputs, result, *plain) if plain else result)]
        lines = [indented(f"{'logits' if self.soft else self.main} = ", result)]
        if self.soft:
            lines.append(indented(f"{self.main} = logits.softmax(dim=1)"))
            lines.append(indented("if not self.training:"))
        else:
            missing = " or ".join(f"{variable} is None" for _, variable in self.heads)
            lines.append(indented(f"if {missing}:"))
        evaluated = call(self.outputs, self.main, *plain) if plain else self.main
        lines.append(indented("    return ", evaluated))
        fields = [self.main, *plain]
        for name, variable in self.heads:
            value = f"{variable}.softmax(dim=1)"
            optional = f"None if {variable} is None else " if self.optional else ""
            fields.append(f"{optional}{value}" if name in self.by_logits else variable)
        fields += ["logits"] if self.soft else []
        fields += [variable for name, variable in self.heads if name in self.by_logits]
        return [*lines, indented("return ", call(self.trained, *fields))]

    def tuples(self) -> tuple[TupleView, ...]:
        """The named tuples."""
        found = []
        plain = [t.tap.name for t in self.further]
        if plain:
            where = " in evaluation" * bool(self.soft or self.heads)
            where += ", and in training without auxiliary heads" * (not self.soft and bool(where))
            fields = [f"{name}: Tensor" for name in (self.main, *plain)]
            found.append(view(self.outputs, f"The outputs{where}.", fields))
        if self.trained != self.outputs:
            found.append(view(self.trained, self.doc(), [*self.fields()]))
        return tuple(found)

    def doc(self) -> str:
        """The documentation of the tuple in training."""
        logits = ", with the logits that ``loss`` takes" if self.by_logits else ""
        alone = f"; in evaluation the model returns only the {self.main}"
        return f"The outputs in training{logits}{'' if self.further else alone}."

    def fields(self) -> Iterator[str]:
        """The fields of the tuple in training."""
        kind = "Tensor | None" if self.optional else "Tensor"
        yield f"{self.main}: Tensor"
        yield from (f"{t.tap.name}: Tensor" for t in self.further)
        yield from (f"{name}: {kind}" for name, _ in self.heads)
        yield from ["logits: Tensor"] if self.soft else []
        yield from (f"{self.logits(n)}: {kind}" for n, _ in self.heads if n in self.by_logits)


def indented(before: str, value: Expression = "") -> Code:
    """A line of ``forward``; a condition of its own keeps its indentation."""
    deeper = len(before) - len(before.lstrip())
    return layout(before.lstrip(), value, indent=8 + deeper)


def view(name: str, doc: str, fields: Sequence[str]) -> TupleView:
    """A named tuple."""
    return TupleView(
        Code(name), docstring(doc, indent=4), tuple(Code(f"    {field}") for field in fields)
    )
