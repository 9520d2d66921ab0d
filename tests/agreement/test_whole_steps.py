"""Whole training steps of scripts, as `verify --recipe` runs them, and seeded defects."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paths import ROOT
from scripts import compiled, emitted, step_errors, written
from step_defects import DEFECTS, NETWORKS, RECIPES, TEXT

from inception_dsl import plugins
from inception_dsl.backend import Trained, Updated
from inception_dsl.diagnostics.report import Report
from inception_dsl.verify.recipe import narrow
from inception_dsl.verify.whole_steps import BOUND, KINDS, Reference

pytest.importorskip("torch")
pytest.importorskip("keras")
BACKENDS = ("torch", "keras")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", RECIPES)
def test_whole_steps_of_recipes(name: str, backend: str, tmp_path: Path) -> None:
    typed = compiled(written(tmp_path, RECIPES[name], TEXT))
    worst = step_errors(typed, emitted(typed, backend), backend)
    absent = {"average"} - {*RECIPES[name]} | ({"slots"} if name == "plain sgd" else set())
    assert {*worst} == {*KINDS} - absent
    assert max(worst.values()) < BOUND, worst


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("recipe", ["v3", "adam"])
def test_whole_steps_of_networks(name: str, recipe: str, backend: str, tmp_path: Path) -> None:
    typed = compiled(written(tmp_path, RECIPES[recipe], NETWORKS[name]))
    worst = step_errors(typed, emitted(typed, backend), backend)
    assert max(worst.values()) < BOUND, worst


@pytest.mark.parametrize("name", DEFECTS)
def test_seeded_defect_is_found(name: str, tmp_path: Path) -> None:
    defect = DEFECTS[name]
    recipe, text = RECIPES.get(defect.name, RECIPES["v3"]), NETWORKS.get(defect.name, TEXT)
    typed = compiled(written(tmp_path, recipe, text))
    files = emitted(typed, defect.backend)
    assert defect.right in files[defect.file], files[defect.file]
    files[defect.file] = files[defect.file].replace(defect.right, defect.wrong)
    worst = step_errors(typed, files, defect.backend)
    assert max(worst.values()) > 100 * BOUND, worst


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("args.world > 1 and not last", "args.world > 1", "do not share the gradients"),
        ("args.world > 1 and not last", "False", "do not share the gradients of the last part"),
        ("enabled=args.amp", "enabled=True", "computes in bfloat16 without --amp"),
    ],
    ids=["never shared", "shared in each part", "bfloat16"],
)
def test_what_results_do_not_show(right: str, wrong: str, message: str, tmp_path: Path) -> None:
    typed = compiled(written(tmp_path, RECIPES["v3"], TEXT))
    files = emitted(typed, "torch")
    assert right in files["train_small.py"]
    files["train_small.py"] = files["train_small.py"].replace(right, wrong)
    with pytest.raises(ValueError, match=message):
        step_errors(typed, files, "torch")


def verified(
    spec: Path, *options: str, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command; packages in ``path`` take the place of those that are installed."""
    paths = [str(path)] * bool(path) + [os.environ.get("PYTHONPATH", "")]
    call = [sys.executable, "-m", "inception_dsl", "verify", str(spec), "--recipe", *options]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return subprocess.run(call, env=environment, capture_output=True, text=True, check=False)


