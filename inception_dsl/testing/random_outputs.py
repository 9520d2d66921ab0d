"""Random outputs of a network: steps, and heads of their own on steps, some with a loss."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final, get_args

from ..types.loss import LossKind
from .random_blocks import Step
from .random_shapes import Shape

LOSSES: Final = get_args(LossKind)


def outputs(
    rng: Random, taps: dict[str, Shape], share: float, fresh: Callable[[str], str]
) -> dict[str, Any]:
    """The outputs of a network, with a chance of ``share``.

    ``taps`` are the steps they may be of; ``fresh`` makes their names.
    """
    if not taps or rng.random() >= share:
        return {}
    chosen = rng.sample(sorted(taps), min(len(taps), rng.choice((1, 2))))
    chosen += [rng.choice(sorted(taps))] * (rng.random() < 0.3)
    return {
        fresh("out"): _head(rng, name, taps[name]) if rng.random() < 0.5 else name
        for name in chosen
    }


def _head(rng: Random, after: str, x: Shape) -> Step:
    """A head of its own, which may end in a map; its loss takes logits."""
    loss = rng.choice((None, *LOSSES))
    units = rng.choice((2, 3) if loss == "cross_entropy" else (1, 2, 3))
    steps: list[Step] = [{"op": "dense", "units": units}]
    if x.rank and rng.random() < 0.4:
        steps = [{"op": "conv", "filters": units, "kernel_size": 1}]
    elif x.rank:
        steps.insert(0, {"op": rng.choice(("global_avg_pool", "global_max_pool"))})
    if rng.random() < 0.3:
        steps.insert(len(steps) - 1, {"op": "dropout", "rate": 0.2})
    found: Step = {"after": after, "steps": steps}
    if loss:
        found["loss"] = loss
        found |= {"loss_weight": rng.choice((0.5, 2.0))} if rng.random() < 0.5 else {}
    return found
