"""The command that explains codes."""

from __future__ import annotations

import click

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


@click.command()
@click.argument("code", required=False, shell_complete=_codes)
@click.option("--markdown", is_flag=True, help="Every code, as Markdown.")
def explain(code: str | None, markdown: bool) -> None:
    """Say what CODE means, why, and how to write it right; without CODE, list them all."""
    from ..diagnostics.codes import CODES

    if code is None and not markdown:
        for known, meaning in CODES.items():
            click.echo(f"{known}  {meaning}")
        return
    from ..diagnostics.explain.explanations import explanations, page
    from ..diagnostics.text import printable
    from ..diagnostics.words import suggestion

    if markdown or code is None:
        click.echo(page(), nl=False)
    elif code.upper() in CODES:
        click.echo(str(explanations()[code.upper()]))
    else:
        help = suggestion(code.upper(), CODES, what="codes")
        raise click.UsageError(f"there is no code `{printable(code)}`; {help}")
