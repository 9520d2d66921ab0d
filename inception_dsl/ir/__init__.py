"""The intermediate representation: programs, typed programs, and their single-assignment form."""
