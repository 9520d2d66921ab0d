"""The generator of random overlays: deterministic, valid, and with every kind of change."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from paths import ROOT

from inception_dsl.backend import Report, TypedProgram
from inception_dsl.compiler import compile_spec
from inception_dsl.testing.plain_specs import merged, plain_spec
from inception_dsl.testing.random_blocks import Step
from inception_dsl.testing.random_changes import changed_spec
from inception_dsl.testing.random_ranges import Ranged
from inception_dsl.testing.random_shapes import Misfit, Shape
from inception_dsl.testing.random_specs import MAIN, RandomSpec

SPECS = ROOT / "specs"
SEEDS = range(150)
CHANGES = (
    *("network:", "classes:", "input:", "params:", "defaults:", "blocks:", "import:"),
    *("stem:", "body:", "head:", "aux_heads:", "outputs:", "training:", "checkpoints: null"),
)


def compiled(spec: RandomSpec) -> tuple[TypedProgram | None, Report]:
    report = Report()
    with TemporaryDirectory() as folder:
        return compile_spec(spec.write(Path(folder)), {}, report), report


def test_every_seed_is_a_valid_spec_with_and_without_its_base() -> None:
    for seed in SEEDS:
        for spec in changed_spec(seed, SPECS):
            typed, report = compiled(spec)
            assert typed is not None, f"seed {seed}: {spec.text}\n{report.render()}"


def test_every_part_of_a_spec_is_changed() -> None:
    texts = [changed_spec(seed, SPECS).spec.files[MAIN] for seed in SEEDS]
    lines = Counter(word for text in texts for word in CHANGES if f"\n{word}" in text)
    assert min(lines[word] for word in CHANGES) > 5, lines
    bases = Counter(text.splitlines()[0] for text in texts)
    assert len(bases) > 15, bases


def test_spec_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from inception_dsl.testing.random_changes import changed_spec; "
        "print([changed_spec(s, Path(sys.argv[1])) for s in range(15)])"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code, str(SPECS)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(texts) == 1


def test_plain_spec_has_all_blocks_and_no_other_files() -> None:
    found = plain_spec(SPECS / "published" / "keras_inception_resnet_v2.yaml")
    assert not {"extends", "import"} & found.keys()
    assert "inception_v3_a" in found["blocks"]
    assert [step.get("activation", step["op"]) for step in found["head"]] == [
        "global_avg_pool",
        "softmax",
    ]
    assert found["head"][-1]["units"].of({"classes": 7}) == 7


@pytest.mark.parametrize(
    ("over", "result"),
    [
        ({"a": {"n": 2}}, [{"name": "a", "n": 2}, {"use": "b"}, {"op": "c"}]),
        ({"b": None, 2: [{"op": "d"}, {"op": "e"}]}, [{"name": "a"}, {"op": "d"}, {"op": "e"}]),
        ({1: {"n": 3}}, [{"name": "a"}, {"use": "b", "n": 3}, {"op": "c"}]),
        ([{"op": "d"}], [{"op": "d"}]),
    ],
)
def test_merged_follows_the_rules_of_overlays(over: Step, result: list[Step]) -> None:
    assert merged([{"name": "a"}, {"use": "b"}, {"op": "c"}], over) == result


@pytest.mark.parametrize("own", [{"stride": 2, "dilation": 2}, {"dilation": [1, 2, 1]}])
def test_no_convolution_of_three_axes_has_a_stride_and_a_dilation(own: Step) -> None:
    """Also with a stride from `defaults`: Keras needs a pool, which TensorFlow has in float32."""
    book = Ranged({}, {"conv": {"stride": 2}})
    step = {"op": "conv", "filters": 2, "kernel_size": 1}
    assert book.after(step, Shape((4, 4, 4), 2), {}) == Shape((2, 2, 2), 2)
    with pytest.raises(Misfit):
        book.after({**step, **own}, Shape((4, 4, 4), 2), {})
