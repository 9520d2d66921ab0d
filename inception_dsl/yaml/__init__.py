"""Parses YAML text into plain data with locations, and edits YAML text."""
