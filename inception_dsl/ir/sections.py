"""Initial weights and the section ``preprocessing`` of a network, once they are checked."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ..types.prose import Prose


class Initializer(NamedTuple):
    """Initial weights: ``name`` is ``truncated_normal``, ``glorot_uniform`` or ``he_normal``.

    ``bias`` is a constant.
    """

    name: str
    stddev: float
    bias: float
    note: Prose


class Resize(NamedTuple):
    """Resizing of images to ``size``, the sizes of all axes."""

    size: tuple[int, ...]
    method: Literal["nearest", "linear"]
    antialias: bool


class Preprocessing(NamedTuple):
    """``(pixel * scale - mean) / std`` on channels in ``channel_order``, after resizing.

    With ``per_image``, mean and std are those of each image.
    """

    channel_order: Literal["rgb", "bgr"]
    scale: float
    mean: float | tuple[float, ...]
    std: float | tuple[float, ...]
    per_image: bool = False
    resize: Resize | None = None
