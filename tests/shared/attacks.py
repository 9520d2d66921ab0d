"""Attempts of a spec to reach files outside of its root.

Run as a program in the root, with the output folder as argument: compiles all of them and prints
the files that were opened, as JSON.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from attack_names import BLOCK, IDS, INPUT, INSIDE, OUTSIDE, WANTED


def lay(outside: Path) -> Path:
    """Create folders with everything that the attacks need; returns the root."""
    root = outside / "project"
    (root / "sub").mkdir(parents=True)
    (outside / "project_twin").mkdir()
    for folder in (outside, outside / "project_twin"):
        (folder / "canary.yaml").write_text(OUTSIDE)
    (root / "inside.yaml").write_text(BLOCK.format("inside"))
    (root / "sub/block.yaml").write_text(BLOCK.format("inside"))
    (root / "sub/up.yaml").write_text("import: [../../canary.yaml]\n" + BLOCK.format("unit"))
    (root / "sub/by_link.yaml").write_text("import: [../link.yaml]\n" + BLOCK.format("unit"))
    (root / "sub/over.yaml").write_text("extends: ../../canary.yaml\n" + BLOCK.format("unit"))
    for name in (
        "C:\\canary.yaml",
        "c:canary.yaml",
        "..\\canary.yaml",
        "inside.yaml:stream",
        "inside.yaml::$DATA",
    ):
        (root / name).write_text(BLOCK.format("inside"))  # where these are ordinary names
    (root / "folder.yaml").mkdir()
    links = {
        "link.yaml": "../canary.yaml",
        "inner.yaml": "inside.yaml",
        "loop.yaml": "loop.yaml",
        "linked": "..",
    }
    links |= {
        "lost.yaml": "../nothing",
        "zeros.yaml": "/dev/zero",
        "sub/linked": "../..",
        "mirror": "sub",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    os.link(outside / "canary.yaml", root / "hard.yaml")
    os.mkfifo(root / "pipe.yaml")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(root)  # the path of a socket must be short
        server.bind("socket.yaml")
        os.chdir(here)
    return root


def quoted(text: str) -> str:
    return json.dumps(text)


def specs(wanted: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Every way to name a file: the text of a spec, and settings."""
    body = "body: [{op: identity}]\n"
    over = "blocks: {unit: {steps: [{op: identity}]}}\n"
    return {
        "import": (f"network: net\n{INPUT}import: [{quoted(wanted)}]\n{body}", {}),
        "extends": (f"extends: {quoted(wanted)}\nnetwork: net\n{INPUT}{body}", {}),
        "extends and import": (f"extends: base.yaml\nimport: [{quoted(wanted)}]\n{over}", {}),
        "--set import": (f"network: net\n{INPUT}{body}", {"import": f"[{quoted(wanted)}]"}),
        "--set extends": (f"network: net\n{INPUT}{body}", {"extends": quoted(wanted)}),
    }


def named(text: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Every kind of name in a spec."""
    name, step = quoted(text), "{op: conv, filters: 3, kernel_size: 1}"
    head = "{after: first, loss_weight: 0.1, steps: [{op: global_avg_pool}, {op: dense, units: 2}]}"
    first = "{op: conv, name: first, filters: 3, kernel_size: 1}"
    return {
        "network": (f"network: {name}\n{INPUT}body: [{step}]\n", {}),
        "block": (f"block: {name}\n{INPUT}steps: [{step}]\n", {}),
        "step": (f"network: net\n{INPUT}body: [{{op: identity, name: {name}}}]\n", {}),
        "branch": (
            f"network: net\n{INPUT}body: [{{branches: {{{name}: [{step}]}}, merge: concat}}]\n",
            {},
        ),
        "own block": (
            f"network: net\n{INPUT}blocks: {{{name}: {{steps: [{step}]}}}}\nbody: [{step}]\n",
            {},
        ),
        "head": (
            f"network: net\n{INPUT}body: [{first}, {step}]\naux_heads: {{{name}: {head}}}\n",
            {},
        ),
        "output": (
            f"network: net\n{INPUT}body: [{first}, {step}]\noutputs: {{{name}: first}}\n",
            {},
        ),
        "--set network": (f"network: net\n{INPUT}body: [{step}]\n", {"network": name}),
    }


class Watch:
    """Records opened files: their names from an audit hook, and the targets of descriptors."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.other: list[str] = []
        self.on = False
        real = os.open

        def opened(*arguments: Any, **more: Any) -> int:
            descriptor = real(*arguments, **more)
            if self.on and os.path.isdir("/proc/self/fd"):
                self.names.append(os.readlink(f"/proc/self/fd/{descriptor}"))
            return descriptor

        os.supports_dir_fd.add(opened)
        os.open = opened
        sys.addaudithook(self.hook)

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open" and not isinstance(arguments[0], int):
            self.names.append(os.path.abspath(os.fsdecode(arguments[0])))
        elif (
            event.split(".")[0] in ("socket", "subprocess", "shutil", "ctypes", "urllib")
            or event == "os.exec"
        ):
            self.other.append(event)


def main(out: Path) -> None:
    watch = Watch()
    from inception_dsl import plugins
    from inception_dsl.build import build
    from inception_dsl.diagnostics.formats import FORMATS
    from inception_dsl.diagnostics.report import COLOURED, Report

    def attempt(why: str, text: str, settings: dict[str, str]) -> dict[str, Any]:
        path = Path("spec.yaml")
        path.write_text(text, encoding="ascii")
        report = Report()
        watch.on = True
        files = build.build(build.Order([str(path)], settings, found, out), report)
        if files:
            build.save(files, report, force=True)
        texts = [form(report, "1.2.3") for form in FORMATS.values()] + [report.render(COLOURED)]
        watch.on = False
        names, watch.names = watch.names, []
        written = [os.path.normpath(p) for p in files or ()]
        return {
            "why": why,
            "codes": [d.code for d in report],
            "reports": texts,
            "opened": names,
            "written": written,
            "other": watch.other,
        }

    found = [(p, b) for p, b in plugins.usable()[0] if not b.documents]
    Path("base.yaml").write_text(f"network: base\n{INPUT}body: [{{op: identity}}]\n")
    results = []
    outside = str(Path.cwd().parent)
    for why, wanted in WANTED.items():
        for way, (text, settings) in specs(wanted.replace("{outside}", outside)).items():
            results.append(attempt(f"{way}: {why}", text, settings))
    inside = [attempt(wanted, *specs(wanted)["import"]) for wanted in INSIDE]
    ids = [
        attempt(f"{place}: {text!r}", *spec) for text in IDS for place, spec in named(text).items()
    ]
    print(json.dumps({"attacks": results, "inside": inside, "ids": ids}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
