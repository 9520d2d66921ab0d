"""Fixtures for this folder."""

from published_files import imported, published_spec
from weight_fixtures import changed, run, small

__all__ = ["changed", "imported", "published_spec", "run", "small"]
