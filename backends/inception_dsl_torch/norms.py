"""Normalisation layers with only some of their learned parameters."""

from __future__ import annotations

from inception_dsl.backend import Code, docstring, name, signature

from .helper_view import HelperView


def norm_class(base: str, scale: bool, center: bool) -> HelperView:
    """The subclass of the normalisation ``base`` with a scale, an offset, or neither."""
    short = base.removeprefix("nn.")
    helper = short + ("NoScale" if center else "NoOffset" if scale else "NoAffine")
    what = (
        "an offset but no scale"
        if center
        else "a scale but no offset"
        if scale
        else "neither scale nor offset"
    )
    switch = "elementwise_affine=False" if "LayerNorm" in base else "affine=False"
    features, arguments = {
        "LayerNorm": ("normalized_shape", "normalized_shape: int, eps: float = 1e-05"),
        "GroupNorm": ("num_channels", "num_groups: int, num_channels: int, eps: float = 1e-05"),
    }.get(
        short.removeprefix("Channel"),
        ("num_features", "num_features: int, eps: float = 1e-05, momentum: float = 0.1"),
    )
    parameters = ["self", *arguments.split(", ")]
    passed = ", ".join(_passed(p) for p in parameters[1:])
    lines = [Code(f"        super().__init__({passed}, {switch})")]
    if center:
        lines.append(Code(f"        self.bias = nn.Parameter(torch.zeros({features}))"))
    if scale:
        lines.append(Code(f"        self.weight = nn.Parameter(torch.ones({features}))"))
    # PyTorch 2.13 has no gradient of group norm with an offset alone
    if center and base == "nn.GroupNorm":
        lines.append(Code("\n    def forward(self, x: Tensor) -> Tensor:"))
        lines.append(Code("        x = F.group_norm(x, self.num_groups, eps=self.eps)"))
        lines.append(Code("        return x + self.bias.view(-1, *[1] * (x.dim() - 2))"))
    doc = docstring(f"``{base}`` with {what}.", indent=4)
    head = signature("__init__", parameters, "None", indent=4)
    return HelperView("helpers/norm.py.j2", name(helper), Code(base), doc, tuple(lines), head)


def _passed(parameter: str) -> str:
    word = parameter.split(":")[0]
    return f"{word}={word}" if "=" in parameter else word
