"""Shipped tests for backends: a NumPy reference of every op, and seeded weights."""
