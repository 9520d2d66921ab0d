"""Turns the section `training` of a spec into a record of the program, and checks it."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, TypeVar

from ..diagnostics.report import Report
from ..ir import recipe as ir
from ..ir.program import Origin
from ..ir.sections import Initializer
from ..language.models import NetworkFile
from ..language.optimizer import Schedule
from ..language.recipe import Groups
from ..language.training import Training
from ..ops import Fields
from ..types.prose import Prose
from .contradictions import contradictions

T = TypeVar("T", bound=tuple[Any, ...])


def training(model: NetworkFile | None, origin: Origin, report: Report) -> ir.Training | None:
    """The section `training` of a network at ``origin``."""
    given = model.training if model else None
    if given is None:
        return None
    found = ir.Training(
        given.label_smoothing,
        given.note or (),
        _record(Initializer, given.initializer),
        samples=given.samples,
        batch_size=given.batch_size,
        replicas=given.replicas,
        epochs=given.epochs,
        steps=given.steps,
        optimizer=_record(ir.Optimizer, given.optimizer),
        weight_decay=_weight_decay(given),
        groups=_groups(given.groups),
        gradient_clip=_record(ir.GradientClip, given.gradient_clip),
        schedule=_schedule(given.schedule),
        average=_record(ir.Average, given.average),
        augmentation=_record(ir.Augmentation, given.augmentation),
        deviations=given.deviation or (),
        unsaid=tuple(_unsaid(given)),
    )
    for wrong in contradictions(found):
        span = origin.below("training").span(*wrong.path)
        report.error("E210", wrong.message, span, help=wrong.help)
    return found


def _record(kind: type[T], model: Fields | None, **more: Any) -> T | None:
    """The record with the fields of a model, if there is one."""
    if model is None:
        return None
    fields = dict(model)
    return kind(**{**fields, "note": fields["note"] or Prose(), **more})


def _weight_decay(given: Training) -> ir.WeightDecay | None:
    found = given.weight_decay
    if found is None:
        return None
    decoupled = given.optimizer is not None and given.optimizer.name in ("adamw", "lamb")
    return _record(ir.WeightDecay, found, form=found.form or ("decoupled" if decoupled else "l2"))


def _groups(given: Groups | None) -> MappingProxyType[str, ir.WeightGroup]:
    own = {name: group for name, group in given or () if group is not None}
    return MappingProxyType({n: ir.WeightGroup(g.rate, g.decay) for n, g in own.items()})


def _schedule(given: Schedule | None) -> ir.Schedule | None:
    return _record(ir.Schedule, given, then=_schedule(given.then)) if given else None


def _unsaid(model: Fields, path: str = "") -> Iterator[str]:
    """The fields that are written as `null`, in the order of the model."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, Fields):
            yield from _unsaid(value, f"{path}{name}.")
        elif value is None and name in model.model_fields_set and name != "note":
            yield f"{path}{name}"
