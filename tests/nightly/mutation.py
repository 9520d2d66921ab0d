"""Mutation testing of the loader, the expressions and the shape rules with the fast tests.

    python tests/nightly/mutation.py                         all mutants
    python tests/nightly/mutation.py --share 0.1             a random tenth of them
    python tests/nightly/mutation.py --module types.terms    one module

A mutant is killed if a test fails or hangs. Survivors are listed in ``survivors.yaml``, each with a
reason. Exits with status 1 if less than 90 % of a group are killed or a survivor is not listed.

Tests are imported and collected once. Each mutant runs in a forked process, which replaces the code
of the changed function and runs the tests that call it, fastest first. Mutants of code that runs at
import (constants, fields) run in a process that imports the changed module again.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from fnmatch import fnmatch
from pathlib import Path

import hypothesis
import yaml
from mutants import Mutant
from mutation_campaign import entry, fresh_results, late_results
from mutation_targets import GROUPS, modules

TARGET = 0.9


def report(groups: dict[str, list[Mutant]], results: dict[Mutant, str], whole: bool) -> bool:
    """Print the results; returns whether the target is met and all survivors are listed."""
    path = Path(__file__).parent / "survivors.yaml"
    listed = {
        (e["in"], e["was"], e["now"])
        for e in yaml.safe_load(path.read_text(encoding="utf-8")) or ()
    }
    good = True
    for group, found in groups.items():
        killed = sum(results[m] == "killed" for m in found)
        if found:
            print(
                f"{group:12} {len(found):5} mutants, "
                f"{killed:5} killed: {100 * killed / len(found):.1f} %"
            )
            good &= killed >= TARGET * len(found)
    survivors = [m for m in results if results[m] != "killed"]
    new = [m for m in survivors if m.key not in listed]
    print(f"{len(survivors)} survivors, {len(survivors) - len(new)} of them listed with a reason")
    for m in new:
        print(entry(m))
    if whole:
        for gone in sorted(listed - {m.key for m in survivors}):
            print("listed, but killed:", *gone, sep="\n    ")
    return good and not new


def main() -> None:
    parser = argparse.ArgumentParser(description="Mutation testing with the fast tests.")
    parser.add_argument(
        "--share", type=float, default=1.0, help="fraction of the mutants to test (default: 1.0)"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed for --share (default: 1)")
    parser.add_argument(
        "--module", default="*", help="modules, for example `types.terms,ops.*` (default: all)"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)"
    )
    given = parser.parse_args()
    start = time.monotonic()
    hypothesis.settings.register_profile("mutation", derandomize=True, database=None, deadline=None)
    hypothesis.settings.load_profile("mutation")
    known, groups = {}, {group: [] for group in GROUPS}
    chance = random.Random(given.seed)
    for group, module in modules():
        known[module.name] = module
        chosen = [m for m in module.mutants if chance.random() < given.share]
        groups[group] += (
            chosen if any(fnmatch(module.name, p) for p in given.module.split(",")) else []
        )
    every = [m for found in groups.values() for m in found]
    results = late_results([m for m in every if m.late], known, given.jobs)
    fresh = [m for m in every if not m.late or results[m] == "status 2"]
    results |= fresh_results(fresh, known, given.jobs)
    good = report(groups, results, whole=given.share == 1 and given.module == "*")
    print(f"{len(every)} mutants in {time.monotonic() - start:.0f} s")
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
