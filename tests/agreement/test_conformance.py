"""Runs the conformance suite on the shipped backends: every op and network, also in training."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import frameworks
import pytest
from initial import undrawn
from known import known_bug

from inception_dsl.ir.typed import TypedProgram
from inception_dsl.ops import OPS
from inception_dsl.testing import conformance
from inception_dsl.testing.conformance import SAMPLES, Agrees

# smaller inputs, to save time; the auxiliary heads of GoogLeNet and Inception-v3 need the full size
INPUTS = {
    "v1_article": "224x224x3",
    "v2": "96x128x3",
    "v4": "107x139x3",
    "inception_resnet_v1": "107x139x3",
    "inception_resnet_v2": "107x139x3",
}


class Reference:
    """Caches the last case and its reference results, for both backends."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
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
def free_memory() -> Iterator[None]:
    """Free the cached results of a large network before other modules run."""
    yield
    REFERENCE.clear()
    gc.collect()


class Shipped(Agrees):
    """The suite without tests that others already cover for these backends.

    The comparisons emit code too; ``robustness/test_bytes.py`` compares the bytes of all networks.
    """

    specs = frameworks.SPECS
    inputs = INPUTS
    test_every_op_is_emitted_or_rejected = None  # type: ignore[assignment]
    test_networks_are_emitted_or_rejected = None  # type: ignore[assignment]
    test_output_is_the_same_for_every_hash_seed = None  # type: ignore[assignment]

    @pytest.fixture(autouse=True)
    def one_reference(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Compute the reference once per network, for both backends."""
        monkeypatch.setattr(conformance, "prepared", REFERENCE.prepared)
        monkeypatch.setattr(conformance, "expect", REFERENCE.expect)

    def model(self, typed: TypedProgram, dtype: str = "float64") -> Any:
        """A model without random initial values, as weights are loaded later."""
        with undrawn(self.backend):
            return super().model(typed, dtype)


class TestTorch(Shipped):
    backend = "torch"


class TestKeras(Shipped):
    backend = "keras"

    def defect(self, sample: str) -> str:
        return known_bug("keras", sample)


def test_samples_cover_every_op() -> None:
    text = " ".join(sample.steps for sample in SAMPLES)
    assert not [op for op in OPS if f"op: {op}," not in text and f"op: {op}}}" not in text]
