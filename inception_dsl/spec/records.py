"""What documents and surrounds a network, from the models of a spec to the records of a program."""

from __future__ import annotations

from collections.abc import Mapping

from ..ir.graph import About, Initializer, Training
from ..values import TensorType
from .models import AXES, Described, NetworkFile


def about(model: Described) -> About:
    paper = model.paper.model_dump(exclude_none=True) if model.paper else {}
    return About(model.title or "", model.description or "", paper, model.deviation or ())


def tensor_type(sizes: Mapping[str, int]) -> TensorType:
    names = AXES[len(sizes) - 1] if sizes else ()
    return TensorType(tuple(sizes[n] for n in names), sizes.get("channels", 1))


def training(model: NetworkFile | None) -> Training | None:
    found = model.training if model else None
    if found is None:
        return None
    start = found.initializer
    initializer = Initializer(start.name, start.stddev, start.bias, start.note or "") if start else None
    return Training(found.label_smoothing, found.optimizer, found.schedule, found.note or (), initializer)
