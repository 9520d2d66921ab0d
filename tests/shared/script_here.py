"""A training script of any framework, run in this process."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from scripts import compiled, emitted, written

from inception_dsl.backend import module_from_source, script_from_source

RECIPE: dict[str, Any] = {
    "optimizer": {"name": "sgd", "form": "torch", "rate": 0.01, "momentum": 0.9},
    "average": {"decay": 0.9, "warm_up": True},
    "augmentation": {"flip": True},
}
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Script:
    """A script in this process, with its model."""

    def __init__(self, backend: str, folder: Path, text: str, training: Mapping[str, Any]) -> None:
        self.backend = backend
        self.typed = compiled(written(folder, {**RECIPE, **training}, text))
        files = emitted(self.typed, backend)
        stem = next(n for n in files if n.startswith("train_"))[len("train_") : -len(".py")]
        beside = module_from_source(files[f"{stem}.py"], stem)
        self.source = files[f"train_{stem}.py"]
        self.module = script_from_source(self.source, stem, beside)
        self.error = getattr(self.module, "DataError", None) or self.module.RunError

    def images(self, data: Path, split: str = "train") -> Any:
        return self.module.Images(data, split, *[0] * (self.backend == "torch"))

    def refuses(self, data: Path, split: str = "train") -> str:
        """The line about data that cannot be used."""
        with pytest.raises(self.error) as caught:
            self.images(data, split)
        return str(caught.value)

    def run(self, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str | int | None:
        """Its status, or its last line."""
        monkeypatch.setattr("sys.argv", ["train.py", *arguments])
        before = [signal.getsignal(number) for number in SIGNALS]
        try:
            self.module.main()
        except SystemExit as stop:
            return stop.code
        except self.error as stop:
            return f"error: {stop}"
        finally:
            for number, handler in zip(SIGNALS, before, strict=True):
                signal.signal(number, handler)
        return 0
