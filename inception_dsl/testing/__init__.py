"""Tests for backends: a conformance suite for pytest and random networks."""
