"""Fixtures that this folder shares with others."""

from reports import run

__all__ = ["run"]
