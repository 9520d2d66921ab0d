"""Usage errors in the style of diagnostics: ``error: ...``, then help with a suggestion.

click raises them with texts of its own; :func:`restyled` rewrites those. The exit status is 2.
"""

from __future__ import annotations

import re
import sys
from typing import IO, Any, Final

import click

from ..diagnostics.text import printable
from .colour import coloured, style_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

OPTION_SYNONYMS: Final = {
    "--dest": "--out",
    "--directory": "--out",
    "--engine": "--backend",
    "--epochs": "--train",
    "--framework": "--backend",
    "--output-format": "--format",
    "--output": "--out",
    "--override": "--set",
    "--param": "--set",
    "--params": "--set",
    "--precision": "--dtype",
    "--shape": "--input",
    "--size": "--input",
    "--source": "--from",
    "--target": "--backend",
    "--training": "--train",
    "--batch-size": "--batch",
}
"""Options of other tools, and the one here with the same meaning."""


class UsageError(click.UsageError):
    """A usage error with an optional suggestion."""

    def __init__(self, message: str, help: str = "", ctx: click.Context | None = None) -> None:
        super().__init__(message, ctx)
        self.help = help

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the error to standard error, coloured as diagnostics are."""
        stream = sys.stderr if file is None else file
        style = style_of(stream)
        lines = [style.severe("error", "error") + style.strong(f": {printable(self.message)}")]
        hints = [self.help] if self.help else []
        if self.ctx is not None:
            hints.append(f"run `{self.ctx.command_path} --help` for options and examples")
        lines += [f"  {style.frame('=')} {style.help('help')}: {printable(hint)}" for hint in hints]
        click.echo("\n".join(lines), file=stream, color=coloured(stream))


def unknown_command(name: str, known: Iterable[str], ctx: click.Context) -> UsageError:
    """The error for a command that does not exist."""
    from ..diagnostics.words import suggestion

    if name.endswith((".yaml", ".yml")):
        help = f"name a command first: `{ctx.command_path} check {name}`"
    else:
        help = suggestion(name, known, what="commands")
    return UsageError(f"unknown command `{name}`", help, ctx)


def restyled(error: click.UsageError) -> click.UsageError:
    """The same error in the style of diagnostics; the help page that click shows stays as it is."""
    if isinstance(error, UsageError) or type(error).__name__ == "NoArgsIsHelpError":
        return error
    message, help = _described(error)
    return UsageError(message, help, error.ctx)


def _described(error: click.UsageError) -> tuple[str, str]:
    """Message and help for an error that click raised."""
    if isinstance(error, click.NoSuchOption):
        return _unknown_option(error)
    if isinstance(error, click.MissingParameter):
        return _missing(error)
    if isinstance(error, click.BadParameter) and error.param is not None:
        return _bad_value(error, error.param)
    extra = re.fullmatch(r"Got unexpected extra arguments? \((.*)\)", error.message, re.DOTALL)
    if extra and error.ctx is not None:
        return f"unexpected argument `{extra[1]}`", f"usage: {_usage(error.ctx)}"
    return _plain(error.message), ""


def _unknown_option(error: click.NoSuchOption) -> tuple[str, str]:
    from ..diagnostics.words import nearest

    known: list[str] = []
    if error.ctx is not None:
        for param in error.ctx.command.get_params(error.ctx):
            known += [name for name in param.opts if name.startswith("--")]
    meant = OPTION_SYNONYMS.get(error.option_name)
    if meant not in known:
        meant = nearest(error.option_name, known)
    return f"unknown option `{error.option_name}`", f"did you mean `{meant}`?" if meant else ""


def _missing(error: click.MissingParameter) -> tuple[str, str]:
    param, ctx = error.param, error.ctx
    if isinstance(param, click.Option):
        return f"missing option `{param.opts[-1]}`", f"`{param.opts[-1]}`: {param.help}"
    name = (param.metavar or (param.name or "").upper()) if param else ""
    return f"missing argument `{name}`", f"usage: {_usage(ctx)}" if ctx else ""


def _bad_value(error: click.BadParameter, param: click.Parameter) -> tuple[str, str]:
    name = param.opts[-1] if isinstance(param, click.Option) else (param.name or "").upper()
    quoted = re.match(r"'?(.*?)'? is not ", error.message, re.DOTALL)
    if isinstance(param.type, click.Choice) and quoted:
        choices = ", ".join(f"`{choice}`" for choice in param.type.choices)
        return f"invalid value `{quoted[1]}` for `{name}`", f"expected one of {choices}"
    if isinstance(param.type, click.types.IntParamType | click.types.FloatParamType) and quoted:
        kind = "an integer" if isinstance(param.type, click.types.IntParamType) else "a number"
        expected = f"expected {kind}{_range(param.type)}"
        return f"invalid value for `{name}`: {expected}, got `{quoted[1]}`", ""
    return f"invalid value for `{name}`: {_plain(error.message)}", ""


def _range(type: click.ParamType[Any]) -> str:
    """The bounds of a number: `` >= 2``."""
    if not isinstance(type, click.IntRange | click.FloatRange):
        return ""
    bounds = [f"{'>' if type.min_open else '>='} {type.min}"] if type.min is not None else []
    bounds += [f"<= {type.max}"] if type.max is not None else []
    return f" {' and '.join(bounds)}" if bounds else ""


def _usage(ctx: click.Context) -> str:
    return " ".join([f"`{ctx.command_path}", *ctx.command.collect_usage_pieces(ctx)]) + "`"


def _plain(text: str) -> str:
    """A text of click's as diagnostics are written: no capital, no full stop, backquotes."""
    text = re.sub(r"'([^'\n]*)'", r"`\1`", text).removesuffix(".")
    return text[:1].lower() + text[1:]
