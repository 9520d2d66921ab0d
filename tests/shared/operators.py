"""Declares the compiled operators of torchvision, so that torchvision and timm can be imported with
any build of PyTorch.

The networks do not use these operators, but the import fails without them.
"""

import torch

LIBRARY = torch.library.Library("torchvision", "FRAGMENT")


def declare() -> None:
    """Declare the operators that torchvision needs at import, if it does not have its own."""
    for name, signature in (
        ("nms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"),
        ("qnms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"),
    ):
        if not hasattr(torch.ops.torchvision, name):
            LIBRARY.define(name + signature)
