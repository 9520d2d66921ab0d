"""The types that every stage uses: tensors, windows, terms, expressions."""
