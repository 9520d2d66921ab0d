"""Fixtures for this folder."""

from __future__ import annotations

from loading import refused

__all__ = ["refused"]
