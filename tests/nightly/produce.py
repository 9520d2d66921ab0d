"""Saves everything that the compiler prints and writes for the specs of a folder, as files.

Run as a program in a folder with ``specs``; the argument is the output folder.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

FORMATS = ("text", "concise", "json", "github", "sarif")
BAD = {
    "text.yaml": "network: net\nnetwork: again\ninput: {channels: 3, height: 9, width: 9}\n",
    "fields.yaml": "network: net\n"
    "title: R\u00e9sum\u00e9\n"
    "input: {channels: 3, hight: 9}\n"
    "body: [{op: convv}, {op: conv, filtres: 0}]\n",
    "names.yaml": "network: net\n"
    "input: {channels: 3, height: 9, width: 9}\n"
    "import: [no.yaml, ../../up.yaml]\n"
    "body: [{use: a}, {use: b}]\n",
    "shapes.yaml": "network: net\ninput: {channels: 3, height: 9, width: 9}\nbody:\n"
    "  - {branches: {a: [], b: [{op: conv, filters: 4, kernel_size: 1}], c: []}, merge: add}\n",
    "warns.yaml": "network: net\n"
    "input: {channels: 3, height: 9, width: 9}\n"
    "blocks: {unused: {steps: [{op: identity}]}}\n"
    "body: [{op: conv, filters: 4, kernel_size: 7}, {op: batch_norm}]\n",
}
TITLED = (
    "network: titled\n"
    'title: "R\u00e9sum\u00e9 \u201ex\u201c \U0001fae8"\n'
    "input: {channels: 3, height: 9, width: 9}\n"
    "classes: 4\n"
    "training: {optimizer: {name: rmsprop, rate: 0.1, decay: 1e-7}, "
    "label_smoothing: 0.30000000000000004}\n"
    "body: [{op: conv, filters: 4, kernel_size: 3, deviation: [\u65e5\u672c, \u0130\u0131]}]\n"
    "head: [{op: global_avg_pool}, {op: dense, units: $classes}]\n"
)


@contextlib.contextmanager
def into(out: Path, name: str) -> Iterator[None]:
    """Redirect standard output and standard error to two files, in this process's encoding."""
    saved = [os.dup(1), os.dup(2)]
    for number, stream in ((1, "out"), (2, "err")):
        file = os.open(out / f"{name}.{stream}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in zip((1, 2), saved, strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)


def run(out: Path, name: str, *arguments: str) -> None:
    from inception_dsl.cli import main

    with into(out, name):
        try:
            main([*arguments], prog_name="inception-dsl")
        except SystemExit as error:
            (out / f"{name}.code").write_text(str(error.code))


def produce(out: Path) -> None:
    for name, text in BAD.items():
        (Path("specs") / name).write_text(text, encoding="utf-8")
    (Path("specs") / "titled.yaml").write_text(TITLED, encoding="utf-8")
    bad = [f"specs/{name}" for name in BAD]
    good = sorted(str(p.as_posix()) for p in Path("specs").glob("*.yaml") if p.name not in BAD)
    run(out, "build", "build", *good, "--backend", "torch", "--backend", "keras", "--out", "made")
    for path in sorted(Path("made").rglob("*.py")):
        (out / f"made_{path.parent.name}_{path.name}").write_bytes(path.read_bytes())
    for form in FORMATS:
        run(out, f"check_{form}", "check", *bad, "--format", form)
    for spec in ("specs/v1.yaml", "specs/titled.yaml"):
        run(out, f"summary_{Path(spec).stem}", "summary", spec)
        run(out, f"json_{Path(spec).stem}", "summary", spec, "--json")
    run(out, "schema", "schema")
    run(out, "ops", "ops", "--markdown")
    run(out, "explain", "explain", "--markdown")
    run(out, "unknown", "explain", "E9")


if __name__ == "__main__":
    produce(Path(sys.argv[1]).absolute())
