"""Seeded defects of the Keras backend."""

from __future__ import annotations

from defect import KERAS, Defect

KERAS_DEFECTS = (
    Defect(
        "epsilon is Keras's default",
        KERAS,
        "lowering",
        'w.option("epsilon", site, "epsilon", kind="float")',
        'Keyword("epsilon", literal(0.001), kind="float")',
    ),
    Defect(
        "momentum is Keras's default",
        KERAS,
        "lowering",
        'w.option("momentum", site, "decay", kind="float")',
        'Keyword("momentum", literal(0.99), kind="float")',
        training=True,
    ),
    Defect(
        "sides of the padding are swapped",
        KERAS,
        "windows",
        "return tupled(tupled(side) for side in sides)",
        "return tupled(tupled(side[::-1]) for side in sides)",
    ),
    Defect(
        "explicit padding at a stride is `same`",
        KERAS,
        "windows",
        "w.stride == 1 and w.padding == Window(w.kernel",
        "w.padding == Window(w.kernel",
    ),
    Defect(
        "`same` at a stride pads the extra pixel at the start",
        KERAS,
        "helpers/same_padding.py.j2",
        "(total // 2, total - total // 2)",
        "(total - total // 2, total // 2)",
    ),
    Defect(
        "an average pool with count_include_pad does not count its padding",
        KERAS,
        "pools",
        "if not counting and counts.all(True):",
        "if not counting and counts.all(True) and site.unpadded:",
    ),
    Defect(
        "an average pool counts its padding",
        KERAS,
        "pools",
        "if not counting and counts.all(True):",
        "if None not in site.pads():",
    ),
    Defect(
        "a max pool is padded with zeros",
        KERAS,
        "helpers/max_pool.py.j2",
        ', constant_values=float("-inf")',
        "",
    ),
    Defect(
        "the padding for ceil_mode is one pixel short",
        KERAS,
        "helpers/ceil_padding.py.j2",
        "(pool_size - size) % strides",
        "(pool_size - size - 1) % strides",
    ),
    Defect(
        "a window that starts in the padding counts",
        KERAS,
        "helpers/ceil_padding_around.py.j2",
        "overhang if overhang < window - last else 0",
        "overhang",
    ),
    Defect(
        "the window of local response norm is shifted by one channel",
        KERAS,
        "helpers",
        "str(int(size) // 2), str((int(size) - 1) // 2)",
        "str((int(size) - 1) // 2), str(int(size) // 2)",
    ),
    Defect(
        "a concat joins the last branch first",
        KERAS,
        "body",
        "self.assign(planned.target, called, tuple(ends),",
        "self.assign(planned.target, called, tuple(ends[::-1]),",
    ),
    Defect(
        "all global pools are averages",
        KERAS,
        "lowering",
        'if mean else "GlobalMaxPooling"',
        "",
    ),
    Defect(
        "scales are rounded to one digit",
        KERAS,
        "lowering",
        'w.option("scale", site, "value", positional=True)',
        'Keyword("scale", literal(round(site.op.value, 1)), positional=True)',
    ),
    Defect(
        "a scale is a plain number, which TensorFlow rounds to float32",
        KERAS,
        "helpers/scaled.py.j2",
        "ops.convert_to_numpy([scale])",
        "scale",
    ),
    Defect(
        "a dense layer has no activation",
        KERAS,
        "lowering",
        'layer("Dense", units, *outcome(w, site),',
        'layer("Dense", units, outcome(w, site)[1],',
    ),
    Defect(
        "label smoothing is missing",
        KERAS,
        "losses",
        "else _of_logits(loss.smoothing)",
        "else _of_logits(0.0)",
        training=True,
    ),
)
