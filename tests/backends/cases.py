"""The samples of every op, which stand with the conformance suite."""

from inception_dsl.testing.cases import Case, all_cases

__all__ = ["Case", "all_cases"]
