"""Fixtures for this folder."""

from builds import folder

__all__ = ["folder"]
