"""Errors and warnings: codes, reports, output formats, explanations."""
