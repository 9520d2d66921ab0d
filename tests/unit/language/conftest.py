"""Fixtures that this folder shares with others."""

from loading import refused

__all__ = ["refused"]
