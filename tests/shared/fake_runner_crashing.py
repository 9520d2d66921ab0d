"""A runner whose framework fails when it is imported."""

raise RuntimeError("no such device")
