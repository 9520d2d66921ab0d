"""Subclasses of normalisations that learn only a scale, only an offset, or neither."""

from __future__ import annotations

from inception_dsl.backend import Code, docstring, name, signature

from .helper_view import HelperView


def norm_class(base: str, scale: bool, center: bool) -> HelperView:
    """The subclass of ``base`` that learns only a scale, only an offset, or neither."""
    short = base.removeprefix("nn.")
    parameters = ["self", *_norm_arguments(short)]
    kinds = {"LayerNorm": "normalized_shape", "GroupNorm": "num_channels"}
    features = kinds.get(short.removeprefix("Channel"), "num_features")
    switch = "elementwise_affine=False" if "LayerNorm" in base else "affine=False"
    passed = ", ".join(_passed(p) for p in parameters[1:])
    lines = [Code(f"        super().__init__({passed}, {switch})")]
    if center:
        lines.append(Code(f"        self.bias = nn.Parameter(torch.zeros({features}))"))
    if scale:
        lines.append(Code(f"        self.weight = nn.Parameter(torch.ones({features}))"))
    if center and base == "nn.GroupNorm":
        # PyTorch 2.13 cannot differentiate group norm with a bias but no weight
        lines.append(Code("\n    def forward(self, x: Tensor) -> Tensor:"))
        lines.append(Code("        x = F.group_norm(x, self.num_groups, eps=self.eps)"))
        lines.append(Code("        return x + self.bias.view(-1, *[1] * (x.dim() - 2))"))
    return HelperView(
        "helpers/norm.py.j2",
        name(short + ("NoScale" if center else "NoOffset" if scale else "NoAffine")),
        base=Code(base),
        doc=docstring(f"``{base}`` with {_learned(scale, center)}.", indent=4),
        head=signature("__init__", parameters, "None", indent=4),
        lines=tuple(lines),
    )


def _norm_arguments(short: str) -> tuple[str, ...]:
    """The arguments of the subclass."""
    if short.endswith("LayerNorm"):
        return "normalized_shape: int", "eps: float = 1e-05"
    if short == "GroupNorm":
        return "num_groups: int", "num_channels: int", "eps: float = 1e-05"
    return "num_features: int", "eps: float = 1e-05", "momentum: float = 0.1"


def _learned(scale: bool, center: bool) -> str:
    if center:
        return "an offset but no scale"
    return "a scale but no offset" if scale else "neither scale nor offset"


def _passed(parameter: str) -> str:
    word = parameter.split(":")[0]
    return f"{word}={word}" if "=" in parameter else word
