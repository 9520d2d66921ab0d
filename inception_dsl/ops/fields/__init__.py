"""The types of op attributes."""
