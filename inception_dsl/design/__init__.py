"""Tools for designing networks: summaries, a starter spec, the language guide."""
