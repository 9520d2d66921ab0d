"""Turns the metadata and weight names of a spec into records of the program."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..diagnostics.report import Report
from ..diagnostics.words import suggestion
from ..ir.program import INPUT, About, Naming, Origin
from ..language.inputs import has_names
from ..language.link import Linked
from ..language.models import Described, NetworkFile
from ..ops import OPS, Composite
from ..types.prose import Prose
from ..types.tensor import AXES, TensorType


def about(model: Described, original: Mapping[str, str] = MappingProxyType({})) -> About:
    """The documentation of a network, block or head: title, description, paper, deviations.

    ``original`` is the paper of what the spec extends.
    """
    paper = {name: text for name, text in model.paper or () if text is not None}
    return About(
        model.title or Prose(),
        model.description or Prose(),
        MappingProxyType(paper),
        model.deviation or (),
        model.allow,
        model.modified_from or Prose(),
        MappingProxyType({name: Prose(text) for name, text in original.items()}),
    )


def tensor_type(sizes: Mapping[str, int]) -> TensorType:
    """The type of an input; 0 channels if an error leaves it unknown."""
    names = AXES[len(sizes) - 1] if sizes else ()
    return TensorType(tuple(sizes[n] for n in names), sizes.get("channels", 0))


def input_types(found: Mapping[str, Any]) -> dict[str, TensorType]:
    """The types of one input or of several."""
    if not has_names(found):
        return {INPUT: tensor_type(found)}
    return {name: tensor_type(sizes) for name, sizes in found.items()}


def checkpoints(
    model: NetworkFile | None, origin: Origin, blocks: Linked, report: Report
) -> dict[str, Naming]:
    """The weight names of each source of published weights; ``blocks`` are all blocks."""
    bases = {name: block.document.origins.get(name, "") for name, block in blocks.items()}
    found: dict[str, Naming] = {}
    given, document = model.checkpoints if model else {}, origin.document
    for source, value in given.items():
        here = origin.below("checkpoints", source)
        if isinstance(value, str):
            if not isinstance(given.get(value), str | None):
                here, value = origin.below("checkpoints", value), given[value]
            else:
                report.error("E311", f"`checkpoints` has no names for `{value}`", here.span())
                continue
        optional = tuple(path.plain for path in value.optional or ())
        found[source] = Naming(
            MappingProxyType(value.names),
            MappingProxyType({n: MappingProxyType(names) for n, names in value.blocks.items()}),
            MappingProxyType(value.numbered),
            optional,
            value.separator,
            MappingProxyType(bases),
            here,
        )
        for path, name in [(("names", p), n) for p, n in value.names.items()] + [
            (("blocks", block, p), n)
            for block, names in value.blocks.items()
            for p, n in names.items()
        ]:
            if ("*" in path[-1]) != ("{" in name):
                message = (
                    f"the path has a `*`, but `{name}` has no numbers `{{first..last}}`"
                    if "*" in path[-1]
                    else f"`{name}` has numbers, but the path has no `*`"
                )
                help = "for example: `step/*: layer_{0..9}`"
                report.error("E203", message, here.span(*path), help=help)
        gone = (path for path in (*document.removed, *document.dropped) if path[:1] == ("blocks",))
        lost = {name for path in gone for name in path[1:2]}
        for block in value.blocks:
            op = OPS.get(block)
            if block not in {*blocks, *lost} and not (op and issubclass(op, Composite)):
                span = here.document.key_span((*here.path, "blocks", block))
                help = suggestion(block, blocks, what="known blocks")
                report.error("E311", f"unknown block `{block}`", span, help=help)
    return found
