"""W304: names of published weights that do not fit the network, as a change makes them wrong.

They are an error in the spec that has them. One that settings change, or that extends it, is
another network: all commands but `weights import` do without names.
"""

from __future__ import annotations

from collections.abc import Iterator

from .survey import Check, Found, Survey, Warn


def _find(survey: Survey) -> Iterator[Found]:
    if survey.misfits:
        origin = survey.typed.program.origin.below("checkpoints")
        yield Found(origin, survey.top, 0, survey.misfits)


def _describe(_: Survey, found: list[Found]) -> Warn:
    first, *others = found[0].data
    more = f", and {len(others)} more errors" if others else ""
    message = "names of published weights, for `weights import`, do not fit: "
    help = "write `checkpoints: null` to remove the names of published weights"
    return Warn(f"{message}{first.message}{more}", first.span, help)


CHECK = Check("W304", _find, _describe)
