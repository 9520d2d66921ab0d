"""The function ``loss`` of a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from inception_dsl.backend import (
    Code,
    Group,
    Loss,
    LossTerm,
    ModulePlan,
    call,
    docstring,
    layout,
    literal,
    signature,
)

from .results import Results

OF_NUMBERS: Final = {
    "binary_cross_entropy": "F.binary_cross_entropy_with_logits",
    "mean_squared_error": "F.mse_loss",
}
"""The functions of the losses that compare numbers."""


def loss_function(
    plan: ModulePlan, loss: Loss, results: Results
) -> tuple[tuple[Code, ...], Code, Code]:
    """The body, the signature and the documentation of ``loss``."""
    evaluated = results.outputs or "Tensor"
    kind, indent = evaluated, 4
    main = f"outputs.{results.main}" if results.outputs else "outputs"
    classes = [term for term in loss.terms if not term.own]
    own = [(f"outputs.{term.output}", term) for term in loss.terms if term.own]
    lines: list[Code] = []
    if results.trained != results.outputs:
        kind, indent = f"{evaluated} | {results.trained}", 8
        lines.append(Code(f"    if isinstance(outputs, {evaluated}):"))
    lines += least(main, classes[:1], indent)
    lines += summed([*((main, term) for term in classes[:1]), *own], loss, indent)
    if results.trained != results.outputs:
        terms = [t._replace(probabilities=t.probabilities and not t.by_logits) for t in classes]
        fields = [f"outputs.{results.trained_by(term.output)}" for term in terms]
        lines += least(fields[0], terms, 4) if terms else []
        heads = [*zip(fields[1:], terms[1:], strict=True)]
        stop: tuple[Code, ...] = ()
        if results.optional and heads:
            missing = " or ".join(f"{field} is None" for field, _ in heads)
            stop = (layout(f"if {missing}:", "", indent=4), Code("        return total"))
        lines += summed([*zip(fields[:1], terms[:1], strict=True), *own], loss, 4, heads, stop)
    taken = ["target: Tensor"] * bool(classes)
    taken += [f"{target(term)}: Tensor" for _, term in own]
    doc = docstring(loss.summary, *loss.notes, indent=4)
    return tuple(lines), signature("loss", [f"outputs: {kind}", *taken], "Tensor"), doc


def summed(
    pairs: Sequence[tuple[str, LossTerm]],
    loss: Loss,
    indent: int,
    more: Sequence[tuple[str, LossTerm]] = (),
    stop: Sequence[Code] = (),
) -> Iterator[Code]:
    """The lines that return the sum over outputs; ``stop`` comes before those of ``more``."""
    terms = [*pairs, *more]
    for index, (value, term) in enumerate(terms):
        before = "total = total + " if index else "total = "
        if index == len(terms) - 1:
            before = "return total + " if index else "return "
        if index == len(pairs):
            yield from stop
        weighed = term.weight != 1 or (index > 0 and not term.own)
        weight = f"{literal(term.weight)} * " if weighed else ""
        yield layout(f"{before}{weight}", term_of(value, term, loss), indent=indent)


def target(term: LossTerm) -> str:
    """The parameter for the targets of an output."""
    return f"{term.output}_target"


def term_of(value: str, term: LossTerm, loss: Loss) -> Group:
    """The loss of an output as an expression."""
    if not term.own:
        return entropy(value, term, loss)
    given = target(term)
    if term.kind == "cross_entropy":
        return call("F.cross_entropy", value, given, **smooth(loss))
    given += f".to({value}.dtype)"  # labels are often integers or flags
    if not term.y.rank or term.y.channels == 1:  # and have no axis for a single channel
        return call(OF_NUMBERS[term.kind], value, call(f"{given}.reshape_as", value))
    return call(OF_NUMBERS[term.kind], value, given)


def least(value: str, terms: Sequence[LossTerm], indent: int) -> list[Code]:
    """The line with the smallest probability whose logarithm is taken, if one is."""
    if not any(term.probabilities for term in terms):
        return []
    return [layout(f"least = max(1e-30, torch.finfo({value}.dtype).tiny)", "", indent=indent)]


def entropy(value: str, term: LossTerm, loss: Loss) -> Group:
    """The cross-entropy of an output as an expression."""
    if term.flat:  # an error where it has more than its one position
        dims = tuple(range(2, 2 + term.y.rank))
        value += f".squeeze({literal(dims) if len(dims) > 1 else 2})"
    # the logarithm of probabilities as logits
    value += ".clamp(min=least).log()" if term.probabilities else ""
    return call("F.cross_entropy", value, "target", **smooth(loss))


def smooth(loss: Loss) -> dict[str, Code]:
    """The argument for label smoothing, if there is any."""
    return {"label_smoothing": literal(loss.smoothing)} if loss.smoothing else {}
