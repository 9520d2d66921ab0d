"""Which files of a folder are specs."""

from __future__ import annotations

from pathlib import Path

import pytest

from inception_dsl.language.folders import is_spec, is_spec_file, specs_in

SPECS = {
    "a network": "network: a\ninput: {channels: 3, length: 8}\nbody: []\n",
    "a block": "# a comment\n---\nblock: a\nsteps: []\n",
    "a name alone": "network: a\n",
    "quoted keys": '"network": a\n"body": []\n',
    "flow style": "{network: a, body: []}",
    "an overlay": "extends: base.yaml\nhead: null\n",
    "an overlay without changes": "extends: inception-dsl:v4\n",
    "blocks only": "blocks: {tower: {steps: []}}\n",
    "a name that is not valid": "network: 3-D net\nbody: []\n",
    "no name": "network:\nbody: []\n",
    "an unknown field": "network: a\nboddy: []\nclasses: 3\n",
    "a duplicate key": "network: a\nbody: []\nbody: []\n",
    "not valid YAML": "network: a   # comment\nbody: [\n",
    "Windows line ends, not valid": "network: a\r\nbody: [\r\n",
    "a tab": "block: a\nsteps:\n\t- {op: identity}\n",
    "invalid characters": "network: a\x00\nbody: []\n",
    "a misspelled kind": "netwrok: a\ninput: {length: 8}\nbody: [{op: conv}]\n",
    "a capital": "Network: a\nclasses: 3\nbody: [{'op': 'conv'}]\n",
    "no space": "network:a\ninput: {length: 8}\nstem:\n  - op: conv_bn\n",
    "a misspelled `extends`": "extend: inception-dsl:v4\n",
    "other fields misspelled": "network: a\ninputs: {length: 8}\nbodyy:\n  - {op: conv}\n",
}
OTHERS = {
    "empty": "",
    "a list": "- network: a\n",
    "text": "network",
    "netplan": "network:\n  version: 2\n  renderer: networkd\n",
    "netplan, not valid": "network:\n  version: [2\n",
    "a node": "network: mainnet\nport: 80\ntitle: a node\ndescription: more\n",
    "a template": "network: {{ .Values.network }}\n",
    "a compose file": "services: {a: {image: b}}\nnetworks: {c: {}}\n",
    "ESLint": "extends: eslint:all\nrules: {}\n",
    "a linter": "extends: default.yaml\nrules: {line-length: disable}\n",
    "no fields of a spec": "block: 128\nsize: 4k\n",
    "several documents": "kind: A\n---\nnetwork: x\n---\nkind: B\n",
    "parameters of another tool": "training: {rate: 1}\npreprocessing: {op: crops}\n",
    "one field of a spec": "steps:\n  - {op: conv, name: a}\njob: b\n",
    "blocks of another tool": "blocks: {a: {type: text}}\n",
    "inside of another file": "model:\n  network: a\n  body: []\n",
}


@pytest.mark.parametrize("why", SPECS)
def test_a_spec(why: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(SPECS[why], encoding="utf-8", newline="")
    assert is_spec_file(path)


@pytest.mark.parametrize("why", OTHERS)
def test_another_file(why: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(OTHERS[why], encoding="utf-8", newline="")
    assert not is_spec_file(path)


def test_a_file_in_utf_16(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SPECS["a network"], encoding="utf-16")
    assert is_spec_file(tmp_path / "a.yaml")


def test_what_is_begun() -> None:
    assert is_spec("extends:\ninput: {length: 8}\n", begun=True)
    assert is_spec("network: a\nother: b\n", begun=True)
    assert not is_spec(OTHERS["parameters of another tool"], begun=True)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert not is_spec_file(tmp_path)
    (tmp_path / "a.yaml").write_bytes(b"network: \xff\nbody: []\n")
    assert is_spec_file(tmp_path / "a.yaml")


def test_the_folders_that_are_searched(tmp_path: Path) -> None:
    names = ["b.yaml", "a/x.yml", "a/b/y.yaml", "c.txt", ".git/z.yaml", "node_modules/z.yaml"]
    names += ["env/lib/site-packages/z.yaml", "mine/pyvenv.cfg", "mine/z.yaml", ".hidden.yaml"]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SPECS["a network"], encoding="utf-8")
    (tmp_path / "link.yaml").symlink_to("b.yaml")
    (tmp_path / "loop").symlink_to(".")
    found = [path.relative_to(tmp_path).as_posix() for path in specs_in(tmp_path)]
    assert found == [".hidden.yaml", "b.yaml", "a/x.yml", "a/b/y.yaml"]
