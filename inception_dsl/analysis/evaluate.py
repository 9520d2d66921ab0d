"""Evaluates the expressions in attributes of ops and arguments of uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from ..diagnostics.report import Edit, Report, Span
from ..ir.program import (
    OpNode,
    Origin,
    Turn,
    UseNode,
)
from ..ops import Fields, Op, attribute_names, expressions
from ..types.expression import Expression, ExpressionError
from ..yaml.edits import inside

_NOTES = 3


class Evaluation:
    """Evaluates expressions; ``uses`` are the uses around the current step, outermost first."""

    def __init__(self, report: Report) -> None:
        self.report = report
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

    def evaluate(self, value: Any, origin: Origin, values: Mapping[str, Any]) -> Any:
        """``value``, computed if it is an expression.

        ``None`` after an error, also after an error in a value it depends on.
        """
        if not isinstance(value, Expression):
            return value
        if any(name not in values for name, _ in value.names):
            return None
        try:
            return value.evaluate(values)
        except ExpressionError as error:
            span = inside(origin.span(), error.offset, error.length, self.report.texts)
            self.error("E207", str(error), span)
        return None

    def bind(self, node: OpNode, values: Mapping[str, Any]) -> Op | None:
        """The op with every expression replaced by its value, validated with these values."""
        op = node.op
        written = {k: getattr(op, k) for k in attribute_names(type(op))}
        found = {k: v for k, v in written.items() if expressions(v)}
        if not found:
            return op
        bound = {}
        for key, value in found.items():
            bound[key] = self.substitute(value, node.origin.below(key), values)
            if bound[key] is None:
                return None
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
                if span is None:
                    self.error("E203", message, here)
                else:
                    self.error("E203", message, span, related=((here, "used here"),))
            return None

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

    def substitute(self, value: Any, origin: Origin, values: Mapping[str, Any]) -> Any:
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
