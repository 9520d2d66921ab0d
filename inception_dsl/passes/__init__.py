"""Checks of programs, one per file."""
