"""Seeded defects in steps that share weights: of the compiler, and in generated files."""

from __future__ import annotations

from typing import Final

from defect import KERAS, TORCH, Defect

SHARING_DEFECTS: Final = (
    Defect(
        "a step that shares weights has weights of its own",
        TORCH,
        "build",
        "        if step.again:\n",
        "        if step.again and step.repeated:\n",
    ),
    Defect(
        "a repeated step that shares weights is called once",
        TORCH,
        "build",
        "times = self.in_forward(slot)",
        'times = Code("1")',
    ),
    Defect(
        "a step that shares weights has weights of its own",
        KERAS,
        "body",
        "        if planned.step.again:\n",
        "        if planned.step.again and planned.step.repeated:\n",
    ),
    Defect(
        "a repeated step that shares weights is called once",
        KERAS,
        "body",
        'f"for _ in range({self.writer.scope.text(slot)}):"',
        '"for _ in range(1):"',
    ),
)
Change = tuple[str, str]
IN_FILES: Final[dict[tuple[str, str, str], tuple[Change, ...]]] = {
    ("torch", "poly", "a second set of weights"): (
        (
            "self.first_f = F_2(in_channels)",
            "self.first_f = F_2(in_channels)\n        self.other_f = F_2(in_channels)",
        ),
        ("second = self.first_f(x)", "second = self.other_f(x)"),
    ),
    ("torch", "poly", "a call is missing"): (("        second = self.first_f(second)\n", ""),),
    ("torch", "poly", "a call too many"): (
        ("second = self.first_f(second)", "second = self.first_f(self.first_f(second))"),
    ),
    ("torch", "poly", "the gradient of one call is missing"): (
        ("second = self.first_f(x)", "second = self.first_f(x).detach()"),
    ),
    ("torch", "poly", "statistics are those of one call"): (
        (
            "        second = self.first_f(second)",
            "        norms = [m for m in self.first_f.modules() if isinstance(m, nn.BatchNorm2d)]\n"
            "        kept = [m.momentum for m in norms]\n"
            "        for m in norms:\n"
            "            m.momentum = 0.0\n"
            "        second = self.first_f(second)\n"
            "        for m, momentum in zip(norms, kept):\n"
            "            m.momentum = momentum",
        ),
    ),
    ("torch", "siamese", "the calls are in another order"): (
        ("        left = self.pair_left_tower(x)\n", ""),
        (
            "        right = self.pair_left_tower(right)",
            "        right = self.pair_left_tower(right)\n        left = self.pair_left_tower(x)",
        ),
    ),
    ("torch", "recurrent", "a repetition is missing"): (
        ("range(self.turns)", "range(self.turns - 1)"),
    ),
    ("torch", "recurrent", "the weights of another layer"): (
        ("return self.cell(x)", "return self.mix[0](x)"),
    ),
    ("torch", "recurrent", "the gradient of the repetitions is missing"): (
        (
            "            x = self.cell(x)",
            "            x = F.conv2d(x, self.cell.weight.detach(), self.cell.bias.detach(), 1, 1)",
        ),
        (
            "from torch import Tensor, nn",
            "from torch import Tensor, nn\nfrom torch.nn import functional as F",
        ),
    ),
    ("keras", "poly", "a second set of weights"): (
        ("second = first_f(x)", 'second = f(x, name=f"{name}_other_f")'),
    ),
    ("keras", "poly", "a call is missing"): (("    second = first_f(second)\n", ""),),
    ("keras", "poly", "a call too many"): (
        ("second = first_f(second)", "second = first_f(first_f(second))"),
    ),
    ("keras", "poly", "the gradient of one call is missing"): (
        ("second = first_f(x)", "second = keras.ops.stop_gradient(first_f(x))"),
    ),
    ("keras", "recurrent", "a repetition is missing"): (("range(turns)", "range(turns - 1)"),),
    ("keras", "recurrent", "a second set of statistics"): (
        (
            "    for _ in range(2):\n        x = norm(x)",
            "    norm = layers.BatchNormalization(momentum=0.7, epsilon=0.001, name='norm_2')\n"
            "    for _ in range(2):\n        x = norm(x)",
        ),
    ),
}
"""Changes of generated files, by backend, spec (of ``sharing_specs``) and what is wrong then."""
