"""The documents are true: examples build, commands run, and output and figures are current."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from documents import (
    DOCUMENTS,
    LINK,
    Block,
    anchors,
    blocks,
    commands,
    completed,
    inline_commands,
    text_of,
    values,
)
from frameworks import BACKENDS, typed_program
from paths import ROOT
from safetensors.numpy import save_file

import inception_dsl
from inception_dsl.cli import main
from inception_dsl.design.summary import Summary
from inception_dsl.reference.seeds import seeded
from inception_dsl.testing.fuzz import main as fuzz
from inception_dsl.weights.layouts import published

WEIGHTS = "docs/weights.md"  # its commands take half a minute, and run once
ELSEWHERE = {WEIGHTS, "docs/fine-tuning.md", "docs/tutorial.md"}  # test_fine_tuning.py, _tutorial
TOO_LONG = "takes minutes; tests/agreement compares the same networks"
FUZZ = "python -m inception_dsl.testing.fuzz"
NOT_RUN = {  # commands that are checked without running them, by how they begin
    "python3 -m venv .venv": "creates an environment",
    "pip install": "installs packages; .ci/run does",
    **dict.fromkeys(("pytest", "bash .ci/run"), "runs the tests"),
    "python docs/site/build.py": "writes the site; test_site.py does",
    "python tests/nightly/": "takes minutes",
    "python benchmarks/": "takes minutes, and measures the machine",
    "inception-dsl serve": "serves until Ctrl-C; tests/unit/cli/test_serve.py runs it",
    **dict.fromkeys(("torchrun", "python generated/"), "trains; test_torch_training.py does"),
    "python docs/search_training.py": "trains; test_search_training.py runs it",
    **dict.fromkeys(("inception-dsl verify specs/", "inception-dsl verify family/"), TOO_LONG),
    **{f"{FUZZ} --{what}": TOO_LONG for what in ("count 2000", "symbols", "extends")},
    "inception-dsl weights import published/keras": "reads a file that Keras downloads",
}
RUN_PYTHON = {  # which Python examples run: those with all they need in front of them
    "README.md": "^import",
    "docs/python.md": "",
    "docs/training.md": "^import",
    WEIGHTS: r"\"v4\.safetensors\"",
}
NUMBER = re.compile(r" +(\d\.\de-\d\d|0)(?=\s)")
Run = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A copy of what commands read and write, with the example of README.md saved."""
    for name in ("specs", "generated", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "tiny.yaml").write_text(blocks("yaml", "README.md")[0].text, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a spec beside copies of the shipped specs; each test writes its own text."""
    folder = tmp_path_factory.mktemp("examples")
    return shutil.copytree(ROOT / "specs", folder / "specs") / "example.yaml"


@pytest.fixture
def run(workspace: Path) -> Run:
    """Runs a command in the workspace, with the interpreter and the packages of the tests."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1"}

    def run(command: str) -> subprocess.CompletedProcess[str]:
        call = ["bash", "-c", command]
        return subprocess.run(
            call, cwd=workspace, env=environment, capture_output=True, text=True, check=False
        )

    return run


def parsed(words: list[str]) -> None:
    """Checks commands, options and values, and that the specs exist."""
    if words[:3] == ["python", "-m", "inception_dsl.testing.fuzz"]:
        fuzz.make_context("fuzz", words[3:])
        return
    assert words[0] == "inception-dsl", words
    group: click.Command = main
    rest = words[1:]
    while isinstance(group, click.Group) and rest and not rest[0].startswith("-"):
        found = group.get_command(click.Context(group), rest[0])
        assert found is not None, words
        group, rest = found, rest[1:]
    with contextlib.suppress(click.MissingParameter):  # the text may leave SPEC out
        group.make_context("command", rest)
    for word in rest:
        assert not word.startswith("specs/") or list(ROOT.glob(word)), word


