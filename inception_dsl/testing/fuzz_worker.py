"""Tries random networks for :mod:`~inception_dsl.testing.fuzz`, in a process of its own.

``fuzz_worker BACKEND...``.

A line of standard input is a trial: the seed, ``1`` where a training step is wanted, and ``1``
where it is one of :mod:`.random_symbols`. A line of standard output is the result, as JSON.
"""

from __future__ import annotations

import json
import os
import sys

from .symbol_trial import attempt_symbols
from .trial import attempt, loaded


def main(*names: str) -> None:
    """Try every seed that is asked for, until there are no more."""
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a framework prints is no result
    backends = loaded(names)
    for line in sys.stdin:
        seed, training, symbols = line.split()
        tried = attempt_symbols if symbols == "1" else attempt
        trial = tried(int(seed), backends, training=training == "1")
        print(json.dumps(trial._asdict()), file=results, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
