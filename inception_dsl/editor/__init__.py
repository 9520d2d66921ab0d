"""The language server, and the page beside the editor that shows what a spec is."""
