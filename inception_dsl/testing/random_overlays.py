"""Random overlays: splits a spec into a base and a spec that extends it."""

from __future__ import annotations

import random
from typing import Any

from .random_blocks import Given, Step


class Overlay:
    """Splits a spec into a base and an overlay."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def split(self, data: Step) -> tuple[Step, Step]:
        """A base and an overlay that together are equal to the spec."""
        base: Step = {**data, "network": "base"}
        over: Step = {"extends": "base.yaml", "network": data["network"]}
        if self.chance(0.5):
            base["classes"], over["classes"] = data["classes"] + 1, data["classes"]
        params = dict(base["params"])
        for parameter, declared in data["params"].items():
            if declared["type"] == "int" and self.chance(0.5):
                params[parameter] = {**declared, "default": declared["default"] + 1}
                over.setdefault("params", {})[parameter] = {"default": declared["default"]}
        base["params"] = params
        base["body"], changes = self.changed(data["body"])
        if changes:
            over["body"] = changes
        blocks: Step = {}
        for block, declared in data["blocks"].items():
            steps, changes = self.changed(declared["steps"])
            blocks[block] = {**declared, "steps": steps}
            if changes:
                over.setdefault("blocks", {})[block] = {"steps": changes}
        base["blocks"] = blocks
        return base, over

    def changed(self, chain: list[Step]) -> tuple[list[Step], dict[Any, Any]]:
        """A changed chain, and the overlay that restores the original."""
        steps, changes = [], dict[Any, Any]()
        for index, step in enumerate(chain):
            fields = [k for k, v in step.items() if isinstance(v, Given) or k == "filters"]
            if fields and self.chance(0.4):
                field = self.rng.choice(fields)
                changes[index] = {field: step[field]}
                step = {**step, field: 3}
            elif self.chance(0.1):
                changes[index] = [step]
                step = {"op": "identity", "name": f"stand_in{index}"}
            steps.append(step)
        return steps, changes
