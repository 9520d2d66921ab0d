"""Fixtures from tests/shared."""

from keras_fixtures import model_of, module_of, source_of, typed_of

__all__ = ["model_of", "module_of", "source_of", "typed_of"]
