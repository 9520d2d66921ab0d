"""Files of other tools that are given as specs: whose they are, and what to do with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, Final, NamedTuple

START: Final = "write the network as a spec: `inception-dsl new NAME` makes one to start from"
_WEIGHTS: Final = "a spec is YAML; `inception-dsl weights import SPEC FILE` reads weights"
_SPECS: Final = frozenset({"", ".yaml", ".yml"})
_HEAD: Final = 65_536


class Foreign(NamedTuple):
    """What a file is, and what to do."""

    what: str
    help: str = START


_BY_SUFFIX: Final = {
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".bin"), Foreign("a PyTorch checkpoint", _WEIGHTS)),
    **dict.fromkeys((".h5", ".hdf5", ".keras"), Foreign("a Keras model or its weights", _WEIGHTS)),
    ".safetensors": Foreign("a weight file (safetensors)", _WEIGHTS),
    ".npz": Foreign("a NumPy archive", _WEIGHTS),
    ".caffemodel": Foreign("a Caffe weight file"),
    ".onnx": Foreign("an ONNX model"),
    ".pb": Foreign("a TensorFlow graph"),
    ".tflite": Foreign("a TensorFlow Lite model"),
}
_BY_TEXT: Final = (
    (rb"^[ \t]*layers?[ \t]*\{", Foreign("a Caffe prototxt")),
    (rb"^\[(?:net|network|convolutional)\]", Foreign("a Darknet configuration")),
    (rb"^model\s*=\s*dict\(", Foreign("an OpenMMLab configuration (mmdet, mmpretrain)")),
    (rb"^(?:import \w|from [\w.]+ import |class \w+.*:|def \w+\()", Foreign("a Python file")),
)


def of_file(file: str, data: bytes) -> Foreign | None:
    """The tool whose file this is, by its suffix and its first lines; ``None`` for what may be a
    spec.
    """
    suffix = PurePath(file).suffix.lower()
    if suffix in _SPECS:
        return None
    found = (tool for words, tool in _BY_TEXT if re.search(words, data[:_HEAD], re.MULTILINE))
    return _BY_SUFFIX.get(suffix) or next(found, None)


def of_data(data: Any) -> Foreign | None:
    """The tool whose YAML or JSON this is, by its fields."""
    if not isinstance(data, dict):
        return None
    return next((tool for test, tool in _BY_DATA if test(data)), None)


def _target(data: dict[Any, Any]) -> bool:
    inner = [data, *(value for value in data.values() if isinstance(value, dict))]
    return any("_target_" in value for value in inner) or isinstance(data.get("defaults"), list)


def _typed(data: dict[Any, Any]) -> bool:
    model = data.get("model")
    return "_base_" in data or (isinstance(model, dict) and isinstance(model.get("type"), str))


def _layers(data: dict[Any, Any]) -> bool:
    chains = [data.get(key) for key in ("backbone", "head")]
    return all(isinstance(c, list) and any(isinstance(s, list) for s in c) for c in chains)


def _has(*keys: str) -> Callable[[dict[Any, Any]], bool]:
    return lambda data: set(keys) <= set(data)


_BY_DATA: Final = (
    (_has("class_name", "config"), Foreign("a model of Keras as JSON")),
    (_layers, Foreign("a model of Ultralytics (YOLO)")),
    (_has("input_features", "output_features"), Foreign("a configuration of Ludwig")),
    (_typed, Foreign("an OpenMMLab configuration (mmdet, mmpretrain)")),
    (_target, Foreign("a configuration of Hydra")),
)
