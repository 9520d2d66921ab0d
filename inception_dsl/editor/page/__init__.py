"""The page beside the editor: what specs are, cost and have wrong, again after every save."""
