"""Overlays and settings of recipes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from paths import ROOT

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.recipe import Training
from inception_dsl.reference.schedules import learning_rate

RECIPES = {
    "v1": ("sgd", "caffe", 0.01),
    "v2": ("sgd", None, 0.0075),
    "v3": ("rmsprop", "tensorflow", 0.045),
    "v4": ("rmsprop", "tensorflow", 0.045),
    "inception_resnet_v1": ("rmsprop", "tensorflow", 0.045),
    "inception_resnet_v2": ("rmsprop", "tensorflow", 0.045),
}
BASE = """\
network: net
input: {channels: 3, height: 9, width: 9}
body: [{op: identity}]
training:
  epochs: 100
  optimizer: {name: rmsprop, rate: 0.045, decay: 0.9, epsilon: 1.0, form: tensorflow}
  schedule: {name: staircase, factor: 0.94, every_epochs: 2}
  deviation: one
"""
Write = Callable[..., Path]


def compiled(path: Path | str, **settings: str) -> Training:
    report = Report()
    typed = compile_spec(path, settings, report)
    assert typed is not None, report.render()
    assert typed.program.training is not None
    return typed.program.training


def over(write: Write, text: str) -> Training:
    write(BASE, "base.yaml")
    return compiled(write(f"extends: base.yaml\nnetwork: other\ntraining: {text}\n"))


@pytest.mark.parametrize("name", RECIPES)
def test_the_recipes_of_the_papers(name: str) -> None:
    found = compiled(f"inception-dsl:{name}").optimizer
    assert found is not None
    assert (found.name, found.form, found.rate) == RECIPES[name]


def test_what_a_run_of_v3_needs_is_in_its_recipe() -> None:
    """100 epochs of 1,281,167 images in batches of 1,600, and the rate falls after 1,601 steps."""
    found = compiled("inception-dsl:v3")
    assert found.missing() == ()
    assert found.total == 80_072
    assert found.duration(2, None) == 1_601
    assert found.unsaid == ("augmentation",)


def test_what_a_run_of_v2_needs_is_listed() -> None:
    assert compiled("inception-dsl:v2").missing() == (
        "epochs",
        "optimizer.form",
        "optimizer.momentum",
        "schedule.factor",
        "schedule.every_epochs",
    )


def test_a_field_is_set(write: Write) -> None:
    path = write(BASE)
    found = compiled(path, **{"training.optimizer.rate": "0.1", "training.schedule.factor": "0.5"})
    assert found.optimizer is not None
    assert found.schedule is not None
    assert (found.optimizer.rate, found.optimizer.decay, found.schedule.factor) == (0.1, 0.9, 0.5)


def test_a_mapping_is_merged(write: Write) -> None:
    found = over(write, "{optimizer: {rate: 0.1, momentum: 0.9}, average: {decay: 0.99}}")
    assert found.optimizer is not None
    assert found.average is not None
    assert found.optimizer[:4] == ("rmsprop", 0.1, "tensorflow", 0.9)
    assert found.average.decay == 0.99


def test_another_optimizer_or_schedule_keeps_nothing(write: Write) -> None:
    found = over(write, "{optimizer: {name: sgd, rate: 1}, schedule: {name: cosine}}")
    assert found.optimizer is not None
    assert found.schedule is not None
    assert (found.optimizer.form, found.optimizer.decay) == (None, None)
    assert (found.schedule.factor, found.schedule.every_epochs) == (None, None)


def test_the_same_name_keeps_the_rest(write: Write) -> None:
    found = over(write, "{optimizer: {name: rmsprop, rate: 1}}")
    assert found.optimizer is not None
    assert found.optimizer.epsilon == 1


def test_null_removes_and_another_unit_takes_its_place(write: Write) -> None:
    found = over(write, "{epochs: null, steps: 10, schedule: {every_epochs: null, every_steps: 5}}")
    assert (found.total, found.unsaid) == (10, ())
    assert found.schedule is not None
    assert found.schedule.every_steps == 5


def test_a_new_schedule_may_leave_out_what_the_paper_does_not_say(write: Write) -> None:
    found = over(write, "{schedule: {name: exponential, factor: null, every_epochs: null}}")
    assert found.unsaid == ("schedule.factor", "schedule.every_epochs")


def test_deviations_add_up(write: Write) -> None:
    found = over(write, "{deviation: [two]}")
    assert [text.plain for text in found.deviations] == ["one", "two"]


def test_an_error_of_an_overlay_is_where_the_overlay_is(write: Write) -> None:
    write(BASE, "base.yaml")
    path = write("extends: base.yaml\nnetwork: other\ntraining: {steps: 10}\n")
    report = Report()
    compile_spec(path, {}, report)
    (found,) = report.diagnostics
    assert (found.code, Path(found.span.file).name, found.span.line) == ("E210", "spec.yaml", 3)
    assert "`epochs: null`" in found.help


def test_the_page_lists_what_each_run_needs() -> None:
    text = (ROOT / "docs/training.md").read_text(encoding="utf-8")
    text = text.partition("what a run needs besides")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \| .* \| .* \| (.*)\|$", text, re.MULTILINE)
    found = {name: tuple(re.findall(r"`([\w.]+)`", needs)) for name, needs in rows}
    assert {*RECIPES} <= {*found}
    for name, needs in found.items():
        assert compiled(f"inception-dsl:{name}").missing() == needs, name


def test_the_overlays_of_the_page(write: Write) -> None:
    """Caffe's quick solver, and the released script of Inception-v3."""
    text = (ROOT / "docs/training.md").read_text(encoding="utf-8")
    overlays = re.findall(r"```yaml\n(extends.*?)```", text, re.DOTALL)
    quick, released = (compiled(write(overlay)) for overlay in overlays)
    assert quick.schedule is not None
    assert (quick.total, quick.schedule.name, quick.schedule.factor) == (
        2_400_000,
        "polynomial",
        None,
    )
    assert learning_rate(quick, 1_800_000) == 0.005
    assert released.optimizer is not None
    assert released.optimizer[:5] == ("rmsprop", 0.1, "tensorflow", 0.9, False)
    assert released.gradient_clip is None
    assert learning_rate(released, 30 * 1_281_167 // 32) == pytest.approx(0.016)
