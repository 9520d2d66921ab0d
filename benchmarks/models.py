"""Measures generated networks against the implementations of torchvision, timm and Keras.

python benchmarks/models.py [torch] [keras] [--only NAME] [--row TEXT]

Each row compares the CPU time of one thread for the same work: construction, one forward pass
without gradients, or one training step with SGD. The two networks take turns, and the ratio is the
median of the ratios of all rounds, with its quartiles. The exit status is 1 if a ratio is above its
limit. PyTorch runs in both memory layouts; TensorFlow has only channels last on CPUs.

It needs timm, torchvision and Keras, installed as for the tests (CONTRIBUTING.md).
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import inception_dsl

ROUNDS, SHORT = 5, 1.0
"""Rounds of a row at least, and the seconds that its rounds take at least."""
LIMIT, LIMIT_CONSTRUCTION = 1.02, 1.10
BATCHES, TRAINING_BATCH = (1, 8), 2
CLASSES = 1000
ROOT = Path(__file__).parent.parent

Work = Callable[[], object]


class Pair(NamedTuple):
    """What is compared: a spec in ``specs/published``, its size, and its peer's constructor."""

    spec: str
    size: int
    peer: Callable[[], Any]


class Row(NamedTuple):
    """One measurement: the work of the generated network, and the same work of its peer."""

    name: str
    limit: float
    ours: Work
    theirs: Work


def torch_pairs() -> list[Pair]:
    """The networks of torchvision and timm."""
    sys.path.insert(0, str(ROOT / "tests" / "shared"))
    import operators  # the tests install torchvision without its compiled operators

    operators.declare()
    import timm
    import torchvision

    def tv(name: str) -> Callable[[], Any]:
        make = getattr(torchvision.models, name)
        return lambda: make(weights=None, aux_logits=True, init_weights=False)

    def tm(name: str) -> Callable[[], Any]:
        return lambda: timm.create_model(name)

    return [
        Pair("torchvision_googlenet", 224, tv("googlenet")),
        Pair("torchvision_inception_v3", 299, tv("inception_v3")),
        Pair("timm_inception_v3", 299, tm("inception_v3")),
        Pair("timm_inception_v4", 299, tm("inception_v4")),
        Pair("timm_inception_resnet_v2", 299, tm("inception_resnet_v2")),
    ]


def generated(pair: Pair, backend: str) -> Callable[[], Any]:
    """The constructor of the generated network."""
    path = ROOT / "specs" / "published" / f"{pair.spec}.yaml"
    module = inception_dsl.load(path).module(backend)
    if backend == "keras":
        found: Callable[[], Any] = getattr(module, pair.spec)
        return found
    from torch import nn

    return [v for v in vars(module).values() if isinstance(v, type) and issubclass(v, nn.Module)][
        -1
    ]


def torch_rows(pair: Pair) -> Iterator[Row]:
    """The rows of one network in PyTorch, both with the same scale of weights."""
    import torch
    from torch import nn

    makes = generated(pair, "torch"), pair.peer
    yield Row("construction", LIMIT_CONSTRUCTION, *makes)
    models = [make() for make in makes]
    for model in models:
        for parameter in model.parameters():
            if parameter.ndim > 1:  # outputs of normal size: denormal numbers are slow
                nn.init.kaiming_normal_(parameter, nonlinearity="relu")

    def forward(model: Any, x: Any) -> Work:
        def work() -> None:
            with torch.inference_mode():
                model(x)

        return work

    for layout in (torch.contiguous_format, torch.channels_last):
        label = str(layout).rpartition(".")[2].removesuffix("_format").replace("_", " ")
        for model in models:
            model.eval().to(memory_format=layout)
        for batch in BATCHES:
            x = torch.randn(batch, 3, pair.size, pair.size).to(memory_format=layout)
            yield Row(f"forward, batch {batch}, {label}", LIMIT, *(forward(m, x) for m in models))
        x = torch.randn(TRAINING_BATCH, 3, pair.size, pair.size).to(memory_format=layout)
        name = f"training step, batch {TRAINING_BATCH}, {label}"
        yield Row(name, LIMIT, *(torch_step(m.train(), x) for m in models))


