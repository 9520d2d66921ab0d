"""Tests each rule of ``rewrite`` on shipped specs and random networks: all its steps together, and
some alone.

The result compiles, keeps all comments, and leaves all other layers as they are. The rows of its
table add up to the totals, and each is what the network saves if only these steps change. With
``EVERY=1`` each step alone, on all of them.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inception_dsl.analysis.cost import cost
from inception_dsl.analysis.cost import layers as all_layers
from inception_dsl.analysis.step_costs import StepCost
from inception_dsl.design.rewrites import RULES
from inception_dsl.design.rewrites.attempt import Attempt, Spec
from inception_dsl.design.rewrites.costs import row
from inception_dsl.design.rewrites.moves import Moves
from inception_dsl.design.rewrites.places import Place, places
from inception_dsl.design.rewrites.rewriting import Rewritten
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
    steps = [place.node for place in attempt.places if place.layers]
    nodes = {id(node) for step in steps for node in step.each or (step,)}
    found = ((node, e) for _, node in walk_program(spec.program) for e in layer(node))
    return Counter(entry for node, entry in found if id(node.node) in nodes)


def comments_of(text: str) -> Counter[str]:
    """The comments of a shipped spec that are on lines of their own or after two spaces."""
    lines = (line for line in text.splitlines() if not line.startswith("# yaml-language-server"))
    return Counter(line[line.index(" # ") :] for line in lines if " # " in line)


def more_of(spec: Spec, rule: Rule, chosen: list[Place]) -> tuple[int, int]:
    """By how much the network has more parameters and MACs if only these steps are rewritten."""
    attempt = spec.attempt(rule, chosen, {})
    assert attempt.places == tuple(chosen)
    old, new = (cost([*all_layers(typed)]) for typed in (spec.program, attempt.typed))
    return new.total - old.total, new.macs - old.macs


def check_rows(spec: Spec, rule: Rule, attempt: Attempt) -> None:
    """The rows of the table add up; those of a rule that keeps shapes are what each would save."""
    result = Rewritten(spec, rule, attempt, {})
    totals, rows = result.totals, [*result.savings, result.elsewhere]
    for name, field in (("parameters", "parameters"), ("MACs", "macs")):
        total = totals[name]
        old, new = int(total.old), int(total.new)
        assert sum(getattr(one, field) for one in rows) == old
        assert sum(getattr(one, f"more_{field}") for one in rows) == new - old
        assert all(getattr(one, field) + getattr(one, f"more_{field}") >= 0 for one in rows)
    groups: dict[object, list[Place]] = {}
    for place in attempt.places:
        groups.setdefault(row(place), []).append(place)
    assert [one.steps for one in result.savings] == [len(found) for found in groups.values()]
    if not rule.keeps:
        return
    assert (result.elsewhere.more_parameters, result.elsewhere.more_macs) == (0, 0)
    found = [*zip(result.savings, groups.values(), strict=True)]
    for one, chosen in random.Random(spec.file).sample(found, min(len(found), ALONE)):
        assert (one.more_parameters, one.more_macs) == more_of(spec, rule, chosen), one.path
        before = StepCost()
        for place in chosen:
            before = before.plus(place.cost)
        assert one.parameters == before.parameters


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
    check_rows(spec, rule, attempt)
    after = "".join(attempt.files.values())
    for file in {spec.file, attempt.places[0].node.origin.span().file} if not spec.extends else ():
        assert not comments_of(spec.texts[file]) - comments_of(after)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("name", SPECS)
def test_a_rule_changes_its_steps_and_nothing_else(name: str, rule: Rule) -> None:
    settings = SETTINGS.get(name)
    spec = Spec(name, {} if settings is None else {"input": "35x35x96", **settings}, Report())
    assert spec.typed is not None
    wanted = [place for place in places(spec.program) if rule.meant(place)]
    for place in random.Random(name).sample(wanted, min(len(wanted), ALONE)):
        check(spec, rule, [place])
    check(spec, rule, wanted)


@pytest.mark.parametrize("name", [name for name in SPECS if name not in SETTINGS])
def test_a_listed_rule_saves_what_is_listed(name: str) -> None:
    spec = Spec(name, {}, Report())
    moves = Moves(spec).found
    for move in random.Random(name).sample(moves, min(len(moves), 4 * ALONE)):
        found = more_of(spec, move.rule, [*move.places])
        assert (move.parameters, move.macs) == found, (move.rule.name, move.owner)


@pytest.mark.parametrize("seed", range(10))
def test_random_networks(seed: int, write: Callable[..., Path]) -> None:
    for name, text in random_spec(seed).files.items():
        write(text, name)
    spec = Spec(write(random_spec(seed).files[MAIN], MAIN), {}, Report())
    for rule in RULES:
        check(spec, rule, [place for place in places(spec.program) if rule.meant(place)])


@pytest.mark.parametrize("name", ["v1", "v3", "v4"])
def test_modules_keep_the_shapes_at_their_ends(name: str) -> None:
    """All top-level steps that have the same path have the same output."""
    spec = Spec(name, {}, Report())
    old = {path: node.y for chain in spec.program.sections.values() for path, node in walk(chain)}
    for rule in (rule for rule in RULES if rule.keeps):
        wanted = [place for place in places(spec.program) if rule.meant(place)]
        found = spec.attempt(rule, wanted, {}).typed
        new = {path: node for chain in found.sections.values() for path, node in walk(chain)}
        for path, node in new.items():
            if len(path) == 1 and not path[0].isdecimal() and path in old:
                assert node.y == old[path], (rule.name, path)
