"""Commands on weights that must fail without a change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

Run = Callable[..., Result]
Change = Callable[[Callable[[dict[str, Any]], Any]], Path]
COMMANDS = {
    "check": ("check", "small.yaml", "bad.safetensors"),
    "convert": ("convert", "small.yaml", "bad.safetensors", "new.safetensors"),
    "replace": ("convert", "small.yaml", "bad.safetensors", "small.safetensors"),
    "torch": ("convert", "small.yaml", "bad.safetensors", "new.safetensors", "--from", "torch"),
}


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def refused(run: Run, folder: Path, *arguments: str, code: str = "E701") -> str:
    """The standard error of a command that must fail and change no file."""
    before = snapshot(folder)
    result = run("weights", *arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert f"error[{code}]" in result.stderr
    assert "Traceback" not in result.stderr
    assert snapshot(folder) == before
    return result.stderr
