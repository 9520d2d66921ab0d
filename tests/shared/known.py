"""Known bugs of the frameworks, with versions, and the samples or layers that show them.

These are expected to fail (strict xfail): when a framework fixes a bug, a test reports it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple


class FrameworkBug(NamedTuple):
    """A bug: its backend and engine, the versions with the bug, and a description.

    Samples whose name matches ``samples`` fail in ``dtypes``. If no sample fails, since generated
    code works around the bug or no sample has such sizes, ``layer`` names the test of the
    framework's own layer.
    """

    backend: str
    engine: str
    versions: str
    samples: str
    dtypes: tuple[str, ...]
    reason: str
    layer: str = ""
    processor: str = ""
    """A processor feature; without it, the bug does not occur and the layer must be correct."""

    @property
    def shows_here(self) -> bool:
        try:
            return self.processor in Path("/proc/cpuinfo").read_text(encoding="utf-8")
        except OSError:
            return not self.processor


BUGS = (
    FrameworkBug(
        "keras",
        "tensorflow",
        "TensorFlow 2.21",
        "",
        (),
        "no 3-D pool in float64 on a CPU",
        "solid_pool",
    ),
    FrameworkBug(
        "keras",
        "jax",
        "Keras 3.15.1, JAX 0.10.2",
        r"adaptive_avg_pool-axes",
        ("float32",),
        "an adaptive average pool with more outputs than input pixels returns NaN",
    ),
    FrameworkBug(
        "keras",
        "torch",
        "Keras 3.15.1",
        "",
        (),
        "AveragePooling2D(padding='same') with a stride repeats the edge if padding is asymmetric",
        "average_pool",
    ),
    FrameworkBug(
        "keras",
        "tensorflow",
        "TensorFlow 2.21",
        "",
        (),
        "Conv3D(padding='same') in float64 drops pixels if a stride is larger than the window",
        "solid_convolution",
    ),
    FrameworkBug(
        "keras",
        "tensorflow",
        "TensorFlow 2.21, oneDNN",
        "",
        (),
        "a one-channel convolution in float32 with strides of 1 and more, to a map one pixel wide",
        "narrow_convolution",
        "avx512",
    ),
    FrameworkBug(
        "keras",
        "tensorflow",
        "TensorFlow 2.21",
        "",
        (),
        "the float64 gradient of an average pool whose window is larger than the map, if the first "
        "window does not cover all of it (5x5, `same`, on a map of 4x4)",
        "wide_average_pool",
    ),
    FrameworkBug(
        "keras",
        "tensorflow",
        "Keras 3.15.1",
        "",
        (),
        "Add takes an operand with one size above 1 for a bias, if that is the first or the last "
        "one of the other operand: (5, 1, 1, 1) beside (5, 5, 6, 1)",
        "broadcast_sum",
    ),
)


def known_bug(backend: str, sample: str, engine: str = "tensorflow", dtype: str = "float64") -> str:
    """The reason why ``sample`` fails, or an empty text; ``engine`` is Keras's own backend."""
    for found in BUGS:
        placed = found.backend == backend and dtype in found.dtypes and found.engine == engine
        if placed and re.fullmatch(found.samples, sample):
            return f"{found.versions}: {found.reason}"
    return ""
