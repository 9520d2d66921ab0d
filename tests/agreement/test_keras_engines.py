"""Generated Keras code on TensorFlow, JAX and PyTorch in float32: networks, ops, geometry."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from inception_dsl_keras import BACKEND
from keras_specs import AREAS, FLAT, LINES, POOLS, SOLIDS, block
from known import BUGS, known_bug

from inception_dsl.testing.cases import all_cases
from inception_dsl.verify.bounds import FLOAT32

ROOT = Path(__file__).parents[2]
ENGINES = [engine.name for engine in BACKEND.engines]
# small and not square, except for Inception-v3, whose auxiliary head needs the full size
INPUTS = {
    "v0": "9x12x192",
    "v1": "96x112x3",
    "v1_article": "193x224x3",
    "v2": "64x96x3",
    "v2_article": "193x224x3",
    "v3": "299x307x3",
    "v4": "75x96x3",
    "inception_resnet_v1": "75x96x3",
    "inception_resnet_v2": "75x96x3",
}
GEOMETRY = [
    *((step, AREAS[1]) for step in FLAT),
    *((step, "length: 10") for step in LINES),
    *((step, "depth: 5, height: 4, width: 7") for step in (*SOLIDS, *POOLS)),
]


@cache
def errors_on(engine: str) -> dict[str, Any]:
    """The errors of everything on an engine, computed in one process."""
    (chosen,) = [found for found in BACKEND.engines if found.name == engine]
    specs = {f"sample-{i}": c.text for i, c in enumerate(all_cases())}
    specs |= {f"geometry-{i}": block(step, axes) for i, (step, axes) in enumerate(GEOMETRY)}
    with TemporaryDirectory() as folder:
        for name, text in specs.items():
            (Path(folder) / f"{name}.yaml").write_text(text)
        networks = [f"{ROOT / 'specs' / name}.yaml={size}" for name, size in INPUTS.items()]
        call = [
            sys.executable,
            str(Path(__file__).with_name("on_engine.py")),
            "keras",
            folder,
            *networks,
        ]
        # XLA compilation takes longer than the computations
        environment = {
            **os.environ,
            **dict(chosen.environment),
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        }
        done = subprocess.run(call, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["engine"] == engine
    assert found["samples"].keys() == specs.keys()
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_networks_match_the_reference(engine: str) -> None:
    assert {spec.stem for spec in (ROOT / "specs").glob("*.yaml")} == INPUTS.keys()
    found = errors_on(engine)["networks"]
    assert found.keys() == INPUTS.keys()
    assert not {name: error for name, error in found.items() if error > FLOAT32}


@pytest.mark.parametrize("engine", ENGINES)
def test_ops_match_the_reference(engine: str) -> None:
    found = errors_on(engine)["samples"]
    wrong = {f"{GEOMETRY[i]}" for i in range(len(GEOMETRY)) if found[f"geometry-{i}"] > FLOAT32}
    for i, case in enumerate(all_cases()):
        if not known_bug("keras", case.name, engine, "float32") and found[f"sample-{i}"] > FLOAT32:
            wrong.add(case.name)
    assert not wrong


@pytest.mark.parametrize(
    ("engine", "index"),
    [
        pytest.param(
            engine,
            i,
            id=f"{case.name}-{engine}",
            marks=pytest.mark.xfail(strict=True, reason=reason),
        )
        for engine in ENGINES
        for i, case in enumerate(all_cases())
        if (reason := known_bug("keras", case.name, engine, "float32"))
    ],
)
def test_known_framework_bug_still_exists(engine: str, index: int) -> None:
    assert errors_on(engine)["samples"][f"sample-{index}"] <= FLOAT32


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("layer", sorted({d.layer for d in BUGS if d.layer}))
def test_known_bug_of_a_framework_layer(
    engine: str, layer: str, request: pytest.FixtureRequest
) -> None:
    """Bugs that the generated code works around, or cannot avoid."""
    for found in BUGS:
        if (found.engine, found.layer) == (engine, layer) and found.shows_here:
            reason = f"{found.versions}: {found.reason}"
            request.applymarker(pytest.mark.xfail(strict=True, reason=reason))
    assert errors_on(engine)["layers"][layer] <= FLOAT32
