"""Generates files from specs and writes them atomically."""
