"""The NumPy reference: forward, gradients, training step, seeded weights."""
