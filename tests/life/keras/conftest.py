"""Fixtures from tests/shared."""

from keras_fixtures import module_of, source_of, typed_of

__all__ = ["module_of", "source_of", "typed_of"]
