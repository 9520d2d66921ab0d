"""Generates Python source."""
