"""Building: which files an order makes, and writing them atomically."""
