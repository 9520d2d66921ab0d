"""The original implementations of the published networks, with random weights.

Moving statistics are the mean of random ones and those of a batch. The originals run in float64 and
in float32 with the same float32 weights, as in the published files.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import keras
import numpy as np
import operators
import torch
from floats import floats
from safetensors.torch import save_file

operators.declare()

import timm  # noqa: E402
import torchvision  # noqa: E402


class Network(NamedTuple):
    """A published network: its spec, its source, its constructor, and its input (N, H, W, C).

    ``heads`` are the names of its outputs in training, in its own order.
    """

    spec: str
    source: str
    make: Callable[..., Any]
    size: tuple[int, ...]
    samples: int = 2
    heads: tuple[str, ...] = ()

    @property
    def batch(self) -> Any:
        shape = (self.samples, *self.size, 3)
        return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def _torchvision(name: str) -> Callable[[], Any]:
    return lambda: getattr(torchvision.models, name)(
        weights=None, aux_logits=True, init_weights=False
    )


def _timm(name: str) -> Callable[[], Any]:
    return lambda: timm.create_model(name, pretrained=False)


SMALL = (107, 91)
NETWORKS = (
    Network(
        "torchvision_googlenet",
        "torchvision",
        _torchvision("googlenet"),
        (224, 224),
        2,
        ("logits", "aux2", "aux1"),
    ),
    Network(
        "torchvision_inception_v3",
        "torchvision",
        _torchvision("inception_v3"),
        (299, 299),
        3,
        ("logits", "aux"),
    ),
    Network("timm_inception_v3", "timm", _timm("inception_v3"), SMALL),
    Network("timm_inception_v4", "timm", _timm("inception_v4"), SMALL),
    Network("timm_inception_resnet_v2", "timm", _timm("inception_resnet_v2"), SMALL),
    Network("keras_inception_v3", "keras-applications", keras.applications.InceptionV3, SMALL),
    Network(
        "keras_inception_resnet_v2",
        "keras-applications",
        keras.applications.InceptionResNetV2,
        SMALL,
    ),
)


def original(network: Network) -> State | Layers:
    """The original network with random weights."""
    return Layers(network) if network.source == "keras-applications" else State(network)


def _kernel(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> Any:
    return rng.normal(0.0, (2.0 / fan_in) ** 0.5, shape)


class State:
    """A network of torchvision or timm."""

    kind: Final = "state"

    def __init__(self, network: Network) -> None:
        self.network = network
        self.model = network.make().double()
        rng = np.random.default_rng(0)
        kinds = torch.nn.BatchNorm2d | torch.nn.BatchNorm3d
        norms = [m for m in self.model.modules() if isinstance(m, kinds)]
        for module in self.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        with torch.no_grad():
            for parameter in self.model.parameters():
                many = parameter.ndim > 1
                shape = tuple(parameter.shape)
                value = (
                    _kernel(rng, shape, parameter[0].numel())
                    if many
                    else rng.normal(0.0, 0.3, shape)
                )
                parameter.copy_(torch.from_numpy(value))
            for norm in norms:
                norm.weight.copy_(torch.from_numpy(rng.uniform(0.5, 1.5, norm.num_features)))
                norm.momentum = 1.0
            self.model.train()(self.tensor(network.batch.astype(np.float64)))
            for norm in norms:
                norm.momentum = 0.1
                norm.running_var.mul_(torch.from_numpy(rng.uniform(0.5, 2.0, norm.num_features)))
                norm.running_mean.add_(
                    norm.running_var.sqrt()
                    * torch.from_numpy(rng.normal(0.0, 0.3, norm.num_features))
                )
        self.model.float()

    @staticmethod
    def tensor(x: Any) -> torch.Tensor:
        return torch.from_numpy(x).movedim(-1, 1)

    def parameters(self) -> int:
        """The number of trainable parameters."""
        return sum(p.numel() for p in self.model.parameters())

    def weights(self) -> dict[str, Any]:
        """Every tensor by its name in files, without the batch counters."""
        found = self.model.state_dict()
        return {k: t.numpy() for k, t in found.items() if not k.endswith("num_batches_tracked")}

    def forward(self, dtype: str, *, training: bool = False) -> dict[str, Any]:
        """The outputs by name; the model is not changed."""
        state = {k: t.clone() for k, t in self.model.state_dict().items()}
        with torch.no_grad():
            x = self.tensor(self.network.batch.astype(dtype))
            y = self.model.to(getattr(torch, dtype)).train(training)(x)
        self.model.float().load_state_dict(state)
        names = self.network.heads if training and self.network.heads else ("logits",)
        return {n: t.numpy() for n, t in zip(names, y if len(names) > 1 else (y,), strict=True)}

    def save(self, folder: Path) -> list[Path]:
        """The files that a user may have."""
        path = folder / f"{self.network.spec}.safetensors"
        save_file({k: t.contiguous() for k, t in self.model.state_dict().items()}, path)
        return [path]


class Layers:
    """A network of keras.applications. Other layers are created first, so that the numbers in its
    layer names do not start at zero.
    """

    kind: Final = "layers"

    def __init__(self, network: Network) -> None:
        self.network = network
        for _ in range(3):
            keras.layers.Conv2D(1, 1)
            keras.layers.BatchNormalization()
        self.model = self.made("float32")
        rng = np.random.default_rng(0)
        norms = [
            layer
            for layer in self.model.layers
            if isinstance(layer, keras.layers.BatchNormalization)
        ]
        for variable in self.model.trainable_variables:
            shape = tuple(variable.shape)
            many = len(shape) > 1
            variable.assign(
                _kernel(rng, shape, int(np.prod(shape[:-1])))
                if many
                else rng.normal(0.0, 0.3, shape)
            )
        for norm in norms:
            norm.momentum = 0.0
        self.model(network.batch, training=True)
        for norm in norms:
            norm.momentum = 0.99
            mean, variance = np.asarray(norm.moving_mean), np.asarray(norm.moving_variance)
            variance = variance * rng.uniform(0.5, 2.0, variance.shape)
            norm.moving_variance.assign(variance)
            norm.moving_mean.assign(mean + np.sqrt(variance) * rng.normal(0.0, 0.3, mean.shape))
        self.spread()

    def spread(self) -> None:
        """Scale the classifier so that logits have a deviation of 2: the softmax is not 0 or 1."""
        classifier = self.model.get_layer("predictions")
        features = np.asarray(
            keras.Model(self.model.input, classifier.input)(self.network.batch, training=False)
        )
        kernel, bias = (np.asarray(v) for v in classifier.variables)
        kernel = kernel * (2.0 / (features @ kernel).std())
        classifier.set_weights([kernel, bias - (features @ kernel).mean()])

    def made(self, dtype: str) -> Any:
        with floats(dtype):
            return self.network.make(weights=None, input_shape=(*self.network.size, 3))

    def parameters(self) -> int:
        """The number of trainable parameters."""
        return sum(int(np.prod(v.shape)) for v in self.model.trainable_variables)

    def weights(self) -> dict[str, Any]:
        """Every variable as ``layer/name``; layers are numbered from zero in creation order."""
        found, numbers = {}, {"conv2d": [], "batch_normalization": []}
        for layer in self.model.layers:
            word, _, number = layer.name.rpartition("_")
            if word in numbers and number.isdecimal():
                numbers[word].append(int(number))
        for layer in self.model.layers:
            word, _, number = layer.name.rpartition("_")
            name = layer.name
            if word in numbers and number.isdecimal():
                rank = sorted(numbers[word]).index(int(number))
                name = f"{word}_{rank}" if rank else word
            found |= {f"{name}/{v.name}": np.asarray(v) for v in layer.variables}
        return found

    def forward(self, dtype: str, *, training: bool = False) -> dict[str, Any]:
        """The outputs by name, in inference."""
        assert not training
        model = self.model
        if dtype != "float32":
            model = self.made(dtype)
            model.set_weights(self.model.get_weights())
        return {
            "probabilities": np.asarray(model(self.network.batch.astype(dtype), training=False))
        }

    def save(self, folder: Path) -> list[Path]:
        """The files that a user may have: HDF5 with and without the model, and those of Keras 3."""
        whole, alone = folder / "whole.h5", folder / "alone.h5"
        self.model.save(whole)
        import h5py

        with h5py.File(whole) as source, h5py.File(alone, "w") as target:
            group = source["model_weights"]
            for name in group:
                group.copy(name, target)
            for name, value in group.attrs.items():
                target.attrs[name] = value
        weights, archive = folder / "new.weights.h5", folder / "new.keras"
        self.model.save_weights(weights)
        self.model.save(archive)
        return [alone, whole, weights, archive]
