"""From linked specs to typed programs, and what follows from them: costs, weights, definitions."""
