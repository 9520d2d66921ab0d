"""Checks the steps of a block without values for its parameters, or without an input.

What depends on a value that is not known is not checked, so an error here is one for all values.
Channels are computed as terms over the parameters. Without an input, many sizes are tried: errors
are reported if no size is without errors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from pydantic import ValidationError

from ..diagnostics.report import Diagnostic, Report, Span
from ..ir.program import ForkNode, Node, OpNode, Origin, Program
from ..ir.typed import Typed, TypedChain, TypedFork, TypedOp, TypedStep
from ..ir.walk import step_count, written_steps
from ..language.load import Spec
from ..language.models import BlockFile
from ..language.parameters import Parameter
from ..ops import Op, Sliding, SpaceToDepth, expressions
from ..ops.fields.refusal import refuse
from ..types.expression import Expression, ExpressionError
from ..types.tensor import MAX_SIZE, TensorType
from ..types.terms import Symbol, explain, of, whole
from ..types.traced import term_of
from ..types.unknown import Unknown, UnknownError, UnknownInt, differ, is_unknown, known
from ..yaml.edits import inside
from .clash import CHANNELS, Clash
from .evaluate import Values
from .infer import Inference
from .merged import Difference, combined

_RANKS: Final = (2, 1, 3)
_SIZES: Final = (64, 224, 299, 512, *range(65, 128), *range(63, 1, -1))
"""Usual sizes, all remainders of strides up to 64, then small sizes."""
_FEW, _MOST = 4, 2_000
"""Limits on the time: the sizes that are tried at least, and the steps in all of them."""
_SIZED: Final = frozenset({"E401", "E402", "E403"})
_SAMPLES: Final[dict[str, tuple[Any, ...]]] = {
    "int": (0, 1, 2, 64),
    "float": (0, 1, 0.5, 64),
    "bool": (True, False),
    "str": (
        *("relu", "linear", "none", "same", "valid", "he_normal", "hard", "channels", "channel"),
        "channels_first",
    ),
}
"""Values of each type: an attribute that accepts none of them has another type."""


def unset_in(spec: Spec) -> tuple[dict[str, str], bool]:
    """What a block needs to be built and does not have: the types of parameters without a value by
    their names, and whether the input is missing.
    """
    model = spec.model
    if not isinstance(model, BlockFile):
        return {}, False
    unset: dict[str, str] = {n: p.type for n, p in model.params.items() if not _has_value(p)}
    return unset, model.input is None


def _has_value(parameter: Parameter) -> bool:
    """Whether a parameter has a value without a use: not one that the network around gives it."""
    return parameter.default is not None and not isinstance(parameter.default, Expression)


def check_unset(program: Program, unset: Mapping[str, str], report: Report) -> None:
    """Report the errors of a block for all values of the parameters in ``unset`` (types by name).

    If the block has no input, for all inputs, too.
    """
    if program.input.channels:
        return report.include(_errors(program, unset, program.input, report)[0], {})
    channels = UnknownInt(of(Symbol("in_channels")))
    least: list[Diagnostic] | None = None
    others: list[Diagnostic] = []
    ranks: Iterable[int] = _RANKS
    sizes = (*_divisible(program), *_SIZES)
    for size in sizes[: max(_FEW, _MOST // (1 + step_count(program)))]:
        inputs = (TensorType((size,) * rank, channels) for rank in ranks)
        found = {x.rank: _errors(program, unset, x, report) for x in inputs}
        counted = {rank: errors for rank, (errors, counts) in found.items() if counts}
        if not counted:
            others = found[min(found)][0]
            continue
        best = min(counted.values(), key=_misfits)
        if least is None:
            ranks = [rank for rank in counted if _misfits(counted[rank]) == _misfits(best)]
        least = best if least is None else min(least, best, key=_misfits)
        if not any(d.code in _SIZED for d in least):
            break
    return report.include(others if least is None else least, {})


def _divisible(program: Program) -> tuple[int, ...]:
    """Sizes that all blocks of a known size divide; none if there are no blocks."""
    ops = (node.op for node in written_steps(program) if isinstance(node, OpNode))
    sizes = [op.block_size for op in ops if isinstance(op, SpaceToDepth)]
    least = math.prod(size for size in sizes if isinstance(size, int))
    return tuple(n for n in (8 * least, least) if n <= MAX_SIZE) if sizes else ()


def _misfits(found: list[Diagnostic]) -> tuple[int, int]:
    """The number of errors, and of those that come from the number of axes."""
    return len(found), sum(d.code == "E403" for d in found)


def _errors(
    program: Program, unset: Mapping[str, str], x: TensorType, report: Report
) -> tuple[list[Diagnostic], bool]:
    """The errors for an input, and whether its size counts."""
    found = Report(texts=report.texts)
    steps = _Unset(program, found)
    values = steps.top_values()
    for name, kind in unset.items():
        values[name] = UnknownInt(of(Symbol(name))) if kind == "int" else Unknown(kind)
    for chain in program.sections.values():
        steps.chain(chain, x, values.inside(x))
    if program.input.channels:
        return found.diagnostics, True
    note = f"the sizes are those for an input of {x}, as the block has none"
    noted = [
        replace(d, notes=(*d.notes, note)) if d.code in _SIZED else d for d in found.diagnostics
    ]
    if not steps.single:
        return noted, True
    return [d for d in noted if d.code not in _SIZED or d.span in steps.channels_differ], False


class _Unset(Inference):
    """Inference with values that are not known.

    ``single``: a window leaves one pixel of an axis. Branches with other strides agree there, and
    one pixel is broadcast, but nobody means that. ``channels_differ``: where branches differ in
    channels, which no size changes.
    """

    single = False

    def __init__(self, program: Program, report: Report) -> None:
        super().__init__(program, report)
        self.channels_differ: set[Span] = set()

    def evaluate(self, value: Any, origin: Origin, values: Values) -> Any:
        """``value``, computed as far as it is known."""
        names = value.names if isinstance(value, Expression) else ()
        found = [values[name] for name, _ in names if name in values]
        if len(found) < len(names) or not is_unknown(found):
            return super().evaluate(value, origin, values)
        if len(value.code) == 1:
            return found[0]
        kinds = set()
        for name, offset in names:
            kind = getattr(values[name], "kind", type(values[name]).__name__)
            if kind in ("bool", "str"):
                span = inside(origin.span(), offset, len(name), self.report.texts)
                self.error("E207", f"`{name}` is not a number", span)
                return None
            kinds.add(kind)
        if kinds != {"int"}:
            return Unknown("float")
        term = explain(value, {n: term_of(values[n]) for n, _ in names})
        return known(UnknownInt(term)) if term is None or whole(term) else Unknown("float")

    def channels(self, value: Any, *, scaled: bool) -> Any:
        if not isinstance(value, Unknown | UnknownInt):
            return super().channels(value, scaled=scaled)
        if value.kind not in ("int", "float"):
            return value
        kept = isinstance(value, UnknownInt) and not (scaled and self.width.factor is not None)
        return value if kept else UnknownInt(None)

    def validated(self, node: OpNode, bound: Mapping[str, Any]) -> Op | None:
        """The op, validated with the values that are known."""
        given = {key: value for key, value in bound.items() if not is_unknown(value)}
        op = super().validated(node, given) if given else node.op
        for key, value in bound.items() if op is not None else ():
            if key not in given and not self.accepts(node, key, value):
                return None
        if op is None:
            return None
        unknown = {key: _attribute(key, bound[key]) for key in bound if key not in given}
        return op.model_copy(update=unknown)

    def accepts(self, node: OpNode, key: str, value: Any) -> bool:
        """Whether an attribute may have the type of a parameter; reports it if not."""
        kind = getattr(value, "kind", "")
        problem = _refusal(type(node.op), key, kind)
        if problem:
            message = f"`{key}`: {problem}, but `{getattr(node.op, key).text}` is of type {kind}"
            self.error("E203", message, node.origin.span(key))
        return not problem

    def repeat(self, node: Node, values: Values) -> int | None:
        value = self.evaluate(node.repeat, node.origin.below("repeat"), values)
        if not is_unknown(value):
            return super().repeat(node, values)
        if value.kind in ("bool", "str"):
            message = f"expected an integer >= 0 for `repeat`, but it is of type {value.kind}"
            self.error("E203", message, node.origin.span("repeat"))
            return None
        return 1

    def step(self, node: Node, x: TensorType | None, values: Values) -> TypedStep | None:
        """A step; after an unknown number of repetitions its type is known if it stays the same."""
        found = super().step(node, x, values)
        names = [values.get(name) for e in expressions(node.repeat) for name, _ in e.names]
        if found is None or not is_unknown(names) or found.y == x:
            return found
        report, self.report = self.report, Report(texts=self.report.texts)
        reported = {*self.reported}
        second = super().step(node, found.y, values)  # it may have errors that the first has not
        self.report, self.reported = report, reported
        return found if second is not None and second.y == found.y else None

    def node(self, node: Node, x: TensorType | None, values: Values) -> Typed | None:
        try:
            return super().node(node, x, values)
        except (UnknownError, ExpressionError):
            return None

    def counted(self, value: Any) -> int:
        if not isinstance(value, Unknown):
            return value if isinstance(value, UnknownInt) else super().counted(value)
        raise refuse(f"expected a number of channels, but it is of type {value.kind}")

    def uneven(self, node: ForkNode, *found: Any) -> None:
        self.channels_differ.add(node.origin.span("split"))
        super().uneven(node, *found)

    def op(self, node: OpNode, x: TensorType | None, values: Values) -> TypedOp | None:
        found = super().op(node, x, values)
        if found is None or any(isinstance(size, Unknown) for size in found.y.shape):
            return None
        sides = zip(found.x.spatial, found.y.spatial, strict=False)
        window = isinstance(found.op, Sliding)
        self.single = self.single or (window and any(after == 1 < n for n, after in sides))
        return TypedOp(found.node, found.op, found.x, _known(found.y))

    def fits(self, value: Any, kind: str) -> bool:
        """Whether an argument may have the type of its parameter."""
        if not is_unknown(value):
            return super().fits(value, kind)
        return value.kind == kind or not {value.kind, kind} & {"bool", "str"}

    def key(self, value: Any) -> Any:
        return id(value) if isinstance(value, Unknown) else value

    def merged(
        self,
        node: ForkNode,
        x: TensorType,
        branches: list[tuple[str, TypedChain]],
        y: TensorType | Difference,
        values: Values,
    ) -> TypedFork | None:
        """The fork; an error if channels differ for all values."""
        if not isinstance(y, Difference):
            return super().merged(node, x, branches, _known(y), values)
        if y.what == "channels":
            clash = Clash(node, branches, y, values, self.width, self.report.texts)
            self.channels_differ.add(clash.span)
        if y.what != "channels" or not is_unknown(y.sizes):
            return super().merged(node, x, branches, y, values)
        for i, j in _pairs(y.sizes):
            if differ(y.sizes[i], y.sizes[j]):
                two = [branches[i], branches[j]]
                pair = y.sizes[i], y.sizes[j]
                found = Difference(y.what, pair)
                clash = Clash(node, two, found, values, self.width, self.report.texts)
                details = clash.details()
                if is_unknown(pair):
                    details |= {"help": "", "fix": ()}
                self.channels_differ.add(clash.span)
                self.error("E402", clash.message, clash.span, **details)
                return None
        alike = [chain.y._replace(channels=1) for _, chain in branches]
        spatial = combined(alike)
        assert isinstance(spatial, TensorType), "only channels differ"
        return super().merged(
            node, x, branches, spatial._replace(channels=UnknownInt(None)), values
        )


@cache
def _refusal(op: type[Op], key: str, kind: str) -> str:
    """What an attribute expects, if it accepts no value of a type; else empty."""
    expected = ""
    for sample in _SAMPLES.get(kind, ()):
        try:
            op.partial({key: sample})
        except ValidationError as error:
            expected = expected or str(error.errors(include_url=False)[0]["msg"])
        else:
            return ""
    return expected.partition(", found")[0]


def _attribute(key: str, value: Any) -> Any:
    """The value of an attribute that is not known; of channels the term may be."""
    if key not in CHANNELS:
        return Unknown(getattr(value, "kind", ""))
    return value if isinstance(value, UnknownInt) else UnknownInt(None)


def _known(y: TensorType) -> TensorType:
    return y._replace(channels=known(y.channels))


def _pairs(sizes: tuple[Any, ...]) -> Iterator[tuple[int, int]]:
    """The indices of any two of the sizes that are not broadcast."""
    found = [index for index, size in enumerate(sizes) if size is not None]
    return ((i, j) for position, j in enumerate(found) for i in found[:position])
