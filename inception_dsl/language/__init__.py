"""The language of specs: models, loading, overlays, linking, JSON Schema."""
