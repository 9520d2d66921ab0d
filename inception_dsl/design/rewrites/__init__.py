"""The moves of the papers as edits of a spec's text: one file for each, in the order of papers."""

from __future__ import annotations

from typing import Final

from ...diagnostics.words import suggestion
from . import (
    asymmetric,
    batch_normalise,
    factorise,
    parallel,
    reduce,
    residualise,
    separable,
    squeeze_excite,
    two_2x2,
)
from .rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    reduce.RULE,
    batch_normalise.RULE,
    factorise.FIVE,
    factorise.SEVEN,
    asymmetric.RULE,
    two_2x2.RULE,
    parallel.RULE,
    residualise.RULE,
    separable.RULE,
    squeeze_excite.RULE,
)


def rule_named(name: str) -> Rule:
    """The rule with this name.

    Raises ``ValueError`` with what is wrong, and on a second line what to write instead.
    """
    found = next((rule for rule in RULES if rule.name == name), None)
    if found is None:
        names = [rule.name for rule in RULES]
        raise ValueError(f"unknown rule `{name}`\n{suggestion(name, names, what='rules')}")
    return found
