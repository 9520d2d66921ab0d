"""What commands take as a spec: folders, standard input, blocks that cannot be built alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inception_dsl.cli import main

NET = """\
network: net
import: [tower.yaml]
input: {channels: 3, length: 32}
body:
  - {use: tower}
"""
TOWER = "block: tower\nsteps: [{op: conv, filters: 8, kernel_size: 3}]\n"
OPEN = "block: part\nparams: {f: int}\nsteps: [{op: conv, filters: $f, kernel_size: 3}]\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {"net.yaml": NET, "tower.yaml": TOWER, "open.yaml": OPEN}.items():
        path = tmp_path / "specs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def run(*arguments: str, text: str | None = None) -> Result:
    result = CliRunner().invoke(main, list(arguments), input=text)
    assert result.exit_code != 3, result.output
    return result


def test_check_a_folder() -> None:
    Path("specs/other.yaml").write_text("services: {}\nnetwork: {}\n")
    result = run("check", "specs", "specs/net.yaml")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "specs/net.yaml: ok",
        "specs/open.yaml: ok (not checked: warnings, and what depends on `f` or the input)",
        "specs/tower.yaml: ok (not checked: warnings, and what depends on the input)",
    ]
    Path("specs/deep").mkdir()
    Path("specs/deep/bad.yml").write_text(OPEN.replace("$f", "$g"))
    result = run("check", ".", "-f", "json")
    assert result.exit_code == 1
    (error,) = json.loads(result.stdout)
    assert (error["file"], error["code"]) == ("specs/deep/bad.yml", "E304")


@pytest.mark.parametrize("arguments", [["check"], ["build", "--check"]])
def test_a_folder_without_specs(arguments: list[str]) -> None:
    Path("empty").mkdir()
    Path("empty/a.yaml").write_text("a: 1\n")
    result = run(*arguments, "specs/net.yaml", "empty")
    assert result.exit_code == 1 and "E101" in result.output
    assert "of the folder was built" in result.output or "no specs in the folder" in result.output
    assert "empty:1:1" in result.output


def test_only_specs() -> None:
    Path("other.yaml").write_text("services: {}\n")
    result = run("check", "other.yaml")
    assert (result.exit_code, "E208" in result.output) == (1, True)
    result = run("check", "--only-specs", "other.yaml", "specs/net.yaml")
    assert (result.exit_code, result.stdout) == (0, "specs/net.yaml: ok\n")
    assert run("check", "--only-specs", "other.yaml").exit_code == 0
    assert run("check", "--only-specs", "missing.yaml").exit_code == 1


def test_what_is_not_there() -> None:
    Path("specs/gone.yaml").symlink_to("nothing.yaml")
    output = run("check", "specs/gone.yaml").output
    assert "error[E101]: a link to `nothing.yaml`, which does not exist: specs/gone" in output
    output = run("build", "specs", "--check").output
    assert "error[E101]: no spec of the folder was built to generated: specs" in output
    assert "help: build them first: `inception-dsl build specs/*.yaml`" in output


def test_a_setting_gives_the_value() -> None:
    result = run("check", "specs/open.yaml", "--set", "f=4", "--input", "32x32x3")
    assert result.stdout == "specs/open.yaml: ok\n"
    result = run("check", "specs/open.yaml", "--set", "f=0", "--input", "32x32x3")
    assert result.exit_code == 1, result.output
    result = run("check", "specs/open.yaml", "--set", "f=4")
    assert result.stdout.endswith("(not checked: warnings, and what depends on the input)\n")
    assert run("summary", "specs/open.yaml").exit_code == 1
    assert "E305" in run("build", "specs/open.yaml").output


def test_unused_parameters_are_warnings() -> None:
    Path("specs/open.yaml").write_text(OPEN.replace("$f", "8"))
    result = run("check", "specs/open.yaml")
    assert result.exit_code == 0 and "W301" in result.stderr
    result = run("check", "specs/open.yaml", "--strict")
    assert (result.exit_code, "failed (--strict)" in result.stdout) == (1, True)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("specs")
    assert run("check", "-", text=NET).stdout == "<stdin>: ok\n"
    result = run(
        "check", "-", "net.yaml", "-f", "concise", text=NET.replace("use: tower", "use: towr")
    )
    assert (result.exit_code, "<stdin>:5:11: error[E302]" in result.stdout) == (1, True)
    assert "(network net, input 32x3)" in run("summary", "-", text=NET).stdout
    assert run("summary", "-", text="").exit_code == 1
    assert run("build", "-", "-b", "torch", text=NET).exit_code == 0
    assert Path("generated/torch/net.py").is_file()
    assert run("build", "-", "--check", text=NET).exit_code == 0
    wider = NET.replace("channels: 3", "channels: 4")
    assert run("build", "-", "--check", text=wider).exit_code == 1
    assert '"uri": "%3Cstdin%3E"' in run("check", "-", "-f", "sarif", text="network: a\n").stdout


def test_blame_in_standard_input() -> None:
    """The text is read once, however often it is compiled to find a cause."""
    text = f"extends: specs/net.yaml\n{NET.splitlines()[2].replace('32', '1')}\n"
    Path("specs/tower.yaml").write_text(TOWER.replace("3}", "3, padding: valid}"))
    result = run("check", "-", "-f", "concise", text=text)
    assert result.stdout.startswith("<stdin>:2:"), result.output


@pytest.mark.parametrize(
    "arguments", [["verify"], ["weights", "init"], ["new", "a", "--from"]], ids=" ".join
)
def test_commands_that_need_a_file(arguments: list[str]) -> None:
    result = run(*arguments, "-", text=NET)
    assert (result.exit_code, "save the spec as a file" in result.output) == (1, True)


def test_build_check_uses_the_backends_of_the_folder() -> None:
    assert run("build", "specs/net.yaml", "-b", "torch").exit_code == 0
    for argument in ("specs/net.yaml", "specs", "."):
        assert run("build", argument, "--check").exit_code == 0
    result = run("build", "specs/net.yaml", "--check", "-b", "keras")
    assert (result.exit_code, "generated/keras/net.py is missing" in result.output) == (1, True)
    assert run("build", "specs/net.yaml", "-b", "keras").exit_code == 0
    Path("specs/tower.yaml").write_text(TOWER.replace("8", "9"))
    result = run("build", "specs", "--check")
    assert result.exit_code == 1 and result.output.count("is not up to date") == 2
    Path("generated/torch/net.py").unlink()
    result = run("build", "specs", "--check")
    assert result.exit_code == 1 and result.stderr.count("is not up to date") == 1
    assert "generated/torch/net.py is missing" in result.stderr
    shutil.rmtree("generated")
    result = run("build", "specs", "--check")
    assert (result.exit_code, "was built to generated: specs" in result.stderr) == (1, True)
    assert run("build", "specs/net.yaml", "--check").stderr.count("is missing") == 2


def test_a_folder_is_not_built() -> None:
    result = run("build", "specs")
    assert (result.exit_code, "specs/*.yaml" in result.output) == (1, True)


def test_a_spec_whose_file_is_no_module(here: Path) -> None:
    Path("specs/net.yaml").rename("specs/my-net.yaml")
    assert run("build", "specs/my-net.yaml", "-b", "torch").exit_code == 0
    assert Path("generated/torch/net.py").is_file()
    assert run("build", "specs", "--check").exit_code == 0


def test_specs_that_read_the_same_wrong_file() -> None:
    Path("deep").mkdir()
    wrong = "network: a\ninput: {channels: 1, length: 4}\nbody: [{op: conf}]\n"
    Path("deep/a.yaml").write_text(wrong)
    for name in ("b", "c"):
        Path(f"deep/{name}.yaml").write_text(f"extends: a.yaml\nnetwork: {name}\n")
    result = run("check", "deep")
    assert result.exit_code == 1
    reason = "failed (errors in a file of another spec)"
    assert result.stdout.splitlines() == [f"deep/{name}.yaml: {reason}" for name in ("b", "c")]
    assert result.stderr.count("error[") == 1


@pytest.mark.parametrize("command", ["check", "summary", "verify"])
def test_an_error_in_a_setting_names_the_spec(command: str) -> None:
    for name in ("a", "b"):
        text = f"network: {name}\ninput: {{channels: 1, length: 4}}\nbody: [{{op: flatten}}]\n"
        Path(f"{name}.yaml").write_text(text)
    result = run(command, "a.yaml", "b.yaml", "--set", "wrong=1")
    assert result.exit_code == 1
    assert result.stderr.count("error[E209]") == 1
    assert "= in: a.yaml" in result.stderr
    assert "= in: " not in run(command, "a.yaml", "--set", "wrong=1").stderr


@pytest.mark.parametrize(
    "command",
    ["check", "summary", "build", "diff", "verify", "rewrite", "weights init", "sweep", "fit"],
)
def test_settings_of_the_same_field(command: str, tmp_path: Path) -> None:
    """Every command that takes settings rejects two of which one would be lost."""
    more = {
        "build": ["-b", "torch", "--out", str(tmp_path)],
        "diff": ["v4"],
        "sweep": ["--vary", "width=1"],
        "fit": ["--vary", "width", "--macs", "1G"],
    }
    settings = ["--set", "body.0.repeat=2", "--set", "body.inception_a.repeat=3"]
    done = CliRunner().invoke(main, [*command.split(), "v4", *more.get(command, ()), *settings])
    assert done.exit_code == 2, done.output
    text = "error: `body.0.repeat` and `body.inception_a.repeat` both set `body.0.repeat`"
    assert text in done.stderr
    assert "= help: remove one" in done.stderr
