"""Fixtures that this folder shares with others."""

from builds import folder
from rooted import project

__all__ = ["folder", "project"]
