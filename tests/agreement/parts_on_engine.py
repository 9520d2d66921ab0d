"""Runs Keras training scripts in parts, and one that is killed between two of them, in float64.

``python parts_on_engine.py PLAIN FULL DATA OUT``, with two scripts. One process runs everything
for an engine, as starting the engine is slow. The runs are folders in ``OUT``.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


class Killed(BaseException):
    """The process ends here."""


def module_of(script: str) -> ModuleType:
    sys.path.insert(0, str(Path(script).parent))
    return importlib.import_module(Path(script).stem)


def main(plain: str, full: str, data: str, out: str) -> None:
    import keras

    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")

    def run(module: ModuleType, folder: str, *options: str) -> None:
        sys.argv = ["train.py", "--data", data, "--out", f"{out}/{folder}", "--workers", "1"]
        sys.argv += options
        module.main()
        keras.backend.clear_session()

    run(module_of(plain), "whole")
    run(module_of(plain), "parts", "--accumulate", "2")
    module, parts = module_of(full), ("--accumulate", "2", "--save-every", "2")
    run(module, "full", *parts)
    old = module.Progress.on_train_batch_end

    def end(progress: Any, batch: int, logs: Any) -> None:
        old(progress, batch, logs)
        if progress.step == 3 and progress.losses:  # after the first part of a step
            raise Killed

    module.Progress.on_train_batch_end = end
    try:
        run(module, "killed", *parts)
    except Killed:
        print("killed between parts")
    module.Progress.on_train_batch_end = old
    run(module, "killed", *parts)


if __name__ == "__main__":
    main(*sys.argv[1:])
