"""The document backends of inception-dsl: figures and tables of a network."""
