"""Seeded defects in networks with several inputs."""

from __future__ import annotations

from defect import CORE, KERAS, TORCH, Defect

INPUT_DEFECTS = (
    Defect(
        "all branches get the first of several inputs",
        CORE,
        "backend.statements",
        "start = inputs.get(name, start)",
        "start = next(iter(inputs.values()), start)",
    ),
    Defect(
        "the branches get several inputs in the order of the spec, not by name",
        CORE,
        "ir.flow",
        "return [self.inputs[name] for name, _ in fork.branches]",
        "return [self.inputs[name] for name in self.inputs]",
    ),
    Defect(
        "the reference adds something to the last of several inputs",
        CORE,
        "reference.forward",
        "value: wide(given[name])",
        "value: wide(given[name]) + (name == [*given][-1] and len(given) > 1)",
    ),
    Defect(
        "several inputs are passed on in the wrong order",
        TORCH,
        "network",
        'features = call("self.forward_features", *self.inputs.variables.values())',
        'features = call("self.forward_features", *[*self.inputs.variables.values()][::-1])',
    ),
    Defect(
        "no gradient reaches the branch of the first of several inputs",
        TORCH,
        "build",
        "results.append(result)",
        'results.append(f"{result}.detach()" if fork.node.inputs and not results else result)',
        training=True,
    ),
    Defect(
        "the branches of several inputs read the wrong ones",
        KERAS,
        "inputs",
        """{name: f'inputs["{name}"]' for name in self.plan.inputs}""",
        """{n: f'inputs["{m}"]' for n, m in zip(self.shapes, [*self.shapes][::-1])}""",
    ),
    Defect(
        "several inputs have the names of others",
        KERAS,
        "inputs",
        """name="{name}")')""",
        """name="{[*self.shapes][~[*self.shapes].index(name)]}")')""",
    ),
)
