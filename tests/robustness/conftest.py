"""Fixtures for this folder."""

from builds import folder
from rooted import project

__all__ = ["folder", "project"]
