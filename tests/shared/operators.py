"""Declares the compiled operators of torchvision, so that torchvision and timm import beside any
build of PyTorch.

Their networks use none of them; only the import wants them to exist.
"""

import torch

LIBRARY = torch.library.Library("torchvision", "FRAGMENT")


def declare() -> None:
    """Declare what torchvision registers shapes for when it is imported; nothing where it brings
    its own.
    """
    for name, signature in (
        ("nms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"),
        ("qnms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"),
    ):
        if not hasattr(torch.ops.torchvision, name):
            LIBRARY.define(name + signature)
