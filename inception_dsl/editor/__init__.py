"""The language server: diagnostics, hover, completion, definitions and fixes in an editor."""
