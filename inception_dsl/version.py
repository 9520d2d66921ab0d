"""The version of the package, for ``requires`` in specs, the command line and the build."""

__version__ = "0.1.0"
