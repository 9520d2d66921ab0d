"""The worker process of :mod:`~inception_dsl.testing.fuzz`.

``fuzz_worker BACKEND...``.

Each line of standard input is a task: the seed, ``1`` to compare a training step, and ``1`` to use
:mod:`.random_symbols`. Each line of standard output is a result, as JSON.
"""

from __future__ import annotations

import json
import os
import sys

from .symbol_trial import attempt_symbols
from .trial import attempt, loaded


def main(*names: str) -> None:
    """Test every seed of standard input."""
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # output of the frameworks must not mix with the results
    backends = loaded(names)
    for line in sys.stdin:
        seed, training, symbols = line.split()
        tried = attempt_symbols if symbols == "1" else attempt
        trial = tried(int(seed), backends, training=training == "1")
        print(json.dumps(trial._asdict()), file=results, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
