"""The formats in which models are saved, the names of their layers, and wrong arguments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras_specs import SMALL

Make = Callable[[str], Any]
POOLS = """
network: pools
input: {channels: 3, height: 12, width: 12}
defaults: {max_pool: {padding: valid, ceil_mode: true}}
body:
  - {op: max_pool, name: even, kernel_size: 3, stride: 2}
  - {op: avg_pool, name: whole, kernel_size: 3, padding: valid, ceil_mode: true, stride: 3}
"""
NORMED = POOLS + "  - {op: local_response_norm, name: norm, size: 3}\n"


def test_the_old_format_works_without_operations(module_of: Make, tmp_path: Path) -> None:
    module = module_of(POOLS)
    model, x = module.pools(), np.random.default_rng(0).normal(size=(2, 12, 12, 3))
    model.save(tmp_path / "model.h5")
    again = keras.models.load_model(tmp_path / "model.h5")
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_the_docstring_says_where_the_old_format_fails(module_of: Make, tmp_path: Path) -> None:
    module = module_of(NORMED)
    assert "Save it as ``.keras``" in " ".join(module.__doc__.split())
    model, x = module.pools(), np.random.default_rng(0).normal(size=(2, 12, 12, 3))
    model.save(tmp_path / "model.h5")
    with pytest.raises(ValueError, match="Unknown layer"):
        keras.models.load_model(tmp_path / "model.h5")
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_names_of_pools_do_not_depend_on_the_process(module_of: Make) -> None:
    """Where the padding is that of a Keras layer, a pool is this layer."""
    module = module_of(POOLS)
    names = [[layer.name for layer in module.pools().layers] for _ in range(2)]
    assert names == [["input", "even", "whole"]] * 2


def test_googlenet_has_few_layers_with_other_names(module_of: Make) -> None:
    """Only the powers of local response norm are operations."""
    found = module_of("v1").googlenet(aux_logits=True).operations
    other = [x.name for x in found if not isinstance(x, keras.layers.Layer)]
    assert sorted(name.rstrip("_0123456789") for name in other) == [
        *["add"] * 2,
        *["multiply"] * 2,
        *["power"] * 2,
    ]


def test_arguments_that_no_model_can_have(module_of: Make) -> None:
    small = module_of(SMALL).small
    with pytest.raises(ValueError, match="aux_logits needs include_top"):
        small(include_top=False, aux_logits=True)
    for shape in ((9, 9, 0), (9, 9, None), (9, 9), (9, 9, 3, 1)):
        with pytest.raises(ValueError, match="small needs 2 sizes and the number of channels"):
            small(input_shape=shape)
    assert small(include_top=False).output_shape == (None, 9, 9, 8)


def test_blocks_are_called_with_keywords(source_of: Make) -> None:
    call = " ".join(source_of("v1").split())
    assert "inception( x, filters_1x1=64, filters_3x3_reduce=96, filters_3x3=128," in call
