"""Texts of errors: what is wrong, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report

HEAD = "network: n\ninput: {channels: 3, height: 8, width: 8}\n"
TWO = "network: n\ninput: {a: {channels: 3, length: 8}, b: {channels: 3, length: 6}}\n"
DENSE = "{op: dense, name: a, units: 3}"
FORK = "merge: add, branches: {a: [], b: []}, after: {b: early}"
TEXTS = {
    "an initializer": (
        f"{HEAD}body: [{DENSE}, {{op: dense, units: 3, weights: a, "
        "initializer: {name: he_normal}}]",
        "`initializer` is `{name: he_normal}`, but nothing in `a`",
        "steps with the same weights must be equal in all other fields",
    ),
    "a repeated owner in a branch": (
        f"{HEAD}body: [{{merge: add, branches: {{w: [{{op: dense, name: a, units: 3, repeat: 2}}, "
        "{op: identity}]}}, {op: dense, units: 3, weights: w/a}]",
        "`w/a` is repeated, so it may have several sets of weights",
        "share the weights of a step without `repeat` and `each`",
    ),
    "the same weights for another size": (
        f"{TWO}blocks: {{t: {{steps: [{{op: flatten}}, {{op: dense, units: 3}}]}}}}\n"
        "body: [{merge: add, branches: {a: [{use: t}], b: [{use: t, weights: a}]}}]",
        "`1/kernel` is 24x3 in `body/a`, but this step needs 18x3",
        "its input is 6x3, that of `body/a` is 8x3: the sizes must be equal",
    ),
    "a path of a branch": (
        f"{HEAD}body: [{{merge: add, branches: {{b: [{DENSE}], a: [{{op: dense, units: 3, "
        "weights: b}]}}]",
        "unknown step `b`: `b` is a branch",
        "write `b/a`",
    ),
    "a path of a branch with several steps": (
        f"{HEAD}body: [{{merge: add, branches: {{b: [{DENSE}, {{op: dense, units: 2}}]}}}}, "
        "{op: dense, units: 3, weights: b}]",
        "unknown step `b`: `b` is a branch",
        "steps before it: b/a, b/1",
    ),
    "a path of the branch around the step": (
        f"{HEAD}body: [{{merge: add, branches: {{b: [{DENSE}, {{op: dense, units: 3, "
        "weights: b}]}}]",
        "unknown step `b`: this step is inside `b`",
        "write `a`",
    ),
    "a path into a block, from a layer": (
        f"{HEAD}blocks: {{k: {{steps: [{DENSE}]}}}}\n"
        "body: [{merge: add, branches: {b: [{use: k}], "
        "c: [{op: dense, units: 3, weights: b/a}]}}]",
        "`b/a` leads into the step `b`",
        "share the weights of the whole step, `b`; this step must then be `use: k`, too",
    ),
    "a path from outside": (
        f"{HEAD}body: [{{merge: add, branches: {{w: [{DENSE}, "
        "{op: dense, units: 3, weights: w/a}]}}]",
        "unknown step `w/a`: this step is inside `w`, so its paths begin there",
        "write `a`",
    ),
    "a step of another section": (
        f"{HEAD}stem: [{{op: identity, name: early}}]\nbody: [{{op: identity}}, {{{FORK}}}]",
        "the step `early` is in `stem`, out of reach of this chain",
        "move the step or the fork, so that both are in one section",
    ),
    "a later step of its own section": (
        f"{HEAD}body: [{{op: identity}}, {{{FORK}}}, {{op: identity, name: early}}]",
        "the step `early` is not before this one in its chain",
        "an earlier step of the chain",
    ),
    "after with a path": (
        f"{HEAD}body: [{DENSE}]\noutputs: {{x: a/kernel}}",
        "expected the name of a step, found the path `a/kernel`",
        "steps inside of branches, blocks and repeats are out of reach; the whole step is `a`",
    ),
    "after with a position": (
        f"{HEAD}body: [{DENSE}]\noutputs: {{x: {{after: 0, steps: [{{op: flatten}}]}}}}",
        "expected the name of a step, found `0`",
        "give the step a `name`, and write this name",
    ),
    "inputs of different sizes": (
        f"{TWO}body: [{{merge: add, branches: {{a: [], b: []}}}}]",
        "`add` needs branches with the same spatial sizes, found 8 and 6",
        "change its steps, or the size of the input `b`",
    ),
    "a path of published names in a block": (
        f"{HEAD}blocks: {{b: {{steps: [{{op: conv_bn, name: first, filters: 3, "
        "kernel_size: 1}]}}\nbody: [{use: b, name: one}]\n"
        "checkpoints: {timm: {names: {one: l}, blocks: {b: {first/conv: c, frst/bn: n}}}}",
        "no weights at path `frst/bn`",
        "did you mean `first/bn`?",
    ),
    "a path of published names in an extended block": (
        f"{HEAD}blocks: {{b: {{steps: [{{op: conv, name: first, filters: 3, kernel_size: 1}}]}}, "
        "c: {extends: b, steps: [..., {op: identity}]}}\nbody: [{use: c, name: one}]\n"
        "checkpoints: {timm: {names: {one: l}, blocks: {b: {frist: c}}}}",
        "no weights at path `frist`",
        "did you mean `first`?",
    ),
    "a path of published names like no other": (
        f"{HEAD}blocks: {{b: {{steps: [{{op: conv, name: first, filters: 3, kernel_size: 1}}]}}}}"
        "\nbody: [{use: b, name: one}]\ncheckpoints: {timm: {names: {one: l}, blocks: {b: "
        "{first: c, zzzzzzz: n}}}}",
        "no weights at path `zzzzzzz`",
        "no use of `b` has this step",
    ),
    "the fields of a step": (
        f"{HEAD}body: [{{op: conv, filters: 3, kernel_size: 3, zzzz: 1}}]",
        "unknown field `zzzz`",
        "known fields: name, repeat, each, deviation",
    ),
    "each with a typing error": (
        f"{HEAD}body: [{{op: conv, filters: 3, kernel_size: 3, eahc: {{stride: [1, 2]}}}}]",
        "unknown field `eahc`",
        "did you mean `each`?",
    ),
    "each with a typing error in a use": (
        f"{HEAD}blocks: {{b: {{params: {{f: int}}, steps: [{DENSE}]}}}}\n"
        "body: [{use: b, eahc: {f: [1, 2]}}]",
        "expected a number, text, true or false, found a mapping",
        "write `each: {…}`",
    ),
    "an equals sign": (
        f"{HEAD}body: [{{op: conv, filters: 3, kernel_size=3}}]",
        "unknown field `kernel_size=3`",
        "write `kernel_size: 3`",
    ),
    "a loss of PyTorch": (
        f"{HEAD}body: [{DENSE}]\noutputs: {{x: {{after: a, loss: mse, steps: [{{op: flatten}}]}}}}",
        "found `mse`",
        "did you mean `mean_squared_error`?",
    ),
}


@pytest.mark.parametrize("why", TEXTS)
def test_a_text(why: str, write: Callable[..., Path]) -> None:
    text, message, help = TEXTS[why]
    report = Report()
    assert compile_spec(write(f"{text}\n", "net.yaml"), {}, report) is None
    found = [one for one in report.diagnostics if message in one.message]
    assert len(found) == 1, report.render()
    assert help in found[0].help


def test_an_equals_sign_is_replaced(write: Callable[..., Path]) -> None:
    """The fix gives a spec without errors."""
    path, report = write(f"{TEXTS['an equals sign'][0]}\n", "net.yaml"), Report()
    compile_spec(path, {}, report)
    (edit,) = report.diagnostics[0].fix
    assert edit.text == "kernel_size: 3"
    fixed = path.read_text(encoding="utf-8").replace("kernel_size=3", edit.text)
    assert compile_spec(write(fixed, "net.yaml"), {}, Report())
