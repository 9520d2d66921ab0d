"""Files of other tools: the error says whose they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from inception_dsl.compiler import compile_spec
from inception_dsl.diagnostics.report import Report

FILES = {
    "net.prototxt": ('name: "net"\nlayer {\n  name: "conv1"\n}\n', "Caffe prototxt"),
    "old.prototxt": ('input: "data"\nlayers {\n  bottom: "data"\n}\n', "Caffe prototxt"),
    "yolo.cfg": ("[net]\nbatch=64\n[convolutional]\nfilters=32\n", "Darknet"),
    "faster.py": ("_base_ = ['a.py']\nmodel = dict(type='FasterRCNN')\n", "OpenMMLab"),
    "net.py": ("import torch\n\nclass Net(torch.nn.Module):\n    pass\n", "Python"),
    "m.json": ('{"class_name": "Functional", "config": {"layers": []}}', "Keras as JSON"),
    "yolo.yaml": ("nc: 80\nbackbone:\n  - [-1, 1, Conv, [64, 3, 2]]\nhead:\n  - [-1, 1, Detect]\n",
                  "Ultralytics"),
    "mmdet.yaml": ("_base_: x.yaml\nmodel: {neck: {}}\n", "OpenMMLab"),
    "detector.yml": ("model: {type: RetinaNet}\n", "OpenMMLab"),
    "ludwig.yaml": ("input_features: []\noutput_features: []\n", "Ludwig"),
    "hydra.yaml": ("defaults: [model: resnet, _self_]\n", "Hydra"),
    "target.yaml": ("model: {_target_: torchvision.models.googlenet}\n", "Hydra"),
    "m.pth": ("\x80\x02", "PyTorch checkpoint"),
    "m.keras": ("PK\x03\x04", "Keras model"),
    "m.onnx": ("\x08\x07", "ONNX model"),
    "m.caffemodel": ("\x0a", "Caffe weight file"),
    "m.PB": ("\x0a", "TensorFlow graph"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_tool(tmp_path: Path, name: str) -> None:
    text, whose = FILES[name]
    path, report = tmp_path / name, Report()
    path.write_text(text, encoding="utf-8")
    assert compile_spec(path, {}, report) is None
    (found,) = report
    assert (found.code, whose in found.message) == ("E208", True)
    assert "inception-dsl new" in found.help or "weights import" in found.help


@pytest.mark.parametrize("name", ["net", "net.yaml", "net.txt", "net.spec"])
def test_a_spec_may_have_any_name(tmp_path: Path, name: str) -> None:
    path, report = tmp_path / name, Report()
    text = "network: n\ninput: {channels: 3, height: 9, width: 9}\nbody: [{op: identity}]\n"
    path.write_text(f"# import torch\n{text}", encoding="utf-8")
    assert compile_spec(path, {}, report) is not None, report.render()


def test_yaml_of_no_known_tool(tmp_path: Path) -> None:
    path, report = tmp_path / "ci.yaml", Report()
    path.write_text("jobs: {build: {}}\nmodel: x\n", encoding="utf-8")
    assert compile_spec(path, {}, report) is None
    (found,) = report
    assert found.message == "expected exactly one of the fields `network` and `block`"
