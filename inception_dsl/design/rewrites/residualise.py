"""``residualise``: a module as a residual: projected to the channels of its input, and added to it.

Szegedy et al. 2016, arXiv 1602.07261, section 3.2, figures 10 to 17: a linear 1x1 convolution after
the module restores the number of channels, then ReLU after the addition; section 3.3: the residual
is multiplied by 0.1 to 0.3.
"""

from __future__ import annotations

from typing import Any, Final

from ...ir.program import ForkNode
from ...types.tensor import COLOURS
from ...yaml.items import Around
from .channels import before
from .places import Place
from .rule import Option, Replacement, Rule, Values
from .written import Written, repeated

_SCALE: Final = Option("scale", "number", "factor of the residual; 1 leaves it out", "0.2", 0.2)


def module(place: Place) -> bool:
    """Whether a step is a fork with `concat` on features, not in a branch of another one."""
    node = place.node
    return (
        isinstance(node, ForkNode)
        and node.merge == "concat"
        and not (node.inputs or node.split)
        and place.start is None
        and all(fork.x.rank > 0 and fork.x.channels > COLOURS for fork in place.forks)
    )


def _wants(place: Place) -> bool:
    return module(place) and all(fork.x.spatial == fork.y.spatial for fork in place.forks)


def _obstacle(written: Written, values: Values) -> str:
    place = written.place
    assert isinstance(place.node, ForkNode)
    if repeated(place):
        return "it is repeated; write its repetitions as steps, or repeat its block"
    if place.node.after:
        return "its branches begin after other steps (`after`)"
    if place.read:
        return "another part of the spec begins with its output, which a ReLU follows"
    if _filters(written) is None:
        return "its input has several numbers of channels; make it a block of its own"
    return ""


def _filters(written: Written) -> Any:
    place = written.place
    if place.in_block and not place.position:
        return "$in_channels"
    return before(place, written.width)


def _replaced(written: Written, values: Values) -> Replacement:
    defaults = written.defaults.get("conv", {})
    linear = {"activation": "none", "use_bias": True, "stride": 1, "padding": "same", "groups": 1}
    projection = {"op": "conv", "name": "projection", "filters": _filters(written)}
    projection |= {"kernel_size": 1, **{k: v for k, v in linear.items() if k in defaults}}
    behind: list[dict[str, Any]] = [projection]
    if values["scale"] != 1:
        behind.append({"op": "scale", "name": "scaling", "value": values["scale"]})
    name = written.data.get("name")
    around = Around(("shortcut", []), "residual", "add", behind, name)
    relu = {"op": "activation", "name": written.free("relu"), "function": "relu"}
    return Replacement(written.item.around(around, relu, gone=written.without("name")), 2)


RULE: Final = Rule(
    name="residualise",
    summary="a module projected to the channels of its input and added to it",
    source="Szegedy et al. 2016, sections 3.2 and 3.3",
    target="parallel branches with `merge: concat` that keep the size of the map",
    wants=_wants,
    obstacle=_obstacle,
    replaced=_replaced,
    options=(_SCALE,),
    note="the output has the channels of the input",
    keeps=False,
)
