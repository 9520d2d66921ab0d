"""Checks of programs: limits, paths, names of published weights, warnings."""
