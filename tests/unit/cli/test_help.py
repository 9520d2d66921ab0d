"""``--help`` of every command: complete, one line each, ordered, with examples that parse."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from inception_dsl.cli import main
from inception_dsl.cli.help import Command, Group, SharedOption

NOT_RUN = ("verify", "weights", "serve")
"""Two need frameworks; `serve` runs until Ctrl-C, and has a test of its own."""
WIDTH = 78  # columns of help on a terminal of 80


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every command and group."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        found = group.get_command(ctx, name)
        yield (*path, name)
        if isinstance(found, click.Group):
            yield from commands(found, (*path, name))


ALL = list(commands(main))


def command_at(path: tuple[str, ...]) -> click.Command:
    found: click.Command | None = main
    for name in path:
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), name)
    assert found is not None
    return found


def help_of(*path: str) -> str:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    return result.output


def section(text: str, title: str) -> list[str]:
    """The lines of a section, without indentation."""
    found = re.search(rf"^{title}:\n((?:  .*\n?)+)", text, re.MULTILINE)
    return [line.strip() for line in found[1].splitlines()] if found else []


@pytest.mark.parametrize("path", [(), *ALL], ids=" ".join)
def test_nothing_is_cut_and_no_line_is_wrapped(path: tuple[str, ...]) -> None:
    text = help_of(*path)
    assert "..." not in text.replace("SPEC...", "").replace("[ARGS]...", "")
    assert max(map(len, text.splitlines())) <= 80
    command = command_at(path)
    options = [p for p in command.get_params(click.Context(command)) if isinstance(p, click.Option)]
    lines = section(text, "Options") + section(text, "Shared options")
    narrow = [*lines, *section(text, "Commands"), *section(text, "Examples")]
    assert max(map(len, narrow)) + 2 <= WIDTH
    assert len(lines) == len(options)
    assert all(re.search(r"\S  +\S", line) for line in lines), "every option has a description"


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_a_description_is_one_line_in_the_list(path: tuple[str, ...]) -> None:
    lines = section(help_of(*path[:-1]), "Commands")
    (line,) = [line for line in lines if line.split()[0] == path[-1]]
    first = (command_at(path).help or "").split("\n\n")[0]
    assert line.split(maxsplit=1)[1] == " ".join(first.split())
    assert line.endswith(".")


def test_shared_options_come_last_in_a_section_of_their_own() -> None:
    text = help_of("build")
    assert text.index("\nOptions:") < text.index("\nShared options:") < text.index("\nExamples:")
    assert [line.split()[0] for line in section(text, "Shared options")] == [
        "--set",
        "--input",
        "--root",
        "-f,",
    ]
    assert "--force" in "".join(section(text, "Options"))
    assert "Shared options" not in help_of("ops")


def test_short_forms_mean_the_same_everywhere() -> None:
    long_of: dict[str, set[str]] = {}
    short_of: dict[str, set[str]] = {}
    for path in ALL:
        for param in command_at(path).params:
            if isinstance(param, click.Option):
                long = param.opts[-1]
                short_of.setdefault(long, set()).add(param.opts[0])
                for name in param.opts[:-1]:
                    long_of.setdefault(name, set()).add(long)
    assert long_of == {"-b": {"--backend"}, "-o": {"--out"}, "-f": {"--format"}}
    assert all(len(names) == 1 for names in short_of.values()), short_of


def test_the_same_options_have_the_same_help() -> None:
    texts: dict[str, set[str | None]] = {}
    for path in ALL:
        for param in command_at(path).params:
            if isinstance(param, SharedOption):
                texts.setdefault(param.opts[-1], set()).add(param.help)
    assert {len(found) for found in texts.values()} == {1}


def examples() -> list[str]:
    found = list(main.examples)
    for path in ALL:
        command = command_at(path)
        assert isinstance(command, Command | Group)
        assert command.examples, f"{path} has no example"
        own = " ".join(("inception-dsl", *path))
        assert all(line.startswith(own) for line in command.examples)
        found += command.examples
    return found


@pytest.mark.parametrize("example", examples())
def test_examples_parse(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(example.partition(" # ")[0].partition(" > ")[0])[1:]
    command, ctx = main, click.Context(main)
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(ctx, words)
        assert found is not None
        command, ctx = found, click.Context(found, info_name=name)
        if words == ["--help"]:
            return
    command.parse_args(ctx, words)


@pytest.mark.parametrize(
    "example",
    [
        line.partition(" # ")[0].partition(" > ")[0]
        for line in examples()
        if not line.startswith(tuple(f"inception-dsl {name}" for name in NOT_RUN))
    ],
)
def test_examples_without_a_framework_run(
    example: str, write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "network: n\ninput: {channels: 3, height: 64, width: 64}\nclasses: 5\nbody:\n"
    text += "  - {op: conv, filters: 4, kernel_size: 3}\n  - {op: global_avg_pool}\n"
    text += "head: [{op: dense, units: $classes}]\n"
    monkeypatch.chdir(tmp_path)
    for name in ("net.yaml", "specs/net.yaml", *["my_net.yaml"] * ("new" not in example)):
        write(text, name)
    if "*.yaml" in example:
        folder = "specs" if "specs/" in example else "."
        example = example.replace("specs/*.yaml", "*.yaml")
        example = example.replace("*.yaml", f"{folder}/net.yaml")
    if "--check" in example:
        assert CliRunner().invoke(main, ["build", "net.yaml"]).exit_code == 0
    differs = example.startswith("inception-dsl diff")
    if "HEAD:" in example:
        author = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        for command in (("init", "-q", "."), ("add", "-A"), (*author, "commit", "-q", "-m", "x")):
            subprocess.run(("git", *command), check=True)
        write(text.replace("filters: 4", "filters: 5"), "net.yaml")
    result = CliRunner().invoke(main, shlex.split(example)[1:])
    assert result.exit_code == int(differs), result.output


def test_short_options_work(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write("network: n\ninput: {channels: 3, length: 9}\nbody: [{op: identity}]\n", "n.yaml")
    result = CliRunner().invoke(main, ["build", "n.yaml", "-b", "torch", "-o", "out"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out/torch/n.py").exists()
    assert CliRunner().invoke(main, ["check", "none.yaml", "-f", "json"]).stdout.startswith("[")


@pytest.mark.parametrize(
    ("words", "start", "names"),
    [
        ("inception-dsl build", "v", {"v0", "v1", "v1_article", "v2", "v2_article", "v3", "v4"}),
        ("inception-dsl check v4", "published/timm_inception_v4", {"published/timm_inception_v4"}),
        ("inception-dsl summary", "v3", {"v3"}),
        ("inception-dsl verify", "v3", {"v3"}),
        ("inception-dsl weights import", "v3", {"v3"}),
        ("inception-dsl new mine --from", "v3", {"v3"}),
    ],
)
def test_shells_complete_the_names_of_shipped_specs(
    words: str, start: str, names: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are completed too: by the shell itself, and here beside names."""
    monkeypatch.chdir(tmp_path)
    for name in ("v3_mine.yaml", "v3.py"):
        (tmp_path / name).touch()
    given = {"COMP_WORDS": f"{words} {start}", "COMP_CWORD": str(len(words.split()))}
    runner = CliRunner(env={"_INCEPTION_DSL_COMPLETE": "bash_complete", **given})
    result = runner.invoke(main, prog_name="inception-dsl")
    first, *found = [tuple(line.split(",", 1)) for line in result.output.splitlines()]
    mine = {"v3_mine.yaml"} if "v3_mine".startswith(start) else set()
    assert first == ("file", start)
    assert set(found) == {("plain", name) for name in names | mine}
