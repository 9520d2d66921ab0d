"""Fixtures from tests/shared."""

from keras_fixtures import module_of, source_of, typed_of
from keras_scripts import network
from weight_fixtures import changed, run, small

__all__ = ["changed", "module_of", "network", "run", "small", "source_of", "typed_of"]
