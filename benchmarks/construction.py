"""Measures the construction of each generated PyTorch network, with initial weights.

python benchmarks/construction.py
"""

from __future__ import annotations

import runpy
import statistics
import time
from pathlib import Path

from torch import nn

ROUNDS, LIMIT = 5, 1.0
GENERATED = Path(__file__).parent.parent / "generated" / "torch"


def network(path: Path) -> type[nn.Module]:
    """The last class of a generated file: the network or block."""
    return [
        v
        for v in runpy.run_path(str(path)).values()
        if isinstance(v, type) and issubclass(v, nn.Module)
    ][-1]


def seconds(cls: type[nn.Module]) -> float:
    """Seconds for one construction."""
    start = time.perf_counter()
    cls()
    return time.perf_counter() - start


def main() -> None:
    """Print the medians; exit with status 1 if one is above the limit."""
    missed = False
    for path in sorted(GENERATED.glob("*.py")):
        cls = network(path)
        seconds(cls)
        taken = statistics.median(seconds(cls) for _ in range(ROUNDS))
        missed |= taken > LIMIT
        verdict = f"at most {LIMIT:g} s: {'met' if taken <= LIMIT else 'MISSED'}"
        print(f"{path.stem:20} {cls.__name__:20} {taken * 1000:8.1f} ms  {verdict}")
    raise SystemExit(missed)


main()
