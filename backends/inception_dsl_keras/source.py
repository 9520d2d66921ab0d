"""The source of a typed program before it is printed: statements and their records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from inception_dsl.backend import (
    IN_CHANNELS,
    ChainSite,
    ConvBn,
    Definitions,
    ForkSite,
    LayerSite,
    ModulePlan,
    Names,
    Records,
    TypedProgram,
    plan,
)

from .blocks import Functions
from .calls import Calls
from .helpers import Helpers
from .network import LOCAL, Network
from .reserved import RESERVED
from .windows import strided_and_dilated

MODULES: Final = frozenset({"Iterable", "keras", "layers", "ops"})
BUILTINS: Final = frozenset(
    {
        "any",
        "dict",
        "float",
        "int",
        "isinstance",
        "len",
        "max",
        "min",
        "range",
        "round",
        "sum",
        "tuple",
        "zip",
    }
)
LOCALS: Final = frozenset({"x", "name", IN_CHANNELS})


class Source(NamedTuple):
    """The functions of blocks and heads, the network, and the helper functions that they call."""

    plan: ModulePlan
    functions: Functions
    network: Network
    helpers: Helpers
    records: Records[Calls]


def source_of(typed: TypedProgram) -> Source:
    """The source of a program."""
    program, planned = typed.program, plan(typed, by_logits=True)
    definitions = planned.definitions
    own = {program.id, *RESERVED, *MODULES, *BUILTINS, *LOCALS, "LOSSES", "LOSS_WEIGHTS"}
    names = Names({*own, *LOCAL, *(symbol.hint for symbol in definitions.top.symbols.values())})
    reserved = own | set(program.blocks)
    functions = Functions(planned, names, reserved, joined=joins(definitions))
    network = Network(planned, functions)
    statements = [s for f in functions.found for s in f.statements] + network.statements
    records = Records(
        network.records,
        network.head_records,
        {instance: function.record for instance, function in functions.instances.items()},
    )
    return Source(planned, functions, network, Helpers(statements, program.rank), records)


def joins(definitions: Definitions) -> bool:
    """Whether the helper function ``conv_bn`` takes its activation as an argument."""
    top = definitions.top
    chains = [*top.sections.values(), *top.heads.values(), *(d.chain for d in definitions)]
    found = (site for chain in chains for site in layers_in(chain) if isinstance(site.op, ConvBn))
    # subsampled convolutions are written as separate layers, without the helper
    called = (site for site in found if not any(map(strided_and_dilated, site.windows)))
    return any(site.slot("activation").varies for site in called)


def layers_in(chain: ChainSite) -> Iterator[LayerSite]:
    """The layers of a chain and its branches, the first repetition of each."""
    for site in (step.site for step in chain.steps if not step.absent):
        if isinstance(site, LayerSite):
            yield site
        elif isinstance(site, ForkSite):
            for _, branch in site.branches:
                yield from layers_in(branch)
