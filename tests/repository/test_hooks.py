"""The hooks for pre-commit, run by pre-commit itself from a clone of the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from paths import ROOT

HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
SPEC = """\
network: net
import: [tower.yaml]
input: {channels: 3, height: 32, width: 32}
body: [{use: tower, filters: 8}]
"""
BLOCK = """\
block: tower
params: {filters: int}
steps: [{op: conv, filters: $filters, kernel_size: 3}]
"""
FOREIGN = {
    "compose.yaml": "services: {web: {image: nginx}}\nnetworks: {front: {}}\n",
    "netplan.yaml": "network:\n  version: 2\n  ethernets: {eth0: {dhcp4: true}}\n",
    "deploy/values.yml": "network: mainnet\nport: 80\ntitle: a node\n",
    "deploy/template.yaml": "network: {{ .Values.network }}\n",
    "two.yaml": "kind: A\n---\nkind: B\n",
}


def git(folder: Path, *words: str) -> None:
    named = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *named, *words], cwd=folder, check=True, capture_output=True)


def committed(folder: Path) -> None:
    """Everything in a folder as a commit."""
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all", "--no-verify")


def head(folder: Path) -> str:
    """The commit of a repository."""
    call = ["git", "rev-parse", "HEAD"]
    return subprocess.run(
        call, cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


class Hooked:
    """A repository with the hooks."""

    def __init__(self, folder: Path, hooks: Path, home: Path) -> None:
        self.folder, self.home = folder, home
        ids = [{"id": hook["id"]} for hook in HOOKS]
        config = {"repos": [{"repo": str(hooks), "rev": head(hooks), "hooks": ids}]}
        self.write(".pre-commit-config.yaml", yaml.safe_dump(config))

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self) -> dict[str, tuple[bool, str]]:
        """Whether each hook passes on all files, and its output."""
        git(self.folder, "add", "-A")
        environment = {**os.environ, "PRE_COMMIT_HOME": str(self.home), "PYTHONPATH": ""}
        found = {}
        for hook in HOOKS:
            words = [sys.executable, "-m", "pre_commit", "run", hook["id"], "--all-files", "-v"]
            done = subprocess.run(
                words, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode in (0, 1), done.stdout + done.stderr
            found[hook["id"].removeprefix("inception-dsl-")] = (
                done.returncode == 0,
                done.stdout + done.stderr,
            )
        return found


@pytest.fixture(scope="module")
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hooked, Hooked]]:
    """This repository with the hooks, and another one; both use one environment."""
    folder = tmp_path_factory.mktemp("hooks")
    copy = folder / "repository"
    hidden = shutil.ignore_patterns(".git", ".venv", "*_cache", "__pycache__", ".hypothesis")
    shutil.copytree(ROOT, copy, ignore=hidden)
    committed(copy)
    other = folder / "other"
    other.mkdir()
    git(other, "init", "-q")
    yield Hooked(copy, copy, folder / "home"), Hooked(other, copy, folder / "home")
    shutil.rmtree(folder)


def test_the_hooks(hooked: tuple[Hooked, Hooked]) -> None:
    own, other = hooked
    for name, (passes, output) in own.run().items():
        assert passes, f"{name}: {output}"
    for name, text in FOREIGN.items():
        other.write(name, text)
    other.write("models/net.yaml", SPEC)
    other.write("models/tower.yaml", BLOCK)
    build = [sys.executable, "-m", "inception_dsl", "build", "models/net.yaml", "-b", "torch"]
    subprocess.run(build, cwd=other.folder, check=True, capture_output=True)
    found = other.run()
    assert found["check"][0] and "models/tower.yaml: ok" in found["check"][1], found
    assert found["build"][0], found
    assert not any(name in found["check"][1] for name in FOREIGN)

    other.write("models/tower.yaml", BLOCK.replace("kernel_size: 3", "kernel_size: 5"))
    found = other.run()
    assert found["check"][0], found
    assert not found["build"][0] and "E602" in found["build"][1], found
    assert "torch" in found["build"][1] and "keras" not in found["build"][1]

    other.write("models/tower.yaml", BLOCK)
    other.write(
        "anywhere/else.yml", SPEC.replace("conv", "con").replace("filters: 8", "filtres: 8")
    )
    other.write("anywhere/tower.yaml", BLOCK)
    other.write("broken.yaml", "network: broken\ninput: {channels: 3, length: 8\nbody: []\n")
    found = other.run()
    assert not found["check"][0] and "anywhere/else.yml:4:" in found["check"][1], found
    assert "broken.yaml" in found["check"][1] and "E103" in found["check"][1]
