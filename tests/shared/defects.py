"""Seeded defects of the compiler and its backends: each changes a shape rule or a lowering.

A defect replaces a piece of source. While it is active, the functions with this source run the
changed code, and templates are read with the change. Generated code stays valid, but builds another
network than the spec describes.
"""

from __future__ import annotations

from after_defects import AFTER_DEFECTS
from channel_defects import CHANNEL_DEFECTS
from defect import CORE, TORCH, Defect
from enlarging_defects import ENLARGING_DEFECTS
from input_defects import INPUT_DEFECTS
from keras_defects import KERAS_DEFECTS
from moving_defects import MOVING_DEFECTS
from sharing_defects import SHARING_DEFECTS
from split_defects import SPLIT_DEFECTS

COUNT = 400
"""Number of random networks; at least one must reveal each defect."""


DEFECTS = (
    # shape rules
    Defect(
        "the size of `same` is rounded down",
        CORE,
        "types.window",
        "size + (self.stride - 1)) //",
        "size) //",
    ),
    Defect(
        "a window that starts in the padding counts",
        CORE,
        "types.window",
        "count -= 1",
        "count -= 0",
    ),
    Defect(
        "the size of `ceil_mode` is rounded down",
        CORE,
        "types.window",
        "2 * self.stride - 1",
        "self.stride",
    ),
    Defect(
        "a dilated window is one pixel too long",
        CORE,
        "types.window",
        "(self.kernel - 1) * self.dilation + 1",
        "self.kernel * self.dilation",
    ),
    Defect(
        "`same` at stride 1 pads the extra pixel at the start",
        CORE,
        "types.window",
        "(self.extent - 1) // 2, self.extent - 1 - (self.extent - 1) // 2",
        "self.extent - 1 - (self.extent - 1) // 2, (self.extent - 1) // 2",
    ),
    Defect(
        "`same` at stride 2 pads the extra pixel at the start",
        CORE,
        "types.window",
        "return total // 2, total - total // 2",
        "return total - total // 2, total // 2",
    ),
    Defect(
        "zero padding uses the start for both sides",
        CORE,
        "ops.zero_pad",
        "n + sum(p)",
        "n + 2 * p[0]",
    ),
    Defect(
        "the kernel of a grouped convolution has all input channels",
        CORE,
        "ops.conv",
        "x.channels // self.groups",
        "x.channels",
    ),
    Defect(
        "a depthwise convolution has one bias per input channel",
        CORE,
        "ops.depthwise_conv",
        'Weight("bias", (x.channels * self.depth_multiplier,))',
        'Weight("bias", (x.channels,))',
    ),
    Defect(
        "a concat counts the first branch for every branch",
        CORE,
        "analysis.merged",
        "sum(t.channels for t in types)",
        "sum(types[0].channels for t in types)",
    ),
    Defect(
        "defaults override the fields of a step",
        CORE,
        "ops.base",
        "if k not in self.model_fields_set",
        "",
    ),
    # PyTorch
    Defect(
        "no groups",
        TORCH,
        "lowering",
        'omitted([groups := site.slot("groups")], 1)',
        'omitted([groups := site.slot("groups")], groups.values[0])',
    ),
    Defect(
        "epsilon of batch norm is PyTorch's default",
        TORCH,
        "lowering",
        'omitted([epsilon := site.slot("epsilon")], 1e-5)',
        'omitted([epsilon := site.slot("epsilon")], epsilon.values[0])',
    ),
    Defect(
        "epsilon of conv_bn is PyTorch's default",
        TORCH,
        "conv_bn",
        'for k in ("eps", "momentum"))',
        'for k in ("momentum",))',
    ),
    Defect(
        "epsilon of group norm is PyTorch's default",
        TORCH,
        "lowering",
        'normalised(site, scope, helpers, "nn.GroupNorm", groups)',
        '(*normalised(site, scope, helpers, "nn.GroupNorm", groups)[:2], {})',
    ),
    Defect(
        "momentum is the decay",
        TORCH,
        "lowering",
        "round(1.0 - v, 12)",
        "v",
        training=True,
    ),
    Defect(
        "axes of the padding are swapped",
        TORCH,
        "windows",
        "axes = reversed(range(site.rank))",
        "axes = range(site.rank)",
    ),
    Defect(
        "sides of the padding are swapped",
        TORCH,
        "windows",
        "for axis in axes for end in (0, 1))",
        "for axis in axes for end in (1, 0))",
    ),
    Defect(
        "`same` at a stride pads the extra pixel at the start",
        TORCH,
        "helpers/same_padding.py.j2",
        "pads += [total // 2, total - total // 2]",
        "pads += [total - total // 2, total // 2]",
    ),
    Defect(
        "stride of a convolution is that of the first axis",
        TORCH,
        "windows",
        'slots["stride"] = strides',
        'slots["stride"] = strides[:1]',
    ),
    Defect(
        "dilation is omitted unless every axis has it",
        TORCH,
        "windows",
        "if not omitted(dilations, 1):",
        "if not any(omitted([slot], 1) for slot in dilations):",
    ),
    Defect(
        "an average pool counts its padding",
        TORCH,
        "pools",
        'items += flag(site, scope, "count_include_pad", True)',
        "pass",
    ),
    Defect(
        "an average pool with `same` counts its padding",
        TORCH,
        "helpers/same_pool.same_avg_pool.py.j2",
        " / share",
        "",
    ),
    Defect(
        "an average pool with asymmetric padding counts it",
        TORCH,
        "helpers/padded_avg_pool.py.j2",
        " / self.pool(F.pad(torch.ones_like(x[:1, :1]), self.sides))",
        "",
    ),
    Defect(
        "a max pool is padded with zeros", TORCH, "pools", 'literal(float("-inf"))', "literal(0.0)"
    ),
    Defect(
        "a max pool with `same` is padded with zeros",
        TORCH,
        "helpers/same_pool.same_max_pool.py.j2",
        ', value=float("-inf")',
        "",
    ),
    Defect(
        "a max pool ignores ceil_mode",
        TORCH,
        "pools",
        'ceil = flag(site, scope, "ceil_mode", False)',
        'ceil = flag(site, scope, "ceil_mode", False) if average else []',
    ),
    Defect(
        "all global pools are averages",
        TORCH,
        "pools",
        'kind = "Avg" if site.op.op == "global_avg_pool" else "Max"',
        'kind = "Avg"',
    ),
    Defect(
        "softmax is over the last axis",
        TORCH,
        "activations",
        'Item(literal(1), "dim")',
        'Item(literal(-1), "dim")',
    ),
    Defect(
        "slopes are PyTorch's defaults",
        TORCH,
        "lowering",
        "omitted([slope], SLOPES[name])",
        "omitted([slope], slope.values[0])",
    ),
    Defect(
        "exact and approximate gelu are swapped",
        TORCH,
        "lowering",
        "switch(scope.text(approximate), '\"tanh\"', '\"none\"')",
        "switch(scope.text(approximate), '\"none\"', '\"tanh\"')",
    ),
    Defect(
        "flatten has the channels first",
        TORCH,
        "lowering",
        'f"{x}.movedim(1, -1).flatten(1)"',
        'f"{x}.flatten(1)"',
    ),
    Defect(
        "scales are rounded to one digit",
        TORCH,
        "scaling",
        'f"{text(slot)} * {x}"',
        'f"{round(slot.values[0], 1)} * {x}"',
    ),
    Defect(
        "a concat joins the last branch first",
        TORCH,
        "build",
        "listing(results)",
        "listing(results[::-1])",
    ),
    Defect("multiply adds", TORCH, "build", "OPERATORS[merge]", 'OPERATORS["add"]'),
    Defect(
        "conv_bn has no activation",
        TORCH,
        "conv_bn",
        'result = f"self.{function}({result})"',
        "pass",
    ),
    Defect(
        "relu is relu6",
        TORCH,
        "activations",
        "return call(MODULES[name], ",
        "return call(MODULES[name].replace('ReLU', 'ReLU6').replace('66', '6'), ",
    ),
    Defect(
        "alpha of local response norm has the value of beta",
        TORCH,
        "lowering",
        'name: scope.text(site.slot(name)) for name in ("alpha", "beta", "k")',
        'name: scope.text(site.slot(name.replace("alpha", "beta"))) for name in '
        '("alpha", "beta", "k")',
    ),
    Defect(
        "gamma and beta of batch norm are swapped",
        TORCH,
        "places",
        "found = stored[weight.name]",
        'found = stored[weight.name.replace("gamma", "beta") if "gamma" in weight.name and '
        'typed.op.op == "batch_norm" and typed.op.center else weight.name.replace("beta", "gamma") '
        'if "beta" in weight.name and typed.op.op == "batch_norm" and typed.op.scale else '
        "weight.name]",
    ),
    Defect(
        "label smoothing is missing",
        TORCH,
        "losses",
        '"label_smoothing": literal(loss.smoothing)} if loss.smoothing else',
        '"label_smoothing": literal(loss.smoothing)} if not loss.smoothing else',
        training=True,
    ),
    Defect(
        "losses of heads have the weight 1",
        TORCH,
        "losses",
        'f"{literal(term.weight)} * " if weighed',
        '"1.0 * " if weighed',
        training=True,
    ),
    *AFTER_DEFECTS,
    *CHANNEL_DEFECTS,
    *ENLARGING_DEFECTS,
    *KERAS_DEFECTS,
    *MOVING_DEFECTS,
    *SHARING_DEFECTS,
    *SPLIT_DEFECTS,
    *INPUT_DEFECTS,
)
