"""The command line. Every import that takes time stands in the command that needs it."""

from __future__ import annotations

import click

from .. import __version__
from . import compile as compiling
from . import weights as weighing
from .verify import verify
from .weights_import import import_weights

OPTIONS = {"help_option_names": ["-h", "--help"]}


@click.group(context_settings=OPTIONS)
@click.version_option(__version__, "-V", "--version", prog_name="inception-dsl", message="%(prog)s %(version)s")
def main() -> None:
    """Inception networks from one page of YAML: a spec in, PyTorch or Keras source out."""


weighing.weights.add_command(import_weights)
for command in (
    compiling.build,
    compiling.check,
    compiling.summary,
    compiling.backends,
    compiling.schema,
    compiling.ops,
    compiling.new,
    weighing.weights,
    verify,
):
    main.add_command(command)
