"""Runs a training script on a model: its optimiser with given gradients, or whole steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import numpy as np
import torch

from inception_dsl.backend import Feed, Files, ImageBatch, Trained, Updated, script_from_source

from .runner_layouts import assign, native, neutral

DROPOUTS: Final = (*(torch.nn.Dropout, torch.nn.Dropout1d, torch.nn.Dropout2d, torch.nn.Dropout3d),)
SLOTS: Final = {
    "momentum_buffer": "velocity",
    "square_avg": "mean_square",
    "exp_avg": "mean",
    "exp_avg_sq": "mean_square",
}
"""The slots of PyTorch's optimisers, by their names in the reference."""


def script_of(files: Files, model: ModuleType) -> ModuleType:
    """The training script in ``files``, which imports this very ``model``."""
    first, second, *_ = files.items()
    assert isinstance(second[1], str)
    return script_from_source(second[1], first[0].removesuffix(".py"), model)


def updates(
    model: Any, files: Files, feed: Feed, samples: int, steps: Iterable[int]
) -> Iterator[Updated]:
    """The states of a ``TorchModel`` after each of ``steps`` of the optimiser."""
    wanted, run = list(steps), Run(script_of(files, model.module), model)
    for step in range(wanted[-1]):
        given = feed(model.weights(), step)
        run.set_gradients({b.key: native(given[b.path], b.layout) for b in model.bindings})
        run.update(step, samples)
        if step + 1 in wanted:
            yield run.state(step + 1)


def train_steps(
    model: Any, files: Files, samples: int, given: Sequence[tuple[Updated, ImageBatch]]
) -> Iterator[Trained]:
    """Whole steps of the script, each from its own state."""
    model.load(given[0][0].weights)
    run = Run(script_of(files, model.module), model)
    for state, batch in given:
        model.load(state.weights)
        with _exact(model):
            if state.step:
                run.set(state)
            loss = run.gradients(batch, state.step)
            run.update(state.step, samples)
        yield Trained(loss, run.state(state.step + 1))


@contextmanager
def _exact(model: Any) -> Iterator[None]:
    """New tensors have the type of the model, and its dropout layers drop nothing."""
    before = torch.get_default_dtype()
    dropouts = [module for module in model.net.modules() if isinstance(module, DROPOUTS)]
    rates = [module.p for module in dropouts]
    torch.set_default_dtype(model.dtype)
    for module in dropouts:
        module.p = 0.0
    try:
        yield
    finally:
        model.net.eval()
        torch.set_default_dtype(before)
        for module, rate in zip(dropouts, rates, strict=True):
            module.p = rate


class Run:
    """The optimiser of a script for a ``TorchModel``, and its running average, if there is one."""

    def __init__(self, script: ModuleType, model: Any) -> None:
        self.script, self.model, self.net = script, model, model.net
        self.optimizer = script.make_optimizer(self.net)
        self.averages = [script.Average(self.net)] if hasattr(script, "Average") else []

    def set_gradients(self, given: Mapping[str, Any]) -> None:
        """Set the gradients of parameters, and the values of buffers, by their keys."""
        tensors = dict(self.net.named_parameters()) | dict(self.net.named_buffers())
        for key, value in given.items():
            tensor = tensors[key]
            new = torch.from_numpy(value).reshape(tensor.shape)
            if tensor.requires_grad:
                tensor.grad = new.clone()
            else:
                tensor.copy_(new)

    def update(self, step: int, samples: int) -> None:
        """Change the weights by the gradients that they have, and the average."""
        self.script.update(self.net, self.optimizer, *self.averages, step, samples)

    def gradients(self, batch: ImageBatch, step: int) -> float:
        """Compute the gradients of a batch; returns the loss."""
        args = SimpleNamespace(
            seed=0,
            rank=0,
            world=batch.processes,
            accumulate=batch.parts,
            amp=False,
            device=torch.device("cpu"),
            format=torch.contiguous_format,
        )
        pixels = torch.from_numpy(np.moveaxis(batch.images, -1, 1).copy())
        classes = torch.from_numpy(np.asarray(batch.classes, np.int64))
        parts = zip(pixels.chunk(batch.parts), classes.chunk(batch.parts), strict=True)
        network = First(self.net) if batch.processes > 1 else self.net
        with self.net.register_forward_pre_hook(without_autocast):
            loss = float(self.script.train_step(network, parts, step, args))
        if isinstance(network, First) and network.shared != [False] * (batch.parts - 1) + [True]:
            raise ValueError("the processes do not share the gradients of the last part only")
        return loss

    def set(self, state: Updated) -> None:
        """Set the slots and the average."""
        slots, average = self.slots(), self.average()
        for b in self.model.bindings:
            for name, tensor in slots.get(b.key, {}).items():
                assign(tensor, state.slots[b.path][name], b.layout)
            if average:
                assign(average[b.key], state.average[b.path], b.layout)

    def state(self, step: int) -> Updated:
        """The state after ``step`` steps."""
        held, average, slots = self.slots(), self.average(), {}
        for b in self.model.bindings:
            if b.key in held:
                shape, own = self.model.shapes[b.path], held[b.key]
                slots[b.path] = {n: neutral(v.numpy(), b.layout, shape) for n, v in own.items()}
        averaged = self.model.neutral(average) if average else {}
        return Updated(step, self.model.weights(), slots, averaged)

    def slots(self) -> dict[str, dict[str, torch.Tensor]]:
        """The slots of the trainable parameters by key, with the reference's names."""
        found = {}
        for key, p in self.net.named_parameters():
            if p.requires_grad:
                own = self.optimizer.state[p].items()
                held = {n: v for n, v in own if isinstance(v, torch.Tensor) and v.shape == p.shape}
                found[key] = {SLOTS.get(n, n): v for n, v in held.items() if n != "step"}
        return found

    def average(self) -> dict[str, torch.Tensor]:
        """The state dict of the average; empty without one."""
        return {key: v for own in self.averages for key, v in own.model.state_dict().items()}


def without_autocast(*_: Any) -> None:
    """Report a pass with ``torch.autocast``, which leaves float64 as it is."""
    if torch.is_autocast_enabled("cpu"):
        raise ValueError("the script computes in bfloat16 without --amp")


class First:
    """A network as ``DistributedDataParallel`` wraps it, in the first of some processes.

    The backward pass outside of ``no_sync`` takes the mean of their gradients; here it has those of
    this process. A group of one process is not used: Gloo's threads may wait for Python's lock when
    the group ends, which holds it.
    """

    def __init__(self, net: torch.nn.Module) -> None:
        self.module, self.waits = net, False
        self.shared: list[bool] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)

    def __call__(self, x: torch.Tensor) -> Any:
        self.shared.append(not self.waits)
        return self.module(x)

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """Gradients stay in this process until a pass outside of this context."""
        self.waits = True
        yield
        self.waits = False
