"""Every merge of the language has its own rule in the reference: none falls through to another."""

from __future__ import annotations

from inception_dsl.reference.forward import ELEMENTWISE
from inception_dsl.reference.gradients import SHARES
from inception_dsl.types.merge import MERGES


def test_every_merge_has_a_rule_of_its_own() -> None:
    assert {*ELEMENTWISE} == {*SHARES} == {*MERGES} - {"concat"}