def test_the_command(tmp_path: Path) -> None:
    spec = written(tmp_path, RECIPES["v3"], TEXT)
    done = verified(spec, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = json.loads(done.stdout)
    assert (found["whole_steps"], found["allowed_whole_steps"]) == (3, 1e-8)
    assert [outcome["target"] for outcome in found["outcomes"]] == ["keras", "torch"]
    for outcome in found["outcomes"]:
        assert [*outcome["whole_steps"]] == [*KINDS]
        assert all(0 <= error < 1e-10 for error in outcome["whole_steps"].values())
        assert [*outcome["errors"]] == ["rates", "weights", "slots", "average"]


def test_the_command_names_what_differs(tmp_path: Path) -> None:
    """Optimisers that are right do not hide a step that is wrong."""
    for name in ("inception_dsl_torch", "inception_dsl_keras"):
        shutil.copytree(ROOT / "backends" / name, tmp_path / name)
        template = tmp_path / name / "templates" / "train.py.j2"
        text = template.read_text()
        right = "(part / args.accumulate)" if "torch" in name else "ops.mean(source.loss("
        wrong = "(part / 1)" if "torch" in name else "2 * ops.mean(source.loss("
        assert right in text
        template.write_text(text.replace(right, wrong))
    done = verified(written(tmp_path, RECIPES["v3"], TEXT), path=tmp_path)
    assert done.returncode == 1
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    titles = ("  200 updates ", "  3 whole steps ")
    updates, steps = (n for n, line in enumerate(lines) if line.startswith(titles))
    assert [line.split()[-1] for line in lines[updates + 1 : updates + 3]] == ["agrees"] * 2
    assert [line.split()[-1] for line in lines[steps + 1 : steps + 3]] == ["differs"] * 2
    assert lines[-2].startswith(
        "  keras differs: loss differs after whole step 1: relative error 1"
    )
    assert lines[-1].startswith("  torch differs: update of `")
    assert " differs after whole step 2: relative error " in lines[-1]


@pytest.fixture
def reference(tmp_path: Path) -> Reference:
    ((_, backend),) = plugins.chosen(["torch"], Report())
    return Reference(compiled(written(tmp_path, RECIPES["v3"], TEXT)), backend)


def test_a_batch_is_split_where_a_script_can(reference: Reference) -> None:
    batches = [step.batch for step in reference.steps()]
    assert [(b.parts, b.processes) for b in batches] == [(1, 1), (2, 1), (2, 2)]
    assert {len(b.images) % 2 for b in batches} == {0}
    ((_, keras),) = plugins.chosen(["keras"], Report())
    parts = [step.batch for step in Reference(reference.typed, keras).steps()]
    assert [(b.parts, b.processes) for b in parts] == [(1, 1), (2, 1), (1, 1)]
    whole = [
        step.batch for step in Reference(reference.typed, keras._replace(splits=False)).steps()
    ]
    assert [(b.parts, b.processes) for b in whole] == [(1, 1)] * 3
    for one, other in (*zip(batches, parts, strict=True), *zip(batches, whole, strict=True)):
        np.testing.assert_array_equal(one.images, other.images)


def changed(state: Updated, kind: str, path: str, value: Any) -> Updated:
    """A state with one array changed; ``None`` leaves it out."""
    arrays = {k: v for k, v in getattr(state, kind).items() if k != path}
    return state._replace(**{kind: arrays if value is None else {**arrays, path: value}})


def test_errors_of_each_kind(reference: Reference) -> None:
    *_, step = reference.steps()
    loss, state = step.done
    assert max(reference.errors(step, step.done).values()) == 0
    path = next(p for p in state.slots if p.endswith("kernel"))
    moving = next(p for p in state.weights if p.endswith("moving_mean"))
    w, rounding = state.weights[path], 2 * np.spacing(state.weights[path])
    slots = {**state.slots[path], "velocity": state.slots[path]["velocity"] + 1e-3}
    for key, found in {
        ("loss", ""): Trained(float("nan"), state),
        ("weights", path): Trained(loss, changed(state, "weights", path, None)),
        ("update", path): Trained(loss, changed(state, "weights", path, w[..., :1])),
        ("slots", f"{path}/velocity"): Trained(loss, changed(state, "slots", path, slots)),
        ("statistics", moving): Trained(loss, changed(state, "weights", moving, None)),
        ("average", path): Trained(loss, changed(state, "average", path, w * np.inf)),
    }.items():
        assert reference.errors(step, found)[key] > 1e-4, key
    rounded = changed(state, "weights", path, w + rounding)
    assert reference.errors(step, Trained(loss, rounded))["update", path] == 0
    change = np.abs(w - step.state.weights[path]).max()
    slightly = changed(state, "weights", path, w + 1e-6 * change)
    errors = reference.errors(step, Trained(loss, slightly))
    assert errors["update", path] > BOUND, "a small error of a gradient is not that of a weight"


def test_the_network_of_a_comparison() -> None:
    for settings, width, size in (
        ({}, "0.0625", (75, 75)),
        ({"input": "80x96x3"}, "0.0625", (80, 96)),
        ({"width": "0.03125"}, "0.03125", (75, 75)),
        ({"input.height": "107"}, "0.0625", (107, 299)),
        ({"preprocessing.resize": "{size: 299, method: linear}"}, "0.0625", (299, 299)),
        ({"preprocessing.resize": "{method: linear}"}, "0.0625", (75, 75)),
    ):
        found = narrow("inception-dsl:v4", settings, Report())
        assert found is not None
        assert found.settings["width"] == width
        assert found.typed.program.input.spatial == size
        assert {*settings.items()} <= {*found.settings.items()}


def test_a_graph_of_a_step_computes_the_same(tmp_path: Path) -> None:
    """`verify` runs Keras eagerly; scripts compile a graph."""
    import keras
    from inception_dsl_keras import runner
    from inception_dsl_keras.runner_engine import floats
    from inception_dsl_keras.runner_recipe import Updates, script_of

    spec = written(tmp_path, RECIPES["v3"], TEXT)
    typed, found = compiled(spec), []
    ((_, backend),) = plugins.chosen(["keras"], Report())
    reference = Reference(typed, backend)
    first, second, _ = reference.steps()
    for eager in (True, False):
        files = emitted(typed, "keras")
        model = runner.create(typed, files, "float64")
        model.load(reference.before(first).weights)
        with floats("float64"):
            script = script_of(files, model.module)
            own = Updates(script, model, script.Rates(40, 10, 1))
            trainee = script.Trainee(model.model)
            trainee.compile(own.optimizer, run_eagerly=eager)
            trainee.average = own.average
            for step in (first, second):
                x, y = step.batch.images, np.asarray(step.batch.classes, "int32")
                trainee.train_on_batch(x, y)
        found.append(own.state(2))
        keras.backend.clear_session()
    for kind in ("weights", "average"):
        for path, value in getattr(found[0], kind).items():
            np.testing.assert_allclose(getattr(found[1], kind)[path], value, rtol=0, atol=1e-12)
