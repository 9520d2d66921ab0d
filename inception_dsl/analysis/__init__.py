"""Turns linked specs into typed programs, and computes their costs and weights."""
