"""The NumPy reference: forward pass, gradients, a training step, seeded weights."""
