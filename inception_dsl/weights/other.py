"""Weight files of other kinds: what a file is, and how its tensors become a safetensors file.

Pickles are never opened, whatever the name of the file. A kind is found from the first bytes, and
only then from the suffix.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import zipfile
from pathlib import Path
from typing import Final, NamedTuple

TRUST: Final = "opening a pickle can run any code; if you trust the file, save its tensors first:"
NESTED: Final = ("state_dict", "model_state_dict", "model")
"""The usual keys of a state dict inside a checkpoint; Lightning has the first."""
_SAVE: Final = "save_file({k: v.clone(memory_format=torch.contiguous_format) for k, v in "
_TORCH: Final = (
    "import torch; from safetensors.torch import save_file; "
    "d = torch.load(SOURCE, map_location='cpu', weights_only=True); "
    f"d = next(s for s in (*map(d.get, {NESTED}), d, *d.values()) "
    "if isinstance(s, dict) and any(map(torch.is_tensor, s.values()))); "
    f"{_SAVE}d.items() if torch.is_tensor(v)}}, TARGET)"
)
_SCRIPT: Final = (
    "import torch; from safetensors.torch import save_file; d = torch.jit.load(SOURCE, "
    f"map_location='cpu').state_dict(); {_SAVE}d.items()}}, TARGET)"
)
_NUMPY: Final = (
    "import numpy; from safetensors.numpy import save_file; "
    "save_file({k: numpy.ascontiguousarray(v) for k, v in numpy.load(SOURCE, "
    "allow_pickle=False).items()}, TARGET)"
)
_SLIM: Final = (
    "import tensorflow; from safetensors.numpy import save_file; "
    "r = tensorflow.train.load_checkpoint(SOURCE); "
    "save_file({k: r.get_tensor(k) for k, t in r.get_variable_to_dtype_map().items() "
    "if t.is_floating}, TARGET)"
)
_ONNX: Final = (
    "import onnx; from safetensors.numpy import save_file; "
    "save_file({t.name: onnx.numpy_helper.to_array(t).copy() for t in "
    "onnx.load(SOURCE).graph.initializer}, TARGET)"
)
_OWN: Final = "use the checkpoint that it was made from, or save its arrays with safetensors"


class Other(NamedTuple):
    """What a file is, and what to do; ``pickle`` if opening it could run code."""

    what: str
    help: str
    pickle: bool = False

    @property
    def message(self) -> str:
        """What stands after the name of the file."""
        return f"is {self.what}" + "; pickles are never opened" * self.pickle


def other(path: Path, start: bytes) -> Other | None:
    """What a file with these first bytes is, if it is of another kind; ``None`` if unknown.

    ``.keras`` archives are no other kind.
    """
    if start[:1] == b"\x80" and 2 <= (start[1] if len(start) > 1 else 0) <= 5:
        return _pickle(path, "a pickle", _TORCH)
    if start[:6] == b"\x93NUMPY":
        what = "a NumPy file of one array, which may contain a pickle"
        help = f"{TRUST} use `safetensors.numpy.save_file` with a name for each array"
        return Other(what, help, pickle=True)
    if start[:4] == b"PK\x03\x04":
        return None if path.suffix == ".keras" else _archive(path)
    if path.suffix in (".npz", ".npy"):
        return _pickle(path, f"a pickle by its suffix `{path.suffix}`", _NUMPY)
    return _by_text(path, start) or _by_suffix(path)


def _archive(path: Path) -> Other:
    """A zip archive: of PyTorch, of TorchScript, of NumPy, or another one."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()[:100_000]
    except (OSError, ValueError, zipfile.BadZipFile):
        names = []
    if names and all(name.endswith(".npy") for name in names):
        return _pickle(path, "a NumPy archive, which may contain pickles", _NUMPY)
    if any("/code/" in name for name in names):
        return _pickle(path, "a TorchScript archive, which contains pickles", _SCRIPT)
    return _pickle(path, "a PyTorch or NumPy archive, which contains pickles", _TORCH)


def _by_text(path: Path, start: bytes) -> Other | None:
    if start[:2] == b"\x1f\x8b" or start[:3] == b"BZh" or start[:6] == b"\xfd7zXZ\0":
        return Other("a compressed file", "unpack it first")
    if start[:8] == b"version ":
        return Other("a Git LFS pointer, not the file itself", "run `git lfs pull`")
    if start.lstrip()[:2].lower() in (b"<!", b"<h"):
        return Other("a web page", "download the file itself; the address may need a login")
    return None


def _by_suffix(path: Path) -> Other | None:
    suffix = path.suffix
    if suffix in (".index", ".meta") or re.fullmatch(r"\.data-\d+-of-\d+", suffix):
        return _converted(path, "a part of a TensorFlow checkpoint", _SLIM, path.stem)
    if suffix == ".ckpt" and _tables(path):
        return _converted(path, "a TensorFlow checkpoint", _SLIM)
    if suffix in (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib"):
        return _pickle(path, f"a pickle by its suffix `{suffix}`", _TORCH)
    if suffix == ".onnx":
        return _converted(path, "an ONNX model", _ONNX)
    if suffix == ".pb":
        help = (
            "a frozen graph has no layers with weights; use its checkpoint, of a SavedModel "
            "that is `variables/variables.index`"
        )
        return Other("a TensorFlow graph", help)
    if suffix == ".caffemodel":
        help = (
            "save the arrays with Caffe itself: `net.params[NAME][i].data` of `caffe.Net` by "
            "`NAME.weight` and `NAME.bias`, with `safetensors.numpy.save_file`"
        )
        return Other("a Caffe model", help)
    if suffix == ".msgpack":
        help = (
            "load it with `flax.serialization.msgpack_restore`, and save its arrays with "
            "`safetensors.numpy.save_file`, named `LAYER/kernel`, `LAYER/bias`, ..."
        )
        return Other("a Flax checkpoint (MessagePack)", help)
    return Other("a TensorFlow Lite model", _OWN) if suffix == ".tflite" else None


def _tables(path: Path) -> bool:
    """Whether a file ends as the tables of TensorFlow's first checkpoint format do."""
    try:
        with open(path, "rb") as file:
            file.seek(-8, os.SEEK_END)
            return file.read() == 0xDB4775248B80FB57.to_bytes(8, "little")
    except OSError:
        return False


def _pickle(path: Path, what: str, code: str) -> Other:
    return Other(what, f"{TRUST} `{_recipe(path, code, path.name)}`", pickle=True)


def _converted(path: Path, what: str, code: str, name: str = "") -> Other:
    return Other(what, f"save its tensors first: `{_recipe(path, code, name or path.name)}`")


def _recipe(path: Path, code: str, name: str) -> str:
    """A command that writes the tensors of a file to a safetensors file beside it."""
    source = path.with_name(name)
    target = source.with_name(f"{name.split('.')[0] or name}.safetensors")
    if target == source or os.path.exists(target):
        target = source.with_name(f"{target.stem}_tensors.safetensors")
    code = code.replace("'", '"')
    names = {"SOURCE": source, "TARGET": target}
    code = re.sub(
        "SOURCE|TARGET",
        lambda word: json.dumps(os.path.normpath(names[word[0]]), ensure_ascii=False),
        code,
    )
    return f"python -c {shlex.quote(code)}"
