"""Fixtures that this folder shares with others."""

from builds import folder

__all__ = ["folder"]