def checked(command: str) -> None:
    """Checks a command without running it: its files, options and extras exist."""
    words = shlex.split(command)
    variables = [word for word in words if re.match(r"[A-Z]+=", word)]
    words = words[len(variables) :]
    files = [word for word in words if re.match(r"(tests|benchmarks|\.ci)/|constraints", word)]
    for file in files:
        assert (ROOT / file).exists(), file
        for variable in variables:
            assert f'"{variable.partition("=")[0]}"' in (ROOT / file).read_text()
    if words[0] == "inception-dsl" or "inception_dsl.testing.fuzz" in words:
        parsed(words)
    elif words[0] == "pytest" and files:
        call = [sys.executable, "-m", *words, "--collect-only", "-q"]
        subprocess.run(call, cwd=ROOT, check=True, capture_output=True)
    elif words[0] == "python" and any(word.startswith("--") for word in words):
        call = [sys.executable, words[1], "--help"]
        help = subprocess.run(call, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        assert all(f"{word} " in help for word in words if word.startswith("--"))
    for extra in re.findall(r"\.\[([\w,]+)\]", command):
        declared = (ROOT / "pyproject.toml").read_text()
        assert all(f"\n{name} = [" in declared for name in extra.split(","))


def prepared(document: str, folder: Path) -> None:
    """Files that the commands of a document read, and that users get from elsewhere."""
    if document == "docs/published.md":
        typed = typed_program(ROOT / "specs" / "published" / "timm_inception_v4.yaml")
        save_file(published(typed, "timm", "state", seeded(typed)), folder / "model.safetensors")
    elif document != "README.md":
        shutil.copy(folder / "tiny.yaml", folder / "my_net.yaml")


def bare(command: str) -> str:
    """A command without the variables in front of it."""
    return re.sub(r"^([A-Z]+=\S+ )+", "", command)


def is_run(command: str) -> bool:
    """Whether the tests run a command, and not only check it."""
    return not any(bare(command).startswith(beginning) for beginning in NOT_RUN)


@pytest.mark.parametrize(
    "document", [name for name in DOCUMENTS if commands(name) and name not in ELSEWHERE]
)
def test_commands_run(document: str, workspace: Path, run: Run) -> None:
    """In the order of the document; those in ``NOT_RUN`` are checked only."""
    prepared(document, workspace)
    for command in commands(document):
        if is_run(command):
            done = run(command)
            differs = int(command.startswith("inception-dsl diff "))
            assert done.returncode == differs, f"{command}\n{done.stdout}{done.stderr}"
        else:
            checked(command)


def test_every_exception_is_needed() -> None:
    every = [bare(command) for name in DOCUMENTS for command in commands(name)]
    for beginning in NOT_RUN:
        assert any(command.startswith(beginning) for command in every), beginning


@pytest.mark.parametrize("document", [n for n in DOCUMENTS if list(inline_commands(n))])
def test_commands_in_the_text(document: str, run: Run) -> None:
    """Those that name a spec run; of others the options are checked."""
    for command in inline_commands(document):
        parsed(shlex.split(command.partition(" > ")[0]))
        if ".yaml" in command and is_run(command) and " verify " not in command:
            assert run(command).returncode == 0, command


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_yaml_builds(block: Block, example: Path) -> None:
    """Each YAML block, completed if it is a fragment, with both backends."""
    example.write_text(text := completed(block.text), encoding="utf-8")
    with warnings.catch_warnings(action="ignore", category=inception_dsl.SpecWarning):
        network = inception_dsl.load(example, **values(text))
    for backend in BACKENDS:
        assert network.files(backend)


@pytest.mark.parametrize(
    "fragment",
    [
        "{op: conv, filtres: 64, kernel_size: 3}",
        "- {op: conv, filters: 64, kernel_size: 3}\n- {op: conf}",
        "steps: [{op: conv, filters: $missing, kernel_size: 3}]",
        "checkpoints: {timm: {names: {nowhere: a}}}",
        "defaults: {batch_norm: {deccay: 0.9}}",
    ],
)
def test_a_fragment_with_an_error_fails(fragment: str, example: Path) -> None:
    example.write_text(completed(fragment), encoding="utf-8")
    with pytest.raises(inception_dsl.SpecError):
        inception_dsl.load(example)


@pytest.mark.parametrize("number", range(len(BACKENDS)))
def test_the_excerpts_are_generated(number: int, run: Run, workspace: Path) -> None:
    """Every line of README.md's excerpts is in the file that it names, in this order."""
    assert run("inception-dsl build tiny.yaml --force").returncode == 0
    name, excerpt = re.findall(
        r"From `(\S+)`:\n\n```python\n(.*?)```", text_of("README.md"), re.DOTALL
    )[number]
    lines = iter((workspace / name).read_text(encoding="utf-8").splitlines())
    for line in excerpt.splitlines():
        assert line in lines, f"{name} has no line {line!r} here"


def test_the_output_of_verify(run: Run) -> None:
    """README.md has the table that ``verify`` prints; errors depend on the machine."""
    done = run("inception-dsl verify tiny.yaml --train")
    assert done.returncode == 0, done.stdout + done.stderr
    shown = next(b.text for b in blocks("", "README.md") if "agrees" in b.text)
    assert NUMBER.sub(" N", shown) == NUMBER.sub(" N", done.stdout)


def test_the_error(run: Run, workspace: Path) -> None:
    """README.md's error is the output for its spec with a typing error in line 8."""
    lines = blocks("yaml", "README.md")[0].text.splitlines(keepends=True)
    lines[7] = lines[7].replace("filters", "filtres")
    (workspace / "tiny.yaml").write_text("".join(lines), encoding="utf-8")
    shown = next(b.text for b in blocks("", "README.md") if "error[" in b.text)
    assert shown in run("inception-dsl check tiny.yaml").stderr


def test_the_output_of_weights(run: Run) -> None:
    """The commands of docs/weights.md run, and print what it shows."""
    done = [run(command) for command in commands(WEIGHTS)]
    assert [one.stderr for one in done if one.returncode] == []
    shown, error = (block.text for block in blocks("", WEIGHTS))
    output = "".join(one.stdout for one in done).splitlines()
    assert [line for line in shown.splitlines() if line not in output] == []
    other = run("inception-dsl weights check specs/v4.yaml v4.safetensors --set classes=10")
    assert error in other.stderr


def first_command(beginning: str) -> str:
    """The first command of docs/design.md that begins so."""
    return next(c for c in commands("docs/design.md") if c.startswith(beginning))


def test_the_tables_of_design(run: Run) -> None:
    """docs/design.md has lines that its commands print."""
    shown = [block.text for block in blocks("", "docs/design.md")]
    assert shown[0] == run("inception-dsl summary v2 v3 v4").stdout
    for beginning in ("inception-dsl sweep", "inception-dsl fit"):
        assert run(first_command(beginning)).stdout in shown
    found = run("inception-dsl rewrite v3 asymmetric --at inception_v3_a").stdout
    saved = found.partition("\n--- inception-dsl:v3\n+++ v3.yaml\n")[0]
    assert saved in shown
    difference = next(text for text in shown if text.startswith("receptive field"))
    output = run("inception-dsl diff v1 published/torchvision_googlenet").stdout.splitlines()
    assert [line for line in difference.splitlines() if line not in output] == []


def test_the_table_of_networks() -> None:
    """Parameters, multiply-adds and inputs in README.md are those of the specs."""
    rows = re.findall(
        r"^\| \[(\w+)\]\(specs/\1\.yaml\) \|(.*)\|$", text_of("README.md"), re.MULTILINE
    )
    assert {name for name, _ in rows} == {path.stem for path in (ROOT / "specs").glob("*.yaml")}
    for name, cells in rows:
        found = Summary(typed_program(ROOT / "specs" / f"{name}.yaml")).to_dict()
        total, auxiliary = (found["parameters"][key] for key in ("total", "auxiliary"))
        parameters = f"{total:,} ({auxiliary:,})" if auxiliary else f"{total:,}"
        size = "×".join(map(str, found["input"]))
        assert [c.strip() for c in cells.split("|")[2:]] == [parameters, f"{found['macs']:,}", size]


@pytest.mark.parametrize("document", RUN_PYTHON)
def test_python_runs(document: str, run: Run, workspace: Path) -> None:
    prepared(document, workspace)
    if document == WEIGHTS:
        run("inception-dsl weights init specs/v4.yaml")
    chosen = [b.text for b in blocks("python", document) if re.search(RUN_PYTHON[document], b.text)]
    (workspace / "example.py").write_text("\n".join(chosen), encoding="utf-8")
    done = run("python example.py")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_compiles(block: Block) -> None:
    """Complete code compiles; indented lines, outside of README.md, are lines of `generated/`."""
    if not block.text.startswith(" "):
        compile(block.text, str(block), "exec")
    elif block.document != "README.md":
        files = (ROOT / "generated").rglob("*.py")
        generated = {line for path in files for line in path.read_text("utf-8").splitlines()}
        assert [line for line in block.text.splitlines() if line not in generated] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links(document: str) -> None:
    """Every relative link has a file, and its anchor a heading."""
    for link in LINK.findall(text_of(document)):
        if not re.match(r"https?:", link):
            name, _, anchor = link.partition("#")
            target = (ROOT / document).parent / name if name else ROOT / document
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link
