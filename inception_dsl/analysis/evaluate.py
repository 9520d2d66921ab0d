"""Evaluates the expressions in attributes of ops and arguments of uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from ..diagnostics.report import Edit, Report, Span
from ..ir.program import OpNode, Origin, UseNode
from ..ir.turns import Turn, nth
from ..ops import ROUNDED, Computed, Fields, Op, attribute_names, expressions
from ..types.expression import Expression, ExpressionError
from ..types.tensor import ShapeError, TensorType
from ..types.width import Width
from ..yaml.edits import Editor, inside
from .widths import FIELD

_NOTES = 3


class Values(dict[str, Any]):
    """The values that expressions may read, by name.

    ``fixed`` are the names of those that the width does not scale: the channels of the input, the
    number of classes, and what is computed from them or scaled already.
    """

    def __init__(self, values: Mapping[str, Any], fixed: frozenset[str] = frozenset()) -> None:
        super().__init__(values)
        self.fixed = fixed

    def inside(self, x: TensorType | None) -> Values:
        """The values that the steps of a chain read whose input is ``x``."""
        channels = {} if x is None else {"in_channels": x.channels}
        return Values({**self, **channels}, self.fixed | channels.keys())

    def fixes(self, value: Any) -> bool:
        """Whether an expression reads such a value."""
        return isinstance(value, Expression) and any(name in self.fixed for name, _ in value.names)


class Evaluation:
    """Evaluates expressions; ``uses`` are the uses around the current step, outermost first."""

    def __init__(self, width: Width, report: Report) -> None:
        self.width, self.report = width, report
        self.uses: list[Turn] = []
        self.turn: tuple[int, int]
        self.reported: set[tuple[str, Span]] = set()

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        label: str = "",
        help: str = "",
        notes: tuple[str, ...] = (),
        related: tuple[tuple[Span, str], ...] = (),
        fix: tuple[Edit, ...] = (),
    ) -> None:
        """Report an error with the uses that led to it, once for each code and span."""
        if (code, span) in self.reported:
            return
        self.reported.add((code, span))
        found = [turn.note for turn in reversed(self.uses)]
        if len(found) > _NOTES:
            found[1:-1] = [f"in: {len(found) - 2} more uses"]
        notes = (*found, *notes)
        self.report.error(
            code, message, span, label=label, help=help, notes=notes, related=related, fix=fix
        )

    def evaluate(self, value: Any, origin: Origin, values: Values) -> Any:
        """``value``, computed if it is an expression; a float is :class:`.Computed`.

        ``None`` after an error, also after an error in a value it depends on.
        """
        if not isinstance(value, Expression):
            return value
        if any(name not in values for name, _ in value.names):
            return None
        try:
            found = value.evaluate(values)
            return Computed(found) if isinstance(found, float) else found
        except ExpressionError as error:
            span = inside(origin.span(), error.offset, error.length, self.report.texts)
            self.error("E207", str(error), span)
        return None

    def bind(self, node: OpNode, values: Values) -> Op | None:
        """The op with every expression replaced by its value, validated with these values."""
        op = node.op
        written = {k: getattr(op, k) for k in attribute_names(type(op))}
        channels = op.channels_field
        scaled = channels == FIELD and self.width.factor is not None
        found = {k: v for k, v in written.items() if expressions(v) or (scaled and k == channels)}
        if not found:
            return op
        bound = {}
        for key, value in found.items():
            bound[key] = self.substitute(value, node.origin.below(key), values)
            if bound[key] is None:
                return None
            if key == channels:
                bound[key] = self.channels(bound[key], scaled=scaled and not values.fixes(value))
        return self.validated(node, bound)

    def validated(self, node: OpNode, bound: Mapping[str, Any]) -> Op | None:
        """The op with the values in ``bound`` in place of its expressions."""
        op = node.op
        written = {k: getattr(op, k) for k in attribute_names(type(op))}
        try:
            return type(op).model_validate({**written, **bound, "op": op.op})
        except ValidationError as error:
            for problem in error.errors(include_url=False):
                field = str(problem["loc"][0])
                message = f"`{field}`: {problem['msg']}"
                here = node.origin.span(field)
                span = self.argument(written[field])
                related = () if span is None else ((here, "used here"),)
                help = ROUNDED if problem["ctx"]["meant"]().help == ROUNDED else ""
                self.error("E203", message, span or here, related=related, help=help)
            return None

    def misfit(self, node: OpNode, error: ShapeError) -> None:
        """Report an op that does not accept its input, with a value that fits, if known."""
        here, field = node.origin, error.field
        span = here.span(field) if field else here.span("op")
        fix: tuple[Edit, ...] = ()
        if error.write:
            editor, path = Editor(here.document, self.report.texts), (*here.path, field)
            written = path in here.document.spans
            fix = (
                editor.replace(path, error.write)
                if written
                else editor.insert(here.path, field, error.write)
            )
        help = error.help or (f"write `{field}: {error.write}`" if error.write else "")
        message, notes = f"`{node.op.op}`: {error}", self.repetition()
        self.error(error.code, message, span, help=help, notes=notes, fix=fix)

    def repetition(self) -> tuple[str, ...]:
        """The note that says which repetition of a step is inferred, if there are several."""
        index, count = self.turn
        return (f"in: the {nth(index)} of {count} repetitions",) if count > 1 else ()

    def channels(self, value: Any, *, scaled: bool) -> Any:
        """The number of channels for the value of a field that sets it."""
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            return value  # the field reports it
        return self.width.channels(value, scaled=scaled)

    def argument(self, value: Any) -> Span | None:
        """The location of the argument whose value reaches an attribute unchanged, if any."""
        location = None
        for turn in reversed(self.uses):
            name = (
                value.code[0][1] if isinstance(value, Expression) and len(value.code) == 1 else ""
            )
            if (*turn.use.origin.path, name) not in turn.use.origin.document.spans:
                break
            location, value = turn.use.origin.span(name), turn.use.arguments.get(name)
        return location

    def substitute(self, value: Any, origin: Origin, values: Values) -> Any:
        """A value with its expressions evaluated; ``None`` if one of them has an error."""
        if isinstance(value, tuple):
            items = [self.substitute(v, origin.below(i), values) for i, v in enumerate(value)]
            return None if any(v is None for v in items) else list(items)
        if isinstance(value, Fields):
            fields = {
                k: self.substitute(getattr(value, k), origin.below(k), values)
                for k in type(value).model_fields
            }
            return None if any(v is None for v in fields.values()) else fields
        return self.evaluate(value, origin, values)

    @contextmanager
    def inside_use(self, node: UseNode) -> Iterator[None]:
        """A context in which reported errors name the use."""
        self.uses.append(Turn(node, *self.turn))
        yield
        self.uses.pop()
