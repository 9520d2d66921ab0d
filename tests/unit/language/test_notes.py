"""Notes fall away when an overlay or a setting changes what they describe."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report
from inception_dsl.yaml.document import Document

BASE = """\
network: base
paper: {authors: "One, Two, Three", year: 2016, title: The paper}
input: {channels: 3, height: 9, width: 9}
blocks:
  own: {paper: {year: 2015}, steps: [{op: identity, deviation: of own}]}
  note: {params: {deviation: {type: int, default: 1}}, steps: [{op: identity, repeat: $deviation}]}
body:
  - {op: conv, name: first, filters: 4, kernel_size: 1, deviation: [of first]}
  - {use: own, name: second, deviation: of second}
  - name: fork
    deviation: of fork
    merge: concat
    branches:
      note: [{op: identity, deviation: of inner}]
      deviation: []
aux_heads:
  aux: {after: fork, loss_weight: 0.3, title: Old, deviation: of aux, steps: [{op: flatten}]}
training:
  initializer: {name: he_normal, note: of initializer}
  batch_size: null
  epochs: 100
  optimizer: {name: sgd, rate: 0.1, momentum: 0.9, note: of optimizer}
  schedule: {name: warm_up, epochs: 5, note: of warm-up, then: {name: cosine, note: of cosine}}
  weight_decay: {rate: 1e-4, note: of decay}
  deviation: of training
  note: about training
"""
ALL = set(re.findall("(?:of|about) [a-z-]+", BASE))
Notes = Callable[..., set[str]]


def texts(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(texts, value.values()))
    if isinstance(value, list):
        return set().union(*map(texts, value))
    return {value} if str(value).startswith(("of ", "about ")) else set()


@pytest.fixture
def compiled(write: Callable[..., Path]) -> Callable[..., Document]:
    def compiled(text: str = "", **settings: str) -> Document:
        write(BASE, "base.yaml")
        report = Report()
        path = write(f"extends: base.yaml\nnetwork: other\n{text}\n") if text else write(BASE)
        typed = compile_spec(path, settings, report)
        assert typed is not None, report.render()
        return typed.program.origin.document

    return compiled


TRAINING = {"of training", "about training"}
CASES = [
    ("title: Mine", set()),
    ("classes: 3", set()),
    ("training: {optimizer: {rate: 0.2}}", {"of optimizer", *TRAINING}),
    ("training: {optimizer: {rate: 0.1}}", set()),
    ("training: {optimizer: {nesterov: true}}", {"of optimizer", *TRAINING}),
    ("training: {optimizer: {momentum: null}}", {"of optimizer", *TRAINING}),
    ("training: {optimizer: {note: mine}}", {"of optimizer"}),
    ("training: {optimizer: null}", {"of optimizer", *TRAINING}),
    ("training: {schedule: {then: {end: 0.1}}}", {"of cosine", "of warm-up", *TRAINING}),
    ("training: {schedule: {start: 0.1}}", {"of warm-up", *TRAINING}),
    ("training: {schedule: {then: {note: null}}}", {"of cosine"}),
    ("training: {batch_size: 8}", TRAINING),
    ("training: {batch_size: null}", set()),
    ("training: {batch_size: 8, note: mine}", TRAINING),
    ("training: {batch_size: 8, deviation: [..., mine]}", {"about training"}),
    ("training: {batch_size: 8, note: about training}", {"of training"}),
    ("training: {deviation: mine}", set()),
    ("training: {initializer: {bias: 0.1}}", {"of initializer", *TRAINING}),
    ("training: {average: {decay: 0.9}}", TRAINING),
    ("body: {first: {filters: 5}}", {"of first"}),
    ("body: {first: {filters: 5, deviation: mine}}", {"of first"}),
    ("body: {first: {filters: 5, deviation: [..., mine]}}", set()),
    ("body: {first: {..., op: conv_bn}}", {"of first"}),
    ("body: {first: {name: renamed}}", set()),
    ("body: {first: {allow: [W403]}}", set()),
    ("body: {second: {repeat: 2}}", {"of second"}),
    ("body: {fork: {branches: {more: []}}}", {"of fork"}),
    ("body: {fork: {branches: {note: {0: {repeat: 2}}}}}", {"of fork", "of inner"}),
    ("body: {fork: {branches: {deviation: null}}}", {"of fork"}),
    ("aux_heads: {aux: {loss_weight: 0.4}}", {"of aux"}),
    ("aux_heads: {aux: {title: New}}", set()),
    ("blocks: {note: {params: {deviation: {default: 2}}}}", set()),
]


@pytest.mark.parametrize(("text", "gone"), CASES)
def test_what_changes_loses_its_notes(
    compiled: Callable[..., Document], text: str, gone: set[str]
) -> None:
    document = compiled(text)
    assert ALL - texts(document.data) == gone
    assert all(p in document.spans or "deviation" in p for p in document.keys)


@pytest.mark.parametrize(
    ("name", "value", "gone"),
    [
        ("training.optimizer.rate", "0.2", {"of optimizer", *TRAINING}),
        ("training.optimizer.rate", "0.1", set()),
        ("training.batch_size", "8", TRAINING),
        ("body.first.filters", "5", {"of first"}),
        ("classes", "10", set()),
    ],
)
def test_settings_do_so_too(
    compiled: Callable[..., Document], name: str, value: str, gone: set[str]
) -> None:
    assert ALL - texts(compiled(**{name: value}).data) == gone


def test_overlays_follow_each_other(write: Callable[..., Path]) -> None:
    """The note of the second overlay describes its own numbers."""
    write(BASE, "base.yaml")
    write(
        "extends: base.yaml\nnetwork: b\ntraining: {optimizer: {rate: 0.2, note: of two}}\n",
        "two.yaml",
    )
    path = write("extends: two.yaml\nnetwork: c\ntraining: {weight_decay: {rate: 1}}\n")
    typed = compile_spec(path, {}, Report())
    assert typed is not None
    found = texts(typed.program.origin.document.data)
    assert "of two" in found
    assert not found & {"of optimizer", "of decay", *TRAINING}


def test_another_paper_takes_all_notes_of_the_old_one(compiled: Callable[..., Document]) -> None:
    """Also what the old paper does not say; a block that cites its own paper keeps its notes."""
    document = compiled("paper: {title: Another}")
    assert texts(document.data) == {"of own"}
    assert document.data["training"]["epochs"] == 100
    assert "batch_size" not in document.data["training"]
    assert ("training", "batch_size") not in document.keys
    assert texts(compiled("paper: {title: The paper, table: 3}").data) == ALL
    assert compiled("title: Same paper").data["training"]["batch_size"] is None


def test_a_note_that_falls_away_leaves_no_location(compiled: Callable[..., Document]) -> None:
    document = compiled("body: {first: {filters: 5}}\ntraining: {optimizer: {rate: 0.2}}")
    for path in (("body", 0, "deviation"), ("training", "optimizer", "note")):
        assert not [p for t in (document.spans, document.keys) for p in t if p[: len(path)] == path]
