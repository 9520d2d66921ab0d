"""Generated PyTorch models: the sizes of the input that run, and the errors for others."""

from __future__ import annotations

import math
import re
from pathlib import Path
from types import ModuleType

import pytest
import torch

import inception_dsl
from inception_dsl.analysis.size_conditions import AxisSizes
from inception_dsl.analysis.sizes import running_sizes
from inception_dsl.backend import class_name

ROOT = Path(__file__).parents[3]


def module_of(name: str) -> ModuleType:
    return inception_dsl.load(ROOT / "specs" / f"{name}.yaml").module("torch")


@pytest.mark.parametrize(
    ("name", "cls", "least"), [("v4", "InceptionV4", 75), ("v1", "GoogLeNet", 31)]
)
def test_smaller_input_than_the_minimum_is_an_error(name: str, cls: str, least: int) -> None:
    net = getattr(module_of(name), cls)(num_classes=2).eval()
    with torch.no_grad():
        assert net(torch.randn(1, 3, least, least)).shape == (1, 2)
        for size in ((least - 1, least), (least, least - 1)):
            with pytest.raises(ValueError, match=f"at least {least}x{least} pixels, got"):
                net(torch.randn(1, 3, *size))


@pytest.mark.parametrize("name", ["v1", "v1_article", "v2", "v3", "v4", "inception_resnet_v2"])
def test_sizes_that_do_not_run_are_errors(name: str) -> None:
    """Many sizes, on the meta device: each runs, or the error names the nearest that do."""
    network = inception_dsl.load(ROOT / "specs" / f"{name}.yaml")
    sizes = running_sizes(network.typed)
    with torch.device("meta"):
        net = getattr(network.module("torch"), class_name(network.name))()
        for training, axes in ((False, sizes.inference), (True, sizes.training)):
            net.train(training)
            least, endless = axes[0].least, axes[0] == AxisSizes(axes[0].least)
            for size in (least - 1, least, 299, 360) if endless else range(30, 360, 3):
                x = torch.empty(2, 3, size, axes[1].least)
                if axes[0].fits(size):
                    net(x)
                    continue
                with pytest.raises(ValueError, match=r"needs|does not run") as error:
                    net(x)
                numbers = [int(n) for n in re.findall(r"\d+", str(error.value))]
                nearest = [n for n in (*range(size, 400), *range(size, 0, -1)) if axes[0].fits(n)]
                assert nearest[0] in numbers or nearest[-1] in numbers


def test_auxiliary_heads_and_larger_images() -> None:
    """GoogLeNet's heads flatten: they say so, and the network runs without them."""
    net = module_of("v1").GoogLeNet(num_classes=2)
    with pytest.raises(ValueError, match="191x191 to 238x238 pixels, got 256x256; set aux_logits"):
        net(torch.randn(2, 3, 256, 256))
    net = module_of("v1").GoogLeNet(num_classes=2, aux_logits=False)
    assert net(torch.randn(2, 3, 256, 256)).shape == (2, 2)


def test_the_loss_takes_the_one_position_that_the_spec_has() -> None:
    """The article's network outputs a 1x1 map, and larger ones for larger images."""
    module = module_of("v1_article")
    target = torch.tensor([1])
    assert module.loss(torch.full((1, 4, 1, 1), 0.25), target).item() == pytest.approx(math.log(4))
    for outputs in (torch.full((1, 4, 2, 2), 0.25), torch.full((1, 4, 2, 1), 0.25)):
        with pytest.raises((RuntimeError, ValueError), match=r"target|Expected"):
            module.loss(outputs, target)


def test_a_head_that_flattens_leaves_the_features_free(tmp_path: Path) -> None:
    spec = tmp_path / "flat.yaml"
    spec.write_text("""
        network: flat
        input: {channels: 3, height: 8, width: 8}
        classes: 5
        body: [{op: conv, name: a, filters: 2, kernel_size: 3, padding: valid}]
        head: [{op: flatten}, {op: dense, units: $classes}]
        """)
    net = inception_dsl.load(spec).module("torch").Flat()
    assert net(torch.randn(1, 3, 8, 8)).shape == (1, 5)
    assert net.forward_features(torch.randn(1, 3, 20, 3)).shape == (1, 2, 18, 1)
    with pytest.raises(ValueError, match="with its head needs 8x8 pixels, got 20x8; compile"):
        net(torch.randn(1, 3, 20, 8))
    with pytest.raises(ValueError, match="needs at least 3x3 pixels, got 2x8"):
        net.forward_features(torch.randn(1, 3, 2, 8))
