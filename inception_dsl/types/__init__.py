"""The types that every stage uses: tensors, windows, symbolic sizes, expressions."""