def torch_step(model: Any, x: Any) -> Work:
    """One step with SGD on the sum of the losses of all outputs."""
    import torch
    from torch.nn.functional import cross_entropy

    labels = torch.zeros(len(x), dtype=torch.long)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)

    def work() -> None:
        optimizer.zero_grad()
        found = model(x)
        outputs = [found] if isinstance(found, torch.Tensor) else found
        sum(cross_entropy(y, labels) for y in outputs).backward()
        optimizer.step()

    return work


def keras_pairs() -> list[Pair]:
    """The networks of ``keras.applications``."""
    from keras import applications

    return [
        Pair("keras_inception_v3", 299, lambda: applications.InceptionV3(weights=None)),
        Pair(
            "keras_inception_resnet_v2",
            299,
            lambda: applications.InceptionResNetV2(weights=None),
        ),
    ]


def keras_rows(pair: Pair) -> Iterator[Row]:
    """The rows of one network in Keras on TensorFlow."""
    import keras
    import numpy as np
    import tensorflow as tf

    makes = generated(pair, "keras"), pair.peer
    yield Row("construction", LIMIT_CONSTRUCTION, *makes)
    keras.backend.clear_session()
    models = [make() for make in makes]
    for batch in BATCHES:
        x = tf.random.normal((batch, pair.size, pair.size, 3))
        calls = [tf.function(lambda x, model=model: model(x, training=False)) for model in models]
        works = ((lambda call=call, x=x: call(x)) for call in calls)
        yield Row(f"forward, batch {batch}", LIMIT, *works)
    x = np.random.default_rng(0).normal(size=(TRAINING_BATCH, pair.size, pair.size, 3))
    labels = np.zeros(TRAINING_BATCH, dtype=np.int64)
    for model in models:
        model.compile(keras.optimizers.SGD(1e-6), "sparse_categorical_crossentropy")
    works = ((lambda model=model: model.train_on_batch(x, labels)) for model in models)
    yield Row(f"training step, batch {TRAINING_BATCH}", LIMIT, *works)


def seconds(work: Work) -> float:
    """The CPU time of one run."""
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(row: Row) -> tuple[float, float, list[float]]:
    """The medians of both in milliseconds, and the ratios of all rounds."""
    for work in (row.ours, row.theirs):
        work()  # the first run allocates memory and compiles
    ours: list[float] = []
    theirs: list[float] = []
    while len(ours) < ROUNDS or sum(ours) < SHORT:
        ours.append(seconds(row.ours))
        theirs.append(seconds(row.theirs))
        theirs.append(seconds(row.theirs))
        ours.append(seconds(row.ours))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return statistics.median(ours) * 1000, statistics.median(theirs) * 1000, ratios


def compare(pair: Pair, rows: Iterator[Row], wanted: str) -> bool:
    """Print the ``wanted`` rows of one network; whether one is above its limit."""
    missed = False
    for row in (row for row in rows if wanted in row.name):
        ours, theirs, ratios = measure(row)
        low, ratio, high = statistics.quantiles(ratios, n=4)
        missed |= ratio > row.limit
        print(
            f"{pair.spec:26} {row.name:40} {ours:9.1f} ms {theirs:9.1f} ms  "
            f"{ratio:5.3f} ({low:.3f} to {high:.3f})  at most {row.limit:.2f}: "
            f"{'MISSED' if ratio > row.limit else 'met'}",
            flush=True,
        )
    return missed


def main() -> None:
    """Print all rows; exit with status 1 if a ratio is above its limit."""
    parser = argparse.ArgumentParser(description="Compare generated networks with hand-written.")
    parser.add_argument("frameworks", nargs="*", metavar="torch|keras")
    parser.add_argument("--only", default="", help="networks whose names contain this")
    parser.add_argument("--row", default="", help="rows whose names contain this")
    given = parser.parse_args()
    frameworks = given.frameworks or ["torch", "keras"]
    warnings.filterwarnings("ignore")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    missed = False
    if "torch" in frameworks:
        import torch

        torch.set_num_threads(1)
        for pair in torch_pairs():
            if given.only in pair.spec:
                missed |= compare(pair, torch_rows(pair), given.row)
    if "keras" in frameworks:
        os.environ["KERAS_BACKEND"] = "tensorflow"
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        for pair in keras_pairs():
            if given.only in pair.spec:
                missed |= compare(pair, keras_rows(pair), given.row)
    raise SystemExit(missed)


main()
