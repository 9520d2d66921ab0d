"""Bugs seeded into emitted files, in what they offer beside the layers of the model."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import yaml


class Seeded(NamedTuple):
    """In the file of ``backend``, replaces ``old`` by ``new``."""

    backend: str
    name: str
    old: str
    new: str
    initializer: str = "truncated_normal"


TEXT = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
SEEDED = tuple(Seeded(**row) for row in yaml.safe_load(TEXT))
