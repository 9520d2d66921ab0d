"""The layout of ``--help``: a command's own options, the shared ones, examples."""

from __future__ import annotations

from typing import Any

import click

HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}


class SharedOption(click.Option):
    """An option of several commands; help lists these in a group of their own."""


class Command(click.Command):
    """A command whose help ends with examples, one line each: ``command # comment``."""

    def __init__(self, *args: Any, examples: tuple[str, ...] = (), **settings: Any) -> None:
        settings.setdefault("context_settings", HELP_OPTIONS)
        super().__init__(*args, **settings)
        self.examples = examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; every usage error gets the context that :mod:`.usage` needs."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options, then the shared ones."""
        own: list[tuple[str, str]] = []
        shared: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                (shared if isinstance(param, SharedOption) else own).append(record)
        for title, records in (("Options", own), ("Shared options", shared)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_examples(self.examples, formatter)


class Group(click.Group):
    """A group of commands: full descriptions in its help, suggestions for unknown commands."""

    def __init__(self, *args: Any, examples: tuple[str, ...] = (), **settings: Any) -> None:
        settings.setdefault("context_settings", HELP_OPTIONS)
        super().__init__(*args, **settings)
        self.examples = examples

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command to run; an unknown one is a usage error with a suggestion."""
        known = self.list_commands(ctx)
        if not args[0].startswith("-") and args[0] not in known:
            from .usage import unknown_command

            raise unknown_command(args[0], known, ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The first sentence of every command's description, uncut."""
        rows = [
            (name, command.get_short_help_str(limit=1_000))
            for name in self.list_commands(ctx)
            if (command := self.get_command(ctx, name)) is not None
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_examples(self.examples, formatter)


def write_examples(examples: tuple[str, ...], formatter: click.HelpFormatter) -> None:
    """The examples, not wrapped, with aligned comments."""
    if not examples:
        return
    parts = [line.partition(" # ") for line in examples]
    width = max((len(command) for command, _, comment in parts if comment), default=0)
    with formatter.section("Examples"):
        for command, _, comment in parts:
            text = f"{command.ljust(width)}  # {comment}" if comment else command
            formatter.write(f"{'':{formatter.current_indent}}{text}\n")
