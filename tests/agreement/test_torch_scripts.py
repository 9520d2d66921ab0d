"""The training scripts of PyTorch against the interpreter of recipes, and seeded defects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripts import compiled, emitted, errors, written

runner = pytest.importorskip("inception_dsl_torch.runner")
BOUND = 1e-12
SGD = {"name": "sgd", "rate": 0.05, "momentum": 0.9}
RMS = {"name": "rmsprop", "rate": 0.045, "decay": 0.9, "epsilon": 1.0}
ADAM = {"name": "adam", "rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-3}
L2 = {"rate": 0.01}
DECOUPLED = {"rate": 0.05, "form": "decoupled"}
STAIRS = {"name": "staircase", "factor": 0.8, "every_epochs": 2}
GROUPS = {"biases": {"rate": 2, "decay": 0}, "norms": {"rate": 0.5, "decay": 0.25}}
FORMS = ("caffe", "tensorflow", "keras", "torch")
SCHEDULES: dict[str, Any] = {
    "none": None,
    "staircase": STAIRS,
    "exponential": {"name": "exponential", "factor": 0.9, "every_epochs": 2.5},
    "steps": {"name": "steps", "factor": 0.1, "at_epochs": [3, 5.5, 9]},
    "fixed": {"name": "steps", "factor": 0.1, "at_steps": [7, 90]},
    "polynomial": {"name": "polynomial", "power": 0.5, "end": 0.1},
    "cosine": {"name": "warm_up", "epochs": 3, "start": 0.1, "then": {"name": "cosine"}},
    "chain": {
        "name": "warm_up",
        "steps": 13,
        "then": {"name": "constant", "epochs": 2, "then": {**STAIRS, "every_epochs": 1}},
    },
}


def recipes() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for form in FORMS:
        for name, optimizer in (
            ("sgd", SGD),
            ("plain sgd", {"name": "sgd", "rate": 0.05}),
            ("nesterov", {**SGD, "nesterov": True}),
            ("rmsprop", RMS),
            ("rmsprop with momentum", {**RMS, "momentum": 0.9}),
            ("adam", ADAM),
        ):
            if not (form == "caffe" and name == "rmsprop with momentum"):
                found[f"{name}, {form}"] = {
                    "optimizer": {**optimizer, "form": form},
                    "schedule": STAIRS,
                    "weight_decay": L2,
                    "gradient_clip": {"norm": 2.0},
                    "average": {"decay": 0.99, "warm_up": True},
                }
    for form in ("keras", "torch"):
        optimizer = {**ADAM, "name": "adamw", "form": form}
        found[f"adamw, {form}"] = {"optimizer": optimizer, "weight_decay": DECOUPLED}
    for form in ("keras", "tensorflow"):
        optimizer = {**ADAM, "name": "lamb", "form": form}
        found[f"lamb, {form}"] = {"optimizer": optimizer, "weight_decay": DECOUPLED}
    sgd = {"optimizer": {**SGD, "form": "torch"}}
    for name, schedule in SCHEDULES.items():
        found[f"schedule {name}"] = {**sgd, "epochs": 20, "schedule": schedule}
    for form in FORMS:
        rms = {"optimizer": {**RMS, "form": form}}
        found[f"groups, {form}"] = {**rms, "weight_decay": L2, "groups": GROUPS}
        found[f"value, {form}"] = {**rms, "weight_decay": L2, "gradient_clip": {"value": 0.01}}
        found[f"average, {form}"] = {**rms, "average": {"decay": 0.9, "statistics": False}}
        found[f"decay on all, {form}"] = {**rms, "weight_decay": {**L2, "on": "all"}}
        found[f"decoupled, {form}"] = {**rms, "weight_decay": DECOUPLED, "groups": GROUPS}
    return found


@pytest.mark.parametrize("name", recipes())
def test_every_recipe_agrees(name: str, tmp_path: Path) -> None:
    typed = compiled(written(tmp_path, recipes()[name]))
    worst = errors(typed, emitted(typed, "torch"), runner)
    assert max(worst.values()) < BOUND, worst


V3 = {
    "optimizer": {**RMS, "form": "tensorflow", "momentum": 0.9},
    "epochs": 20,
    "schedule": STAIRS,
    "weight_decay": L2,
    "gradient_clip": {"norm": 2.0},
    "average": {"decay": 0.99, "warm_up": True},
}
V1 = {
    "optimizer": {**SGD, "form": "caffe"},
    "schedule": {"name": "warm_up", "epochs": 1, "then": STAIRS},
    "weight_decay": L2,
    "groups": {"biases": {"rate": 2, "decay": 0}},
}
TORCH = {
    "optimizer": {**ADAM, "form": "torch"},
    "schedule": {"name": "steps", "factor": 0.1, "at_epochs": [3]},
    "gradient_clip": {"norm": 2.0},
    "average": {"decay": 0.99},
}
DEFECTS = {
    "epsilon outside": (V3, "(square + epsilon).sqrt()", "square.sqrt() + epsilon"),
    "mean square from 0": (V3, "torch.ones_like(p)", "torch.zeros_like(p)"),
    "rate outside": (
        V3,
        "p.sub_(velocity.addcdiv_(g, root, value=lr))",
        "p.sub_(velocity.addcdiv_(g, root, value=1.0), alpha=lr)",
    ),
    "another decay": (V3, "decay=0.9,", "decay=0.99,"),
    "clip for each weight": (
        V3,
        "        g.mul_(factor)",
        "        g.mul_(2.0 / torch.linalg.vector_norm(g).clamp(min=2.0))",
    ),
    "norm and 1e-6": (
        V3,
        "torch.linalg.vector_norm(norms)",
        "(torch.linalg.vector_norm(norms) + 1e-6)",
    ),
    "no clip": (V3, "        g.mul_(factor)", "        g.mul_(1.0)"),
    "decay on all": (V3, '"l2": 0.0', '"l2": 0.01'),
    "half the decay": (V3, '"l2": 0.01', '"l2": 0.005'),
    "decay after the clip": (
        V3,
        '                p.grad.add_(p, alpha=group["l2"])',
        '                p.mul_(1 - group["lr"] * group["l2"])',
    ),
    "continuous for staircase": (V3, "step // every", "step / every"),
    "another interval": (V3, "every = 2 * samples", "every = 3 * samples"),
    "one step early": (V3, "step // every", "(step + 1) // every"),
    "no warm-up of the average": (V3, "min(0.99, (1 + step) / (10 + step))", "0.99"),
    "average one step late": (V3, "(1 + step) / (10 + step)", "step / (9 + step)"),
    "average without statistics": (
        V3,
        "self.model.state_dict().items()",
        "self.model.named_parameters()",
    ),
    "stock SGD": (V1, "MomentumSGD(groups", "torch.optim.SGD(groups"),
    "rate of biases": (V1, '{"params": biases, "rate": 2.0', '{"params": biases, "rate": 1.0'),
    "decay of biases": (
        V1,
        '"rate": 2.0, "weight_decay": 0.0',
        '"rate": 2.0, "weight_decay": 0.01',
    ),
    "no groups": (V1, 'rate * group["rate"]', "rate"),
    "norms are biases": (V1, "biases if dense and", "biases if"),
    "no warm-up": (V1, "0.05 * (step / length)", "0.05"),
    "schedule from the start": (V1, "    step -= length\n", ""),
    "keras epsilon": (TORCH, "eps=0.001", "eps=0.001 * 1.0001"),
    "swapped betas": (TORCH, "(0.9, 0.999)", "(0.999, 0.9)"),
    "changes one step late": (TORCH, "step >= at", "step > at"),
    "exact norm": (
        TORCH,
        "nn.utils.clip_grad_norm_(model.parameters(), 2.0)",
        "nn.utils.clip_grad_norm_(model.parameters(), 2.0 * (1 - 1e-6))",
    ),
    "average from the start": (TORCH, "if step > 1 else 0.0", "if step > 0 else 0.0"),
    "shorter run": (TORCH, "2 * samples // BATCH_SIZE", "(2 * samples - 1) // BATCH_SIZE"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_seeded_defect_is_found(name: str, tmp_path: Path) -> None:
    training, right, wrong = DEFECTS[name]
    typed = compiled(written(tmp_path, training))
    files = emitted(typed, "torch")
    script = "train_small.py"
    assert files[script].count(right) >= 1, files[script]
    files[script] = files[script].replace(right, wrong)
    try:
        worst = errors(typed, files, runner)
    except AssertionError:  # another number of steps
        return
    assert max(worst.values()) > BOUND, worst
