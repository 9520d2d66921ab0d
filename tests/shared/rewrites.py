"""Helpers for tests of ``rewrite``."""

from __future__ import annotations

import pytest

import inception_dsl
from inception_dsl.design.rewrites.rewriting import Rewritten

HEAD = "network: n\ninput: {channels: 64, height: 32, width: 32}\n"


def reasons(error: pytest.ExceptionInfo[inception_dsl.SpecError]) -> list[str]:
    """The errors, each with its code and line."""
    return [f"{d.code} {d.span.line}: {d.message}" for d in error.value.diagnostics]


def added(result: Rewritten) -> list[str]:
    """The lines that the diff adds, without their indentation."""
    lines = result.diff().splitlines()
    return [line[1:].strip() for line in lines if line[:1] == "+" and line[:3] != "+++"]


def body(result: Rewritten) -> str:
    """The text below the head of the test's networks."""
    assert result.text.startswith(HEAD)
    return result.text.removeprefix(HEAD)
