"""Fixtures that this folder shares with others."""

from warned import warned

__all__ = ["warned"]
