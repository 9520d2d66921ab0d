"""Runs generated PyTorch source. Only this file and those beside it (``runner_…``) import torch.

Weight files are state dicts in safetensors format; load them with
``net.load_state_dict(safetensors.torch.load_file(path))``.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialised

from inception_dsl.backend import (
    Feed,
    Files,
    ImageBatch,
    Step,
    Trained,
    TypedProgram,
    Updated,
    by_input,
    check_weights,
    main_text,
    module_from_source,
    weight_shapes,
)

from .runner_files import COUNTER, differences, write
from .runner_layouts import assign, neutral
from .runner_script import DROPOUTS, script_of, train_steps, updates
from .views import build
from .weights import bindings, boundaries

SUFFIXES: Final = (".safetensors",)


def create(typed: TypedProgram, files: Files, dtype: str, *, heads: bool = True) -> TorchModel:
    """Create a model from generated files; ``dtype`` is ``float32`` or ``float64``."""
    return TorchModel(typed, main_text(files), getattr(torch, dtype), heads=heads)


def rejected(typed: TypedProgram, files: Files, *, heads: bool = False) -> str:
    """The message for an input of this size, or an empty text.

    On the device ``meta`` tensors have shapes, but no values, so this takes next to no time.
    """
    module = module_from_source(main_text(files), f"{typed.program.id}_torch")
    inputs = typed.program.inputs.values()
    with torch.device("meta"), torch.no_grad():
        net = constructed(module, typed, heads=heads).train(heads)
        try:
            net(*(torch.zeros(2, x.channels, *x.spatial) for x in inputs))
        except ValueError as error:
            return str(error)
    return ""


def constructed(module: ModuleType, typed: TypedProgram, *, heads: bool) -> torch.nn.Module:
    """The network of generated source, for the channels and the classes of ``typed``."""
    built, program = build(typed), typed.program
    kind = getattr(module, built.model)
    given = built.arguments | {
        built.channels[n]: x.channels for n, x in program.inputs.items() if n in built.channels
    }
    if program.kind == "network":  # a block may have a parameter of this name
        given["num_classes"] = program.values["classes"]
    given |= {} if heads else {"aux_logits": False}
    known = inspect.signature(kind).parameters
    net: torch.nn.Module = kind(**{name: v for name, v in given.items() if name in known})
    return net


def preprocess(files: Files, images: Any) -> Any:
    """The result of the generated ``preprocess`` for images of bytes, or of float64."""
    module = module_from_source(main_text(files), "preprocess_torch")
    return channels_last(module.preprocess(torch.from_numpy(np.moveaxis(images, -1, 1).copy())))


class TorchModel:
    """A generated network in PyTorch; see :class:`inception_dsl.backend.Model`."""

    def __init__(
        self, typed: TypedProgram, source: str, dtype: torch.dtype, *, heads: bool = True
    ) -> None:
        self.typed, self.dtype = typed, dtype
        self.module = module_from_source(source, f"{typed.program.id}_torch")
        before = torch.get_deterministic_debug_mode()
        # memory that is not initialized is NaN; `use_deterministic_algorithms` does the same, but
        # imports the compiler of PyTorch
        torch.set_deterministic_debug_mode("error")
        try:
            self.net = constructed(self.module, typed, heads=heads).to(dtype).eval()
        finally:
            torch.set_deterministic_debug_mode(before)
        left = () if heads else tuple(f"{name}/" for name in typed.auxiliary)
        self.bindings = [b for b in bindings(typed) if not b.path.startswith(left)]
        self.shapes = {p: v for p, v in weight_shapes(typed).items() if not p.startswith(left)}

    def weights(self) -> dict[str, Any]:
        return self.neutral(self.net.state_dict())

    def neutral(self, state: Mapping[str, torch.Tensor]) -> dict[str, Any]:
        """Tensors of a state dict by path."""
        return {
            b.path: neutral(state[b.key].numpy(), b.layout, self.shapes[b.path])
            for b in self.bindings
        }

    def load(self, weights: Mapping[str, Any]) -> None:
        check_weights(weights, self.shapes)
        state = self.net.state_dict()
        for binding in self.bindings:
            assign(state[binding.key], weights[binding.path], binding.layout)

    def parameters(self) -> tuple[int, int]:
        trainable = sum(p.numel() for p in self.net.parameters() if p.requires_grad)
        moving = sum(
            b.numel() for name, b in self.net.named_buffers() if not name.endswith(COUNTER)
        )
        return trainable, moving

    def forward(self, x: Any, *, training: bool = False) -> dict[str, Any]:
        with self._mode(training), torch.no_grad():
            found = self._named(self.net(*self._tensors(x)))
        return {name: channels_last(value) for name, value in found.items()}

    def initial(self) -> dict[str, Any]:
        if hasattr(self.net, "init_weights"):
            self.net.init_weights()
        return self.weights()

    def features(self, x: Any) -> dict[str, Any]:
        with self._mode(training=False), torch.no_grad():
            if not hasattr(self.net, "forward_head"):
                return {}
            y = self.net.forward_features(*self._tensors(x))
            found = {"features": y}
            if "pre_logits" in inspect.signature(self.net.forward_head).parameters:
                found["pre_logits"] = self.net.forward_head(y, pre_logits=True)
        return {name: channels_last(value) for name, value in found.items()}

    def dropped(self, x: Any) -> tuple[list[tuple[Any, Any]], dict[str, Any]]:
        found: list[tuple[Any, Any]] = []
        handles = [
            module.register_forward_hook(
                lambda _, given, y: found.append((channels_last(given[0]), channels_last(y)))
            )
            for module in self.net.modules()
            if isinstance(module, DROPOUTS)
        ]
        self.net.train()
        with torch.no_grad():
            named = self._named(self.net(*self._tensors(x)))
        self.net.eval()
        for handle in handles:
            handle.remove()
        return found, {name: channels_last(value) for name, value in named.items()}

    def losses(self, x: Any, targets: Any) -> dict[str, float]:
        with self._mode(training=True), torch.no_grad():
            found = self.net(*self._tensors(x))
            return {"(N,) int64": float(self._loss(found, targets))}

    def inference(self, x: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        modules, calls = dict(self.net.named_modules()), boundaries(self.typed)
        found: dict[str, list[Any]] = {called.module: [] for called in calls.values()}
        handles = [
            modules[key].register_forward_hook(
                # a copy, as the next layer may overwrite the output
                lambda _, __, y, own=own: own.append(channels_last(y).copy())
            )
            for key, own in found.items()
        ]
        outputs = self.forward(x)
        for handle in handles:
            handle.remove()
        # a module that is not called as often as it should be lacks the output
        held = {path: found[key][n] for path, (key, n) in calls.items() if n < len(found[key])}
        return outputs, held

    def step(self, x: Any, targets: Any, rate: float) -> Step:
        trained = dict(self.net.named_parameters())
        self.net.zero_grad()
        with self._mode(training=True):
            loss = self._loss(self.net(*self._tensors(x)), targets)
            if loss.requires_grad:
                loss.backward()
        slopes = {
            key: torch.zeros_like(p) if p.grad is None else p.grad for key, p in trained.items()
        }
        gradients = {
            b.path: neutral(slopes[b.key].numpy(), b.layout, self.shapes[b.path])
            for b in self.bindings
            if b.key in slopes
        }
        if trained:
            torch.optim.SGD(trained.values(), lr=rate).step()
        return Step(loss.item(), gradients, self.weights())

    def rates(self, files: Files, samples: int, steps: Iterable[int]) -> tuple[int, list[float]]:
        script = script_of(files, self.module)
        rates = [script.learning_rate(step, samples) for step in steps]
        return script.steps_of_run(samples), rates

    def updates(
        self, files: Files, feed: Feed, samples: int, steps: Iterable[int]
    ) -> Iterator[Updated]:
        return updates(self, files, feed, samples, steps)

    def train_steps(
        self, files: Files, samples: int, given: Sequence[tuple[Updated, ImageBatch]]
    ) -> Iterator[Trained]:
        return train_steps(self, files, samples, given)

    def save(self, path: Path) -> None:
        state = {key: value.contiguous() for key, value in self.net.state_dict().items()}
        write(path, serialised(state, metadata={"format": "pt"}))

    def restore(self, path: Path) -> None:
        try:
            found = load_file(path)
        except SafetensorError as error:
            raise ValueError(f"{path} is not a valid safetensors file: {error}") from error
        state = self.net.state_dict()
        fixed = {key for key, p in self.net.named_parameters() if not p.requires_grad}
        if problems := list(differences(found, state, fixed)):
            raise ValueError(f"{path} does not fit: {'; '.join(problems)}")
        for key, value in found.items():
            state[key].copy_(value)

    @contextlib.contextmanager
    def _mode(self, training: bool) -> Iterator[None]:
        """Training mode without dropout, or inference mode; inference mode again afterwards."""
        self.net.train(training)
        for module in self.net.modules():
            if isinstance(module, DROPOUTS):
                module.eval()
        try:
            yield
        finally:
            self.net.eval()

    def _named(self, found: Any) -> dict[str, torch.Tensor]:
        """The outputs of the network by name."""
        named = found._asdict() if hasattr(found, "_asdict") else {self.typed.output_name: found}
        own = self.typed.outputs  # without the logits of those that are probabilities
        return {name: y for name, y in named.items() if name in own and y is not None}

    def _loss(self, found: Any, targets: Any) -> torch.Tensor:
        """The loss of the generated source, or the sum of ``output * target`` over all outputs."""
        if self.typed.has_loss:
            given = (self._target(name, targets[name]) for name in self.typed.targets)
            return self.module.loss(found, *given)
        products = [
            (y * self._tensor(targets[name])).sum() for name, y in self._named(found).items()
        ]
        return torch.stack(products).sum()

    def _target(self, name: str, targets: Any) -> torch.Tensor:
        """Targets of the loss: class indices, or numbers as an output has them."""
        loss = self.typed.program.losses.get(name)
        if loss is None or loss.kind == "cross_entropy":
            return torch.from_numpy(np.asarray(targets, np.int64))
        return self._tensor(targets)

    def _tensors(self, x: Any) -> list[torch.Tensor]:
        """The inputs of the network, in their order."""
        given = by_input(x)
        return [self._tensor(given[name]) for name in self.typed.program.inputs]

    def _tensor(self, x: Any) -> torch.Tensor:
        array = np.asarray(x)
        array = np.moveaxis(array, -1, 1) if array.ndim > 2 else array
        tensor = torch.from_numpy(np.ascontiguousarray(array)).to(self.dtype)
        # with one channel, the strides can look like channels-last format; PyTorch 2.13 then
        # crashes in the backward pass of a group norm whose input needs no gradient
        return tensor.clone(memory_format=torch.contiguous_format)


def channels_last(y: torch.Tensor) -> Any:
    """An output as a NumPy array, channels last."""
    array = y.detach().numpy()
    return np.moveaxis(array, 1, -1) if array.ndim > 2 else array
