"""Seeded defects in forks that divide the channels of their input."""

from __future__ import annotations

from defect import CORE, TORCH, Defect

SPLIT_DEFECTS = (
    Defect(
        "every part of a split begins one channel later",
        CORE,
        "ir.flow",
        "found, start = [], 0",
        "found, start = [], 1",
    ),
    Defect(
        "the gradient of a part of a split is that of another part",
        CORE,
        "reference.gradients",
        "around = (part.start, channels - part.stop)",
        "around = (channels - part.stop, part.start)",
        training=True,
    ),
    Defect(
        "the rest of a split is what the first size leaves",
        CORE,
        "analysis.splits",
        "left = known(channels - given)\n            if",
        "left = known(channels - next(s for s in sizes if s != REST))\n            if",
    ),
    Defect(
        "the branches read the whole input of a split",
        CORE,
        "backend.statements",
        "start = variable if fork.split else source",
        "start = source",
    ),
    Defect(
        "the sizes of a split are in the wrong order",
        TORCH,
        "build",
        "sizes = [self.scope.text(slot, spelled=spelled) for slot in fork.split]",
        "sizes = [self.scope.text(slot, spelled=spelled) for slot in fork.split[::-1]]",
    ),
    Defect(
        "the parts of a split are in the wrong order",
        TORCH,
        "build",
        "self.forward.append(Line(targets, value))",
        "self.forward.append(Line(targets[::-1], value))",
    ),
)
