"""The shipped backends through the suite that every backend inherits: every op, every network,
inference and training.
"""

from __future__ import annotations

import frameworks
from known import defect

from inception_dsl.ops import OPS
from inception_dsl.testing.conformance import SAMPLES, Agrees

# where the spec's own input costs more than it shows; GoogLeNet's and Inception-v3's heads need
# theirs
INPUTS = {
    "v1_article": "224x224x3",
    "v2": "96x128x3",
    "v4": "107x139x3",
    "inception_resnet_v1": "107x139x3",
    "inception_resnet_v2": "107x139x3",
}


class TestTorch(Agrees):
    backend = "torch"
    specs = frameworks.SPECS
    inputs = INPUTS


class TestKeras(Agrees):
    backend = "keras"
    specs = frameworks.SPECS
    inputs = INPUTS

    def defect(self, sample: str) -> str:
        return defect("keras", sample)


def test_the_samples_exercise_every_op() -> None:
    text = " ".join(sample.steps for sample in SAMPLES)
    assert not [op for op in OPS if f"op: {op}," not in text and f"op: {op}}}" not in text]
