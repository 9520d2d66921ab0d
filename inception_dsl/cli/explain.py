"""The command that explains diagnostic codes."""

from __future__ import annotations

import click

from .colour import print_table
from .help import Command
from .usage import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def _codes(_: click.Context, __: click.Parameter, start: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from ..diagnostics.codes import CODES

    return [
        CompletionItem(code, help=text)
        for code, text in CODES.items()
        if code.startswith(start.upper())
    ]


@click.command(
    cls=Command,
    examples=(
        "inception-dsl explain # all codes, one line each",
        "inception-dsl explain E201 # meaning, example and fix",
    ),
)
@click.argument("code", required=False, shell_complete=_codes)
@click.option("--markdown", is_flag=True, help="Print all explanations as Markdown.")
def explain(code: str | None, markdown: bool) -> None:
    """Explain the diagnostic CODE, or list all codes."""
    from ..diagnostics.codes import CODES

    if code is None and not markdown:
        print_table(
            lambda style: "\n".join(f"{style.strong(c)}  {text}" for c, text in CODES.items())
        )
        return
    from ..diagnostics.explain.explanations import explanations, page
    from ..diagnostics.words import nearest

    if markdown or code is None:
        click.echo(page(), nl=False)
    elif code.upper() in CODES:
        click.echo(str(explanations()[code.upper()]))
    else:
        meant = nearest(code.upper(), CODES)
        listed = "`inception-dsl explain` lists all codes"
        raise UsageError(f"unknown code `{code}`", f"did you mean `{meant}`?" if meant else listed)
