"""Fixtures that this folder shares with others."""

from weight_fixtures import changed, run, small

__all__ = ["changed", "run", "small"]
