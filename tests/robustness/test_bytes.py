"""The output does not depend on hash seed, folder, locale, terminal encoding and umask."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from versions import VARIANTS, differences, produced


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return produced(Path(sys.executable), tmp_path_factory.mktemp("first"), {})


def test_what_is_compared(first: dict[str, bytes]) -> None:
    """Every command ran with the expected exit code."""
    assert {name.split("_")[0].split(".")[0] for name in first} == {
        *("build", "made", "check", "summary", "json", "schema", "ops", "explain", "unknown")
    }
    assert first["build.code"] == b"0"
    assert first["unknown.code"] == b"2"
    assert sum(name.startswith("made_torch") for name in first) == sum(
        name.startswith("made_keras") for name in first
    )
    for form in ("text", "concise", "json", "github", "sarif"):
        assert first[f"check_{form}.code"] == b"1"
        assert b"E402" in first[f"check_{form}.{'err' if form == 'text' else 'out'}"]
    assert not [
        name for name, text in first.items() if b"Traceback" in text or b"internal error: " in text
    ]
    assert not [
        name for name, text in first.items() if b"/tmp" in text or str(Path.home()).encode() in text
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_bytes(variant: str, first: dict[str, bytes], tmp_path: Path) -> None:
    deep = tmp_path / "another" / "folder with spaces"
    assert differences(first, produced(Path(sys.executable), deep, VARIANTS[variant])) == []
