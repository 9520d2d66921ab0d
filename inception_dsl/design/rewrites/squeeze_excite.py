"""``squeeze-excite``: the channels of a module weighted by its own global average.

Hu et al. 2018, arXiv 1709.01507, section 3 and figure 2 (SE-Inception), with a ratio of 16.
"""

from __future__ import annotations

from typing import Final

from ...ir.program import ForkNode
from .channels import after, share
from .places import Place
from .residualise import module
from .rule import Option, Replacement, Rule, Values
from .written import Written, repeated

_RATIO: Final = Option("ratio", "integer", "channels for each unit of the first layer", "16", 16)


def _wants(place: Place) -> bool:
    rest = place.chain[place.position + 1 :]
    weighted = (isinstance(node, ForkNode) and node.merge == "multiply" for node in rest[:1])
    return module(place) and not any(weighted)


def _obstacle(written: Written, values: Values) -> str:
    if repeated(written.place):
        return "it is repeated; write its repetitions as steps, or repeat its block"
    if written.place.read:
        return "another part of the spec begins with its output"
    if after(written.place, written.width) is None:
        return "its output has several numbers of channels; make it a block with parameters"
    return ""


def _replaced(written: Written, values: Values) -> Replacement:
    channels = after(written.place, written.width)
    squeezed = share(channels, values["ratio"])
    excitation = [
        {"op": "global_avg_pool"},
        {"op": "dense", "name": "squeeze", "units": squeezed, "activation": "relu"},
        {"op": "dense", "name": "excite", "units": channels, "activation": "sigmoid"},
    ]
    branches = {"features": [], "excitation": excitation}
    name = written.free("squeeze_excite")
    edits = written.item.after({"name": name, "merge": "multiply", "branches": branches})
    return Replacement(edits, 2)


RULE: Final = Rule(
    name="squeeze-excite",
    summary="squeeze-and-excitation after a module",
    source="Hu et al. 2018, section 3",
    target="parallel branches with `merge: concat`, not followed by a weighting of channels",
    wants=_wants,
    obstacle=_obstacle,
    replaced=_replaced,
    options=(_RATIO,),
    inside=False,
)
