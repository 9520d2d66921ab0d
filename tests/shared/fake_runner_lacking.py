"""A runner whose framework is not installed."""

import a_framework_that_nobody_has  # noqa: F401
