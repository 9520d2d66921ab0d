"""What helps to design networks: summaries, a starter spec, the language guide."""
