"""Compares receptive fields with what random networks depend on: ``--count 1000`` of them.

Every pixel of the input is changed, and the NumPy reference says which positions of the outputs and
of the used blocks change with it. None may be outside of its receptive field. A failure prints the
seed of the network; ``python -m inception_dsl.testing.fuzz --seed SEED --show`` prints its spec.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

_SHOWN = 3  # positions of one network
sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))


def checked(seed: int, until: float) -> list[str] | None:
    """What is wrong with the network of a seed; ``None`` if the time is over."""
    if time.time() > until:
        return None
    from perturbed import outside

    try:
        return outside(seed)
    except Exception as error:  # a finding like others, with its seed
        return [f"{type(error).__name__}: {error}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="networks (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="the first seed (default: 0)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--minutes", type=float, default=600, help="stop after so many minutes")
    given = parser.parse_args()
    started, done, wrong = time.time(), 0, 0
    seeds = range(given.seed, given.seed + given.count)
    until = started + 60 * given.minutes
    with ProcessPoolExecutor(given.jobs) as pool:
        for seed, found in zip(seeds, pool.map(partial(checked, until=until), seeds), strict=True):
            done += found is not None
            wrong += bool(found)
            for line in (found or [])[:_SHOWN]:
                print(f"seed {seed}: {line}", flush=True)
            if found and len(found) > _SHOWN:
                print(f"seed {seed}: {len(found) - _SHOWN:,} more positions", flush=True)
    seconds = time.time() - started
    print(f"{done:,} of {given.count:,} networks, {wrong:,} with findings ({seconds:.0f} s)")
    sys.exit(bool(wrong) or not done)


if __name__ == "__main__":
    main()
