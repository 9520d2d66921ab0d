"""Explanations of all diagnostic codes, each with a wrong and a right example."""
