"""Types used by every stage: tensors, windows, terms, expressions."""
