"""Seeded defects of upsampling and transposed convolutions."""

from __future__ import annotations

from defect import CORE, KERAS, TORCH, Defect

ENLARGING_DEFECTS = (
    Defect(
        "the kernel of a transposed convolution has the axes of a convolution",
        CORE,
        "ops.conv_transpose",
        "self.filters // self.groups, x.channels",
        "x.channels, self.filters // self.groups",
    ),
    Defect(
        "an upsampled map has a pixel more",
        CORE,
        "ops.upsample",
        "n * factor for n, factor in zip",
        "n * factor + 1 for n, factor in zip",
    ),
    Defect(
        "pixels of a transposed convolution are cut off at the other side",
        TORCH,
        "enlarging",
        "for n in (before, max(after, 0))]",
        "for n in (max(after, 0), before)]",
    ),
    Defect(
        "the end of a short window is missing",
        TORCH,
        "enlarging",
        "site.frame.fixed(max(-after, 0))",
        "site.frame.fixed(0 * after)",
    ),
    Defect(
        "linear upsampling never aligns corners",
        TORCH,
        "enlarging",
        "omitted([corners], False)",
        "omitted([corners], corners.values[0])",
    ),
    Defect(
        "linear upsampling begins at the edge of a pixel",
        KERAS,
        "helpers/upsampled.py.j2",
        "(i + 0.5) * before / after - 0.5",
        "i * before / after",
    ),
    Defect(
        "nearest pixels are rounded up",
        KERAS,
        "helpers/upsampled.py.j2",
        "i * before // after",
        "-(-i * before // after) % before",
    ),
    Defect(
        "a transposed convolution pads with Keras's default",
        KERAS,
        "enlarging",
        'Keyword("padding", mode, VALID)',
        'Keyword("padding", VALID, VALID)',
    ),
    Defect(
        "the pixels at the end of a transposed convolution are Keras's default",
        KERAS,
        "enlarging",
        "short(site) or site.open_window or {*texts} != {ZERO}",
        "{*texts} != {ZERO}",
    ),
)
