"""Training scripts in builds: asked for, compared if they are there, refused with reasons."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripts import NETWORK, written

from inception_dsl import plugins
from inception_dsl.build.build import Order, build, compare, save
from inception_dsl.diagnostics.report import Report

SGD = {"optimizer": {"name": "sgd", "form": "torch", "rate": 0.1}}


def order(spec: Path, out: Path, train: bool | None) -> Order:
    return Order([str(spec)], {}, plugins.chosen(["torch"], Report()), out, {}, train)


def test_a_script_stands_beside_the_model(tmp_path: Path) -> None:
    spec, out, report = written(tmp_path, SGD), tmp_path / "out", Report()
    files = build(order(spec, out, train=True), report)
    assert files is not None, report.render()
    assert [path.name for path in files] == ["small.py", "train_small.py"]
    assert save(files, report) == [*files]
    plain = build(order(spec, out, train=False), report)
    assert plain is not None
    assert [path.name for path in plain] == ["small.py"]


def test_a_check_compares_scripts_that_are_there(tmp_path: Path) -> None:
    spec, out, report = written(tmp_path, SGD), tmp_path / "out", Report()
    script = out / "torch" / "train_small.py"
    without = build(order(spec, out, train=None), report)
    assert without is not None
    assert script not in without
    files = build(order(spec, out, train=True), report)
    assert files is not None
    save(files, report)
    again = build(order(spec, out, train=None), report)
    assert again == files
    assert compare(again, report) == ""
    written(tmp_path, {"optimizer": {**SGD["optimizer"], "rate": 0.2}})
    changed = build(order(spec, out, train=None), report)
    assert changed is not None
    assert "+    return 0.2" in compare(changed, report)
    assert any("train_small.py is not up to date" in d.message for d in report)


REFUSED = {
    "nothing to train": ("", NETWORK.split("head:")[0], "E503", "no classifier"),
    "a signal": (
        "",
        "network: small\ninput: {channels: 3, length: 9}\nclasses: 3\n"
        "body: [{op: flatten}, {op: dense, units: $classes}]\n",
        "E503",
        "scripts read images",
    ),
    "ten channels": ("", NETWORK.replace("channels: 3", "channels: 10"), "E503", "1 or 3 channels"),
    "two tasks": (
        "",
        NETWORK.replace("{op: layer_norm}", "{op: layer_norm, name: early}")
        + "outputs: {more: {after: early, steps: [{op: global_avg_pool}, "
        "{op: dense, units: 2}], loss: mean_squared_error}}\n",
        "E503",
        "`outputs`",
    ),
    "images of another size": (
        "",
        NETWORK.replace("mean: 1", "mean: 1, resize: {size: [8, 6], method: linear}"),
        "E503",
        "resizes images to 8x6, and the input is 8x8",
    ),
    "plateau": ("plateau", NETWORK, "E503", "depends on the loss"),
    "no optimizer": ("nothing", NETWORK, "E211", "`training.optimizer`"),
    "no rate": ("rate", NETWORK, "E211", "`training.optimizer.rate`"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_script_is_refused(name: str, tmp_path: Path) -> None:
    kind, text, code, message = REFUSED[name]
    training = {
        "": SGD,
        "plateau": {**SGD, "schedule": {"name": "plateau", "factor": 0.1}},
        "nothing": {"label_smoothing": 0.1},
        "rate": {"optimizer": {"name": "sgd", "form": "torch", "rate": None}},
    }[kind]
    report = Report()
    assert build(order(written(tmp_path, training, text), tmp_path, train=True), report) is None
    (found,) = report
    assert found.code == code
    assert message in found.message


def test_a_backend_without_scripts_says_so(tmp_path: Path) -> None:
    report = Report()
    ((plugin, backend),) = plugins.chosen(["torch"], report)
    chosen = [(plugin, backend._replace(trains=False))]
    files = build(Order([str(written(tmp_path, SGD))], {}, chosen, tmp_path, {}, True), report)
    assert files is None
    (found,) = report
    assert (found.code, found.message) == (
        "E503",
        "the backend `torch` writes no training scripts",
    )
