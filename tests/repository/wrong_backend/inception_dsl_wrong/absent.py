"""Wants a framework that is not installed."""

import framework_that_is_not_there  # type: ignore[import-not-found] # noqa: F401
