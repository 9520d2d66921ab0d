"""Damaged specs: each seed gives a shipped spec with a few changes of one of four kinds.

The kinds are bytes, YAML (the structure of the text), fields (names, values and types) and meaning
(values that are valid for their fields but not together). A seed gives the same mutant as long as
the shipped specs do not change.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from mutations_of_fields import of_fields
from mutations_of_meaning import of_meaning
from mutations_of_text import of_bytes, of_yaml

Rng = random.Random


class Mutant(NamedTuple):
    """``source`` is the shipped spec, ``kind`` one of :data:`KINDS`."""

    seed: int
    source: str
    kind: str
    data: bytes


def shipped(root: Path) -> dict[str, str]:
    """The text of every spec in the repository, by its path in ``specs``."""
    found = sorted((root / "specs").rglob("*.yaml"))
    return {p.relative_to(root / "specs").as_posix(): p.read_text(encoding="utf-8") for p in found}


def mutant(seed: int, texts: Mapping[str, str]) -> Mutant:
    """The mutant of a seed; its kind is the seed modulo four."""
    rng = Rng(seed)
    kind = list(KINDS)[seed % len(KINDS)]
    names = sorted(texts)
    slow = ("published/", "family/")
    source = rng.choices(names, [1 if name.startswith(slow) else 3 for name in names])[0]
    data = KINDS[kind](rng, texts[source], rng.choice([1, 1, 1, 2, 4]))
    return Mutant(seed, source, kind, data)


KINDS: Final[Mapping[str, Callable[[Rng, str, int], bytes]]] = {
    "bytes": of_bytes,
    "yaml": of_yaml,
    "fields": of_fields,
    "meaning": of_meaning,
}
