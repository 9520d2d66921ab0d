"""Tests each rule of ``rewrite`` on shipped specs and random networks: all its steps together, and
some alone.

The result compiles, keeps all comments, and leaves all other layers as they are. With ``EVERY=1``
each step alone, on all of them.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inception_dsl.design.rewrites import RULES
from inception_dsl.design.rewrites.attempt import Attempt, Spec
from inception_dsl.design.rewrites.places import Place, places
from inception_dsl.design.rewrites.rule import Rule
from inception_dsl.diagnostics.report import Report
from inception_dsl.ir.typed import TypedOp, TypedProgram
from inception_dsl.ir.walk import walk, walk_program
from inception_dsl.language.shipped import names
from inception_dsl.testing.random_specs import MAIN, random_spec

Layers = Counter[tuple[str, str]]
SETTINGS = {
    "blocks/inception_v3_a": {"filters_pool": "32"},
    "blocks/inception_v3_b": {"filters_7x7": "128"},
    "blocks/inception_v3_c": {},
    "blocks/inception_v4_stem": {},
    "blocks/reduction_b": dict.fromkeys(
        ("filters_3x3_reduce", "filters_3x3", "filters_7x7_reduce", "filters_7x7"), "192"
    ),
}
"""Blocks to be built alone, with values of their parameters."""
FAMILY = ("inception_unet", "nasnet_a_cell", "siamese_googlenet", "v3_multitask", "v4_cbam")
EVERY = bool(os.environ.get("EVERY"))
SPECS = [
    name
    for name in names()
    if "/" not in name
    or name in SETTINGS
    or (name.startswith("family/") and (EVERY or name.endswith(FAMILY)))
]
ALONE = 1000 if EVERY else 1


def layers_of(typed: TypedProgram) -> Layers:
    """Every layer with its attributes, as often as it runs."""
    return Counter(entry for _, node in walk_program(typed) for entry in layer(node))


def layer(node: object) -> Iterator[tuple[str, str]]:
    if isinstance(node, TypedOp):
        yield node.op.op, repr(node.node.op.attributes())


def touched(attempt: Attempt, spec: Spec) -> Layers:
    """The layers of the steps that are rewritten, as often as they run."""
    nodes = {id(place.node) for place in attempt.places if place.layers}
    found = ((node, e) for _, node in walk_program(spec.program) for e in layer(node))
    return Counter(entry for node, entry in found if id(node.node) in nodes)


def comments_of(text: str) -> Counter[str]:
    """The comments of a shipped spec that are on lines of their own or after two spaces."""
    lines = (line for line in text.splitlines() if not line.startswith("# yaml-language-server"))
    return Counter(line[line.index(" # ") :] for line in lines if " # " in line)


def check(spec: Spec, rule: Rule, chosen: list[Place]) -> None:
    """Apply a rule to these steps, and compare all layers and comments."""
    attempt = spec.attempt(rule, chosen, {})
    assert len(attempt.places) + len(attempt.refusals) == len(chosen)
    assert all(refusal.reason for refusal in attempt.refusals)
    if not attempt.places:
        return
    old, new = layers_of(spec.program), layers_of(attempt.typed)
    assert old - new <= touched(attempt, spec), "another layer changed"
    assert new - old, "no layer was added"
    assert not rule.keeps or attempt.typed.outputs == spec.program.outputs
    after = "".join(attempt.files.values())
    for file in {spec.file, attempt.places[0].node.origin.span().file} if not spec.extends else ():
        assert not comments_of(spec.texts[file]) - comments_of(after)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("name", SPECS)
def test_a_rule_changes_its_steps_and_nothing_else(name: str, rule: Rule) -> None:
    settings = SETTINGS.get(name)
    spec = Spec(name, {} if settings is None else {"input": "35x35x96", **settings}, Report())
    assert spec.typed is not None
    wanted = [place for place in places(spec.program) if rule.wants(place)]
    for place in random.Random(name).sample(wanted, min(len(wanted), ALONE)):
        check(spec, rule, [place])
    check(spec, rule, wanted)


@pytest.mark.parametrize("seed", range(10))
def test_random_networks(seed: int, write: Callable[..., Path]) -> None:
    for name, text in random_spec(seed).files.items():
        write(text, name)
    spec = Spec(write(random_spec(seed).files[MAIN], MAIN), {}, Report())
    for rule in RULES:
        check(spec, rule, [place for place in places(spec.program) if rule.wants(place)])


@pytest.mark.parametrize("name", ["v1", "v3", "v4"])
def test_modules_keep_the_shapes_at_their_ends(name: str) -> None:
    """All top-level steps that have the same path have the same output."""
    spec = Spec(name, {}, Report())
    old = {path: node.y for chain in spec.program.sections.values() for path, node in walk(chain)}
    for rule in (rule for rule in RULES if rule.keeps):
        wanted = [place for place in places(spec.program) if rule.wants(place)]
        found = spec.attempt(rule, wanted, {}).typed
        new = {path: node for chain in found.sections.values() for path, node in walk(chain)}
        for path, node in new.items():
            if len(path) == 1 and not path[0].isdecimal() and path in old:
                assert node.y == old[path], (rule.name, path)
