"""The program: ``inception-dsl`` and ``python -m inception_dsl``."""

from __future__ import annotations

import gc
import os
import sys
from types import ModuleType

from .cli import main


def _without_plugins_of_pydantic() -> None:
    """Looking for them takes longer than reading a spec, and so does importing what looks for them."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    loader = ModuleType("pydantic.plugin._loader")
    loader.get_plugins = tuple  # type: ignore[attr-defined]
    sys.modules.setdefault(loader.__name__, loader)


def run() -> None:
    """Run one command in a process of its own."""
    gc.disable()  # it ends before there is anything worth collecting
    _without_plugins_of_pydantic()
    main(prog_name="inception-dsl")


if __name__ == "__main__":
    run()
