"""The shipped networks in every framework: counts, shapes, and outputs for photographs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frameworks import BACKENDS, ROOT, SPECS, running, shipped
from skimage import data
from skimage.transform import resize

from inception_dsl.analysis.cost import cost, layers
from inception_dsl.ir.typed import TypedProgram, TypedUse
from inception_dsl.ir.walk import walk_program
from inception_dsl.reference.preprocessing import preprocess
from inception_dsl.reference.seeds import calibrated, seeded

IDS = [spec.stem for spec in SPECS]


def photograph(typed: TypedProgram) -> Any:
    """Two photographs in the shape of the network's input, pixels from 0 to 255."""
    *spatial, channels = typed.program.input.shape
    pictures = [
        resize(picture, spatial, preserve_range=True)
        for picture in (data.astronaut(), data.coffee())
    ]
    return np.stack([np.tile(p, -(-channels // 3))[..., :channels] for p in pictures])


def normalised(typed: TypedProgram, pixels: Any) -> Any:
    """The photographs after the spec's ``preprocessing``, or standardised if it has none."""
    steps = typed.program.preprocessing
    if steps is None:
        return (pixels - pixels.mean()) / pixels.std()
    return preprocess(steps, pixels)


@lru_cache(maxsize=1)
def seen(spec: Path) -> tuple[Any, Any]:
    """The photographs as input, and weights calibrated on them."""
    typed = shipped(spec)
    x = normalised(typed, photograph(typed))
    return x, calibrated(typed, seeded(typed), x)


def test_there_are_nine_specs() -> None:
    assert len(SPECS) == 9


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_counts_shapes_and_outputs(spec: Path, backend: str) -> None:
    typed = shipped(spec)
    model = running(backend, typed, "float32")
    totals = cost(list(layers(typed)))
    assert model.parameters() == (totals.trainable, totals.non_trainable)
    x, weights = seen(spec)
    model.load(weights)
    outputs, blocks = model.inference(x)
    assert {name: y.shape[1:] for name, y in outputs.items()} == {typed.output_name: typed.y.shape}
    assert all(np.isfinite(y).all() for y in outputs.values())
    assert not np.allclose(*outputs[typed.output_name]), (
        "the outputs for two photographs must differ"
    )
    expected = {
        "/".join(path): node.y.shape
        for path, node in walk_program(typed, heads=False)
        if isinstance(node, TypedUse)
    }
    found = {path: y.shape[1:] for path, y in blocks.items() if path in expected}
    assert found == expected
    trained = model.forward(x, training=True)
    assert {name: y.shape[1:] for name, y in trained.items()} == {
        k: t.shape for k, t in typed.outputs.items()
    }


def test_repository_has_a_folder_of_blocks() -> None:
    assert (ROOT / "specs" / "blocks").is_dir()
