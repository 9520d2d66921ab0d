"""Comparing backends with the reference, each in its own process."""
