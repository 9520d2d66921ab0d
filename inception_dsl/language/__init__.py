"""The spec language: models, loading, overlays, linking, JSON Schema."""
