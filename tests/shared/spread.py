"""Distribution of tests over processes: tests with shared fixtures together, slow tests first."""

from __future__ import annotations

import re
from typing import Any

import pytest

FOLDERS = ("agreement", "life", "repository", "robustness", "unit/testing", "unit/reference")
"""Folders with slow tests, the slowest first."""
NETWORKS = re.compile(
    r"\[(?:.*-)?((?:v\d|inception_resnet_v|timm_|keras_inception|torchvision_)\w*)[-\]]"
)
TOGETHER = {  # patterns for units of work inside of a module; other modules are one unit
    "test_conformance": (NETWORKS, re.compile("::(TestTorch|TestKeras)::")),
    "test_keras_engines": (re.compile(r"[\[-](tensorflow|jax|torch)[\]-]"),),
    "test_keras_life": (NETWORKS,),
    "test_published": (NETWORKS,),
    "test_random_networks": (re.compile(r"agrees\[(\w+)\]"),),
    "test_seeded_defects": (re.compile(r"\[inception_dsl_(keras):"),),
    "test_shipped_networks": (NETWORKS,),
    "test_torch_life": (NETWORKS,),
    "test_weight_maps": (re.compile(r"round_trip\[(\w+)-(?:torch|keras)\]"),),
}


def unit_of(nodeid: str) -> str:
    """The unit of work of a test; all tests of a unit run in one process."""
    module = nodeid.partition("::")[0]
    name = module.rpartition("/")[2].removesuffix(".py")
    for pattern in TOGETHER.get(name, ()):
        if found := pattern.search(nodeid):
            return f"{module} {found.group(1)}"
    return module


def order_of(item: pytest.Item) -> int:
    """The sort key of a test: folders with slow tests first."""
    for number, folder in enumerate(FOLDERS):
        if item.nodeid.startswith(f"tests/{folder}/"):
            return number
    return len(FOLDERS)


def scheduler(config: pytest.Config, log: Any) -> Any:
    """A scheduler that distributes units in the order of collection."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

    return Scheduling(config, log)
