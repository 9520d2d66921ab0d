"""The worker process of :mod:`~inception_dsl.testing.fuzz`.

``fuzz_worker BACKEND...``.

Each line of standard input is a task as JSON: the seed, whether to compare a training step, whether
to use :mod:`.random_symbols`, and a folder of specs for :mod:`.random_changes` or an empty text.
Each line of standard output is a result, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from .symbol_trial import attempt_symbols
from .trial import attempt, loaded


def main(*names: str) -> None:
    """Test every seed of standard input."""
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # output of the frameworks must not mix with the results
    backends = loaded(names)
    for line in sys.stdin:
        seed, training, symbols, folder = json.loads(line)
        if symbols or folder:
            trial = attempt_symbols(
                seed, backends, training=training, folder=Path(folder) if folder else None
            )
        else:
            trial = attempt(seed, backends, training=training)
        print(json.dumps(trial._asdict()), file=results, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
