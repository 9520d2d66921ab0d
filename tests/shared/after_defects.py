"""Seeded defects in forks of which a branch begins after an earlier step."""

from __future__ import annotations

from defect import CORE, Defect

AFTER_DEFECTS = (
    Defect(
        "every branch begins with the input of its fork",
        CORE,
        "ir.flow",
        "return fork.node.starts(x, own)",
        "return [x for _ in fork.branches]",
    ),
    Defect(
        "the branches of generated forks begin with their input",
        CORE,
        "backend.statements",
        'start = earlier.get(fork.node.after.get(name, ""), start)',
        "pass",
    ),
    Defect(
        "an earlier output has no variable of its own",
        CORE,
        "backend.statements",
        'target = self.kept[name] = self.local.claim(name, f"{name}_output")',
        "self.kept[name] = target",
    ),
    Defect(
        "the next step reads what an older one left in the variable",
        CORE,
        "backend.statements",
        "self.source = target\n        return replace(made, kept=kept)",
        "self.source = self.source if kept else target\n        return replace(made, kept=kept)",
    ),
    Defect(
        "the sizes of a branch are those after the step before the fork",
        CORE,
        "analysis.sizes",
        "starts = zip(node.branches, node.node.starts(x, own), strict=True)",
        "starts = zip(node.branches, [x for _ in node.branches], strict=True)",
    ),
)
