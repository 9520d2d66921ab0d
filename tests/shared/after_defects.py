"""Seeded defects in forks of which a branch begins after an earlier step."""

from __future__ import annotations

from defect import CORE, Defect

AFTER_DEFECTS = (
    Defect(
        "every branch begins with the input of its fork",
        CORE,
        "ir.flow",
        "return [own[after[name]] if name in after else x for name, _ in fork.branches]",
        "return [x for name, _ in fork.branches]",
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
        "ys = [self.chain(chain, starts.get(name, x)) for name, chain in node.branches]",
        "ys = [self.chain(chain, x) for name, chain in node.branches]",
    ),
)
