"""Weight files: the neutral format, the formats of frameworks, published weights."""
