"""The docstring of the generated class."""

from __future__ import annotations

from inception_dsl.backend import (
    Code,
    TypedProgram,
    cost,
    docstring,
    headline,
    layers,
    minimum_input,
)


def class_doc(typed: TypedProgram) -> Code:
    """The docstring of the network's class: what it is, what it costs, its arguments."""
    program = typed.program
    costs = cost(list(layers(typed)))
    heads = f" ({costs.auxiliary:,} of them in auxiliary heads)" if costs.auxiliary else ""
    smallest = "x".join(map(str, minimum_input(typed)))
    size = (
        f"{costs.trainable:,} parameters{heads} and {costs.macs:,} multiply-adds for an input "
        f"of {program.input}; the smallest input is {smallest}."
    )
    arguments = ["num_classes: Number of classes.", "in_channels: Channels of the input."]
    if program.aux_heads:
        arguments.append(
            "aux_logits: Whether to build the auxiliary heads; only training uses them."
        )
    if program.training and program.training.initializer:
        arguments.append(
            "init_weights: Whether to set the weights as the method of that name does."
        )
    listed = "Args:\n" + "\n".join(f"    {a}" for a in arguments)
    return docstring(headline(program.about, program.id), size, listed, indent=4)
