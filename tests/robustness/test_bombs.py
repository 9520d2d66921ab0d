"""Every bomb is refused, or harmless, in little time and memory; ``bombs.py`` measures them against
the tight bounds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import bombs
import pytest

ROOT = Path(__file__).parents[2]
ROOM = 10  # times the half second: the machine that runs this has other things to do


@pytest.fixture(scope="module")
def costs() -> dict[str, bombs.Cost]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "backends")])}
    call = [sys.executable, str(ROOT / "tests" / "nightly" / "bombs.py"), "--json"]
    done = subprocess.run(call, env=environment, capture_output=True, text=True, check=True)
    return {name: bombs.Cost(*cost) for name, cost in map(json.loads, done.stdout.splitlines())}


def test_there_are_enough() -> None:
    assert len(bombs.BOMBS) >= 40


@pytest.mark.parametrize("name", bombs.BOMBS)
def test_a_bomb(name: str, costs: dict[str, bombs.Cost]) -> None:
    assert list(bombs.problems(bombs.BOMBS[name], costs[name], bombs.SECONDS * ROOM)) == []


def test_what_is_measured() -> None:
    """A process that dies, hangs or takes too much is seen as that."""
    assert bombs._apart(lambda: str(os.kill(os.getpid(), 9)), 5) == "signal 9"
    assert bombs._apart(lambda: str(time.sleep(60)), 0.2) == "timeout"
    assert bombs._apart(lambda: str(len(b" " * (4 << 30))), 20).startswith("MemoryError")
    good = bombs.Cost(1, ["E106"], 0.1, 50, 100)
    bomb = bombs.BOMBS["a million brackets"]
    assert list(bombs.problems(bomb, good)) == []
    for change in (
        {"seconds": 0.6},
        {"megabytes": 201},
        {"printed": 10**6},
        {"codes": ["E103"]},
        {"exit": 3},
    ):
        assert len(list(bombs.problems(bomb, good._replace(**change)))) == 1
