"""Whole training steps of PyTorch scripts, each from the reference's state: pixels, loss, gradients
of all parts of a batch, update, moving statistics and average.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scripts import BATCH, CLASSES, NETWORK, compiled, emitted, written

from inception_dsl.reference.preprocessing import preprocess
from inception_dsl.reference.recipe import Recipe, State
from inception_dsl.reference.seeds import calibrated, seeded
from inception_dsl.reference.training import step as reference_step
from inception_dsl.reference.training import unbiased
from inception_dsl.verify.recipe import MOVING, apart

torch = pytest.importorskip("torch")
runner = pytest.importorskip("inception_dsl_torch.runner")
scripts = pytest.importorskip("inception_dsl_torch.runner_script")
layouts = pytest.importorskip("inception_dsl_torch.runner_layouts")
BOUND, STEPS, IMAGES = 1e-8, 4, 80
HEADS = """
aux_heads: {aux: {after: early, loss_weight: 0.4,
    steps: [{op: global_avg_pool}, {op: dense, units: $classes}]}}
"""
TEXT = NETWORK.replace("  - {op: dropout, rate: 0.25}\n", "").replace(
    "{op: layer_norm}", "{op: layer_norm, name: early}"
)
RECIPES: dict[str, dict[str, Any]] = {
    "v3": {
        "label_smoothing": 0.1,
        "optimizer": {"name": "rmsprop", "form": "tensorflow", "rate": 0.045, "momentum": 0.9,
                      "decay": 0.9, "epsilon": 1.0},
        "schedule": {"name": "staircase", "factor": 0.5, "every_steps": 2},
        "weight_decay": {"rate": 0.01},
        "gradient_clip": {"norm": 0.5},
        "average": {"decay": 0.9, "warm_up": True},
    },
    "v1": {
        "optimizer": {"name": "sgd", "form": "caffe", "rate": 0.05, "momentum": 0.9},
        "schedule": {"name": "staircase", "factor": 0.5, "every_steps": 2},
        "weight_decay": {"rate": 0.01},
        "groups": {"biases": {"rate": 2, "decay": 0}},
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


class Trained:
    """A script beside its model, which goes on from states of the reference."""

    def __init__(self, folder: Path, name: str, parts: int, change: tuple[str, str]) -> None:
        self.typed = compiled(written(folder, RECIPES[name], TEXT + HEADS))
        files, script = emitted(self.typed, "torch"), "train_small.py"
        assert change[0] in files[script]
        files[script] = files[script].replace(*change)
        self.model = runner.create(self.typed, files, "float64")
        self.script = scripts.script_of(files, self.model.module)
        self.optimizer = self.script.make_optimizer(self.model.net)
        kind = getattr(self.script, "Average", None)
        self.average = kind(self.model.net) if kind else None
        self.args = SimpleNamespace(
            seed=0, rank=0, world=1, accumulate=parts, amp=False,
            device=torch.device("cpu"), format=torch.contiguous_format,
        )  # fmt: skip

    def set(self, state: State, moving: dict[str, Any]) -> None:
        """Take over weights, statistics, slots and averages of the reference."""
        self.model.load({**state.weights, **moving})
        parameters = dict(self.model.net.named_parameters())
        for binding in self.model.bindings:
            if binding.key in parameters and state.step:
                p = parameters[binding.key]
                own = {
                    name: torch.tensor(layouts.native(v, binding.layout)).reshape(p.shape)
                    for name, v in state.slots[binding.path].items()
                    if name in self.optimizer.state[p]
                }
                self.optimizer.state[p].update(own)
            if self.average and state.average:
                held = self.average.model.state_dict()[binding.key]
                value = layouts.native(state.average[binding.path], binding.layout)
                held.copy_(torch.from_numpy(value).reshape(held.shape))

    def step(self, number: int, images: Any, classes: Any) -> float:
        """One step of the script; returns the loss."""
        halves = zip(
            np.split(np.moveaxis(images, -1, 1), self.args.accumulate),
            np.split(classes, self.args.accumulate),
            strict=True,
        )
        parts = [(torch.from_numpy(x.copy()), torch.from_numpy(y)) for x, y in halves]
        loss = self.script.train_step(self.model.net, parts, number, self.args)
        self.script.update(self.model.net, self.optimizer, number, IMAGES)
        if self.average:
            self.average.update(self.model.net, number + 1)
        return float(loss)


def expected(
    trained: Trained, state: State, moving: dict[str, Any], images: Any, classes: Any
) -> tuple[float, State, dict[str, Any]]:
    """The loss, the state and the moving statistics after a step of the reference."""
    typed, parts = trained.typed, trained.args.accumulate
    assert typed.program.preprocessing is not None
    x = preprocess(typed.program.preprocessing, images)
    gradients, losses = [], []
    for own, labels in zip(np.split(x, parts), np.split(classes, parts), strict=True):
        given = {**state.weights, **moving}
        found = reference_step(typed, given, own, {typed.output_name: labels}, 0.0)
        gradients.append(found.gradients)
        losses.append(found.loss)
        moving = {path: unbiased(found)[path] for path in moving}
    training = typed.program.training
    assert training is not None
    recipe = Recipe(training._replace(samples=IMAGES))
    return float(np.mean(losses)), recipe.advance(state, gradients, moving), moving


def worst(
    folder: Path, name: str, parts: int, change: tuple[str, str] = ("import", "import")
) -> float:
    """The largest error of all steps, each from the reference's state."""
    trained = Trained(folder, name, parts, change)
    rng, typed = np.random.default_rng(0), trained.typed
    images = rng.integers(0, 256, (BATCH, 8, 8, 3)).astype("float64")
    assert typed.program.preprocessing is not None
    x = preprocess(typed.program.preprocessing, images)
    weights = calibrated(typed, seeded(typed), x)
    moving = {path: w for path, w in weights.items() if path.endswith(MOVING)}
    training = typed.program.training
    assert training is not None
    recipe = Recipe(training._replace(samples=IMAGES))
    state = recipe.begin({p: w for p, w in weights.items() if p not in moving}, moving)
    found = 0.0
    for number in range(STEPS):
        images = rng.integers(0, 256, (BATCH, 8, 8, 3)).astype("float64")
        classes = rng.integers(0, CLASSES, BATCH)
        trained.set(state, moving)
        loss = trained.step(number, images, classes)
        right, state, moving = expected(trained, state, moving, images, classes)
        found = max(found, abs(loss - right) / right)
        found = max(found, apart(trained.model.weights(), {**state.weights, **moving})[0])
        if trained.average:
            average = trained.model._neutral(trained.average.model.state_dict())
            found = max(found, apart(average, state.average)[0])
    return found


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("name", RECIPES)
def test_whole_steps(name: str, parts: int, tmp_path: Path) -> None:
    assert worst(tmp_path, name, parts) < BOUND


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (("(part / args.accumulate).backward()", "part.backward()"), 2),
        (("    model.zero_grad()\n", ""), 1),
        (("source.preprocess(images", "(images"), 1),
        (("    model.train()\n", "    model.eval()\n"), 1),
        (("p.grad.add_(p,", "p.grad.sub_(p,"), 1),
        (("part.detach() / args.accumulate", "part.detach()"), 2),
    ],
)
def test_seeded_defect_is_found(change: tuple[str, str], parts: int, tmp_path: Path) -> None:
    assert worst(tmp_path, "v3", parts, change) > 100 * BOUND
