"""Fixtures for this folder."""

from __future__ import annotations

from warned import warned

__all__ = ["warned"]
