"""Attempts of a spec to reach files outside of its root, and the process that tries them and says what it opened.

Run as a program, in the root, with the folder for output: prints JSON.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

SECRET = "canary_e5b1c2"
BLOCK = "block: {0}\nsteps: [{{op: conv, filters: 3, kernel_size: 1}}]\n"
OUTSIDE = f"block: unit\n{SECRET}: whoever reads this reports it\nsteps: [{{op: identity}}]\n"
INPUT = "input: {channels: 3, height: 4, width: 4}\n"

WANTED = {
    # upwards
    "parent": "../canary.yaml",
    "parent, with a dot": "./../canary.yaml",
    "parent, with a dot behind": ".././canary.yaml",
    "parent, two slashes": "..//canary.yaml",
    "down and up": "sub/../../canary.yaml",
    "down and up twice": "sub/../sub/../../canary.yaml",
    "up through what is no folder": "inside.yaml/../../canary.yaml",
    "up through what is missing": "missing/../../canary.yaml",
    "up and back": "../project/../canary.yaml",
    "a neighbour whose name starts as the root's": "../project_twin/canary.yaml",
    "to the top and down": "../" * 40 + "etc/passwd",
    "as many as fit": "../" * 340 + "x",
    "the parent itself": "..",
    "the parent with a slash": "../",
    "the folder itself": ".",
    "a folder inside": "sub",
    "a folder inside with a slash": "sub/",
    "a folder inside, and back": "sub/..",
    # absolute
    "absolute": "{outside}/canary.yaml",
    "absolute, inside": "{outside}/project/inside.yaml",
    "absolute, two slashes": "//etc/passwd",
    "absolute, three slashes": "///etc/passwd",
    "above the top": "/../etc/passwd",
    "the environment": "/proc/self/environ",
    "the working directory": "/proc/self/cwd/../canary.yaml",
    "zeros without end": "/dev/zero",
    "standard input": "/dev/stdin",
    "a descriptor": "/dev/fd/0",
    # another's notation
    "home": "~/canary.yaml",
    "somebody's home": "~root/.profile",
    "only home": "~",
    "a variable": "$HOME/canary.yaml",
    "a variable in braces": "${HOME}/canary.yaml",
    "a variable of Windows": "%USERPROFILE%/canary.yaml",
    "a drive": "C:\\canary.yaml",
    "a drive with slashes": "C:/canary.yaml",
    "relative on a drive": "c:canary.yaml",
    "backslashes": "..\\canary.yaml",
    "backslashes, down and up": "sub\\..\\..\\canary.yaml",
    "both kinds": "..\\../canary.yaml",
    "a share": "\\\\server\\share\\canary.yaml",
    "a share with slashes": "//server/share/canary.yaml",
    "a device path": "\\\\?\\C:\\canary.yaml",
    "a stream": "inside.yaml:stream",
    "the main stream": "inside.yaml::$DATA",
    "an address of a file": "file://{outside}/canary.yaml",
    "an address without host": "file:../canary.yaml",
    "an address of the net": "http://127.0.0.1:9/canary.yaml",
    "data": "data:,block",
    # encodings and look-alikes
    "NUL behind": "../canary.yaml\0",
    "NUL inside": "inside.yaml\0/../../canary.yaml",
    "percent": "%2e%2e/canary.yaml",
    "percent, the slash too": "%2e%2e%2fcanary.yaml",
    "percent, only the slash": "..%2fcanary.yaml",
    "percent twice": "%252e%252e/canary.yaml",
    "overlong UTF-8": "..%c0%afcanary.yaml",
    "wide dots": "\uff0e\uff0e/canary.yaml",
    "a leader of two dots": "\u2025/canary.yaml",
    "an ellipsis": "\u2026/canary.yaml",
    "a wide slash": "..\uff0fcanary.yaml",
    "a slash of division": "..\u2215canary.yaml",
    "a slash of fractions": "..\u2044canary.yaml",
    "a wide backslash": "..\uff3ccanary.yaml",
    "a space behind dots": ".. /canary.yaml",
    "a space before dots": " ../canary.yaml",
    "a space behind": "../canary.yaml ",
    "a dot behind": "../canary.yaml.",
    "four dots": "....//canary.yaml",
    "a semicolon": "..;/canary.yaml",
    "a line end": "../canary.yaml\n",
    "an escape sequence": "\x1b[2J../canary.yaml",
    "from right to left": "\u202elmay.yranac/..",
    "half of a pair": "\ud800/../../canary.yaml",
    "nothing": "",
    "a long name": "x" * 300 + ".yaml",
    "a long way": "sub/" * 250 + "x.yaml",
    "too long": "x" * 1025,
    "capital letters": "INSIDE.YAML",
    # what stands inside, and leads or is something else
    "a link": "link.yaml",
    "a link to a file inside": "inner.yaml",
    "a link to itself": "loop.yaml",
    "a link to nothing": "lost.yaml",
    "a link to a device": "zeros.yaml",
    "a folder that is a link": "linked/canary.yaml",
    "a folder that is a link, deeper": "sub/linked/canary.yaml",
    "a folder inside that is a link": "mirror/block.yaml",
    "a link alone": "linked",
    "a hard link": "hard.yaml",
    "a pipe": "pipe.yaml",
    "a socket": "socket.yaml",
    "a folder called so": "folder.yaml",
    # by way of a file that may be read
    "an imported file imports outside": "sub/up.yaml",
    "an imported file imports a link": "sub/by_link.yaml",
    "an imported file extends outside": "sub/over.yaml",
}
INSIDE = (
    "inside.yaml",
    "./inside.yaml",
    "sub/../inside.yaml",
    "sub//block.yaml",
    "linked/../inside.yaml",
)
IDS = (
    *(
        "../evil",
        "..",
        ".",
        "/evil",
        "a/b",
        "a\\b",
        "C:evil",
        "evil:",
        "~",
        "a\0",
        "a\nb",
        "",
        " a",
        "a ",
        "a.b",
        "-rf",
    ),
    *(
        "con.",
        "x" * 65,
        "\uff0e\uff0e",
        "\u0430",
        "e\u0301",
        "\ufb01x",
        "A",
        "1",
        "_",
        "$HOME",
        "%41",
        "class",
        "\u202ea",
    ),
)


def lay(outside: Path) -> Path:
    """Folders with everything that the attacks need; returns the root."""
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
        (root / name).write_text(BLOCK.format("inside"))  # where these are names like any other
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
        os.chdir(root)  # the name of a socket is short
        server.bind("socket.yaml")
        os.chdir(here)
    return root


def quoted(text: str) -> str:
    return json.dumps(text)


def specs(wanted: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Every way to ask for a file: the text of a spec, and settings."""
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
    """Every id of a spec."""
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
    """What is opened: the names by an audit hook, and what descriptors lead to."""

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

    found, _ = plugins.usable()
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
