"""Fixtures for tests of diff and rewrite."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from rewrites import HEAD

import inception_dsl


@pytest.fixture
def net(write: Callable[..., Path]) -> Callable[[str], inception_dsl.Network]:
    """Compiles a network on 64 channels; ``net.yaml`` has its text."""

    def made(text: str) -> inception_dsl.Network:
        return inception_dsl.load(write(HEAD + textwrap.dedent(text), "net.yaml"))

    return made
