"""Printing Python source."""
