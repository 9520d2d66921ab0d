"""Weights on disk: the neutral file, the files of frameworks, and published files read by name."""
