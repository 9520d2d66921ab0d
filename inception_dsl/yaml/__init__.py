"""From YAML text to plain data with locations, and edits of YAML text."""
