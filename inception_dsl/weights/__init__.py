"""Weights on disk: the neutral file, and published files read by name."""
