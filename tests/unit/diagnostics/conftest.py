"""Fixtures for this folder."""

from reports import run

__all__ = ["run"]
