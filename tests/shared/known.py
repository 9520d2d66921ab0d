"""Defects of the frameworks that remain: each with where and in which versions it was seen, and
what shows it.

What is listed here must fail; when a framework mends the defect, a test says so.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple


class Defect(NamedTuple):
    """A defect: the backend and the engine that have it, the versions seen, and what it is.

    ``dtypes`` are the types of numbers in which the samples called like ``samples`` fail. Where
    none does, ``layer`` names the test of the framework's own layer: the emitted code goes another
    way, or no sample is of such sizes.
    """

    backend: str
    engine: str
    versions: str
    samples: str
    dtypes: tuple[str, ...]
    reason: str
    layer: str = ""
    processor: str = ""
    """The feature of a processor that it is taken to need: where that is missing, the layer must be
    right.
    """

    @property
    def shows_here(self) -> bool:
        try:
            return self.processor in Path("/proc/cpuinfo").read_text(encoding="utf-8")
        except OSError:
            return not self.processor


DEFECTS = (
    Defect(
        "keras",
        "tensorflow",
        "TensorFlow 2.21",
        r"(max|avg|adaptive_avg)_pool-3d-.*",
        ("float64",),
        "no 3-D pool in float64 on a CPU",
    ),
    Defect(
        "keras",
        "tensorflow",
        "TensorFlow 2.21",
        r".*leaky_relu.*(?<!0\.0})",
        ("float64",),
        "leaky_relu keeps its slope in float32",
    ),
    Defect(
        "keras",
        "tensorflow",
        "TensorFlow 2.21, Keras 3.15.1",
        r"(activation|conv|conv_bn|vector)-gelu",
        ("float64",),
        "gelu is computed with constants in float32",
    ),
    Defect(
        "keras",
        "jax",
        "Keras 3.15.1, JAX 0.10.2",
        r"adaptive_avg_pool-axes",
        ("float32",),
        "an adaptive average pool to more outputs than there are pixels ends in values that "
        "are not numbers",
    ),
    Defect(
        "keras",
        "torch",
        "Keras 3.15.1",
        "",
        (),
        "AveragePooling2D(padding='same') at a stride pads by repeating the edge where the "
        "sides differ",
        "average_pool",
    ),
    Defect(
        "keras",
        "tensorflow",
        "TensorFlow 2.21",
        "",
        (),
        "Conv3D(padding='same') in float64 cuts pixels off where a stride is beyond the window",
        "solid_convolution",
    ),
    Defect(
        "keras",
        "tensorflow",
        "TensorFlow 2.21, oneDNN",
        "",
        (),
        "a convolution of one channel in float32, at strides of 1 and more, "
        "to a map one pixel wide",
        "narrow_convolution",
        "avx512",
    ),
)


def defect(backend: str, sample: str, engine: str = "tensorflow", dtype: str = "float64") -> str:
    """The reason why ``sample`` fails, or nothing; ``engine`` is what Keras runs on."""
    for found in DEFECTS:
        placed = found.backend == backend and dtype in found.dtypes and found.engine == engine
        if placed and re.fullmatch(found.samples, sample):
            return f"{found.versions}: {found.reason}"
    return ""
