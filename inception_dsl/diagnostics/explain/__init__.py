"""An explanation of every code, with a wrong and a right example."""
