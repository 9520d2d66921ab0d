"""Compares backends with the reference; each runs in its own process."""
