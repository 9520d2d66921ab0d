"""The loss of a generated file, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..types.loss import LossKind
from ..types.prose import Prose
from ..types.tensor import TensorType


class LossTerm(NamedTuple):
    """The loss of one output: its weight in the total, and the output's type ``y``.

    ``probabilities``: the output is a softmax, not logits. ``by_logits``: the network also offers
    the logits that the softmax is of, to train by. ``kind`` is that of the spec. ``own``: the
    output has targets of its own, others have the classes of the network.
    """

    output: str
    weight: float
    y: TensorType
    probabilities: bool = False
    by_logits: bool = False
    kind: LossKind = "cross_entropy"
    own: bool = False

    @property
    def flat(self) -> bool:
        """Whether the output is a map with one position, which the loss must flatten."""
        return bool(self.y.rank) and self.y.positions() == 1


class Loss(NamedTuple):
    """The loss: the term of the main output first, then those of the auxiliary heads, and those
    of outputs with targets of their own.

    ``summary`` describes it in one sentence; ``notes`` are the paper's training settings.
    """

    smoothing: float
    terms: tuple[LossTerm, ...]
    summary: str
    notes: tuple[Prose, ...]


def summarised(terms: Sequence[LossTerm], smoothing: float) -> str:
    """The loss in one sentence."""
    smooth = f" with label smoothing {smoothing:g}" if smoothing else ""
    parts: list[str] = []
    for term in terms:
        times = f"{term.weight:g} times " if term.weight != 1 else ""
        if term.own:
            kind = term.kind.replace("_", " ").replace("cross entropy", "cross-entropy")
            kind += smooth if term.kind == "cross_entropy" else ""
            parts.append(f"{times}the {kind} of ``{term.output}``")
        elif parts:
            parts.append(f"{term.weight:g} times that of ``{term.output}``")
        else:
            what = "logits"
            if term.probabilities:
                what = "probabilities or their logits" if term.by_logits else "probabilities"
            parts.append(f"cross-entropy{smooth} of {what} and class indices")
    text = ", plus ".join(parts)
    return f"{text[0].upper()}{text[1:]}."
