"""The shipped backends through the suite that every backend inherits.

It tries every op and every network, in inference and in training.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import frameworks
import pytest
from initial import undrawn
from known import defect

from inception_dsl.ir.typed import TypedProgram
from inception_dsl.ops import OPS
from inception_dsl.testing import conformance
from inception_dsl.testing.conformance import SAMPLES, Agrees

# where the spec's own input costs more than it shows; the heads of GoogLeNet and Inception-v3
# need theirs
INPUTS = {
    "v1_article": "224x224x3",
    "v2": "96x128x3",
    "v4": "107x139x3",
    "inception_resnet_v1": "107x139x3",
    "inception_resnet_v2": "107x139x3",
}


class Reference:
    """The last case and what the reference computes of it, for both backends."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.arguments: Any = None
        self.case: Any = None
        self.known: tuple[Any, Any] = (None, None)

    def prepared(self, *arguments: Any, **more: Any) -> Any:
        if self.arguments != (arguments, more):
            self.case, self.arguments = PREPARED(*arguments, **more), (arguments, more)
        return self.case

    def expect(self, case: Any, *, train: bool) -> Any:
        assert train
        if self.known[0] is None or self.known[0].x is not case.x:
            self.known = case, EXPECT(case, train=True)
        return self.known[1]


PREPARED, EXPECT, REFERENCE = conformance.prepared, conformance.expect, Reference()


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    """What the reference computed of a large network is let go before other modules run."""
    yield
    REFERENCE.forget()
    gc.collect()


class Shipped(Agrees):
    """The suite without what it or another test does for these backends anyway.

    What agrees is printed; ``robustness/test_bytes.py`` compares the bytes of all networks.
    """

    specs = frameworks.SPECS
    inputs = INPUTS
    test_every_op_is_printed_or_refused = None  # type: ignore[assignment]
    test_networks_are_printed_or_refused = None  # type: ignore[assignment]
    test_the_same_bytes_whatever_the_order_of_hashes = None  # type: ignore[assignment]

    @pytest.fixture(autouse=True)
    def one_reference(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both backends are held to the same reference, which is computed once for a network."""
        monkeypatch.setattr(conformance, "prepared", REFERENCE.prepared)
        monkeypatch.setattr(conformance, "expect", REFERENCE.expect)

    def model(self, typed: TypedProgram, dtype: str = "float64") -> Any:
        """A model, whose initial values are loaded over."""
        with undrawn(self.backend):
            return super().model(typed, dtype)


class TestTorch(Shipped):
    backend = "torch"


class TestKeras(Shipped):
    backend = "keras"

    def defect(self, sample: str) -> str:
        return defect("keras", sample)


def test_the_samples_exercise_every_op() -> None:
    text = " ".join(sample.steps for sample in SAMPLES)
    assert not [op for op in OPS if f"op: {op}," not in text and f"op: {op}}}" not in text]
