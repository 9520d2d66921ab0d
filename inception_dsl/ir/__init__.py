"""The program and the typed program."""
